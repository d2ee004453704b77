using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Silencing;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Http;

/// <summary>Maintenance windows, cluster-wide: notifications muted, or acting held, for what matches. Works without the journal.</summary>
internal static class SilenceRoutes
{
    private const string Form = "send { match: { type, key, subject }, until or for, reason, actions: mute or hold }";

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/silences", Rights.Read, "Silences in force", call =>
            ApiBodies.JsonAsync(call.Http, [.. call.Guardian.Parts.Silences.Active], ApiJson.Default.Silences), ApiJson.Default.Silences);
        routes.Map("POST", "/api/v1/silences", Rights.Operate, "Mutes notifications, or holds acting, for the incidents that match, until a time", AddAsync,
            ApiJson.Default.Silence, ApiJson.Default.SilenceRequest, success: 201);
        routes.Map("DELETE", "/api/v1/silences/{id}", Rights.Operate, "Ends a silence", RemoveAsync, success: 204);
    }

    private static async Task AddAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.SilenceRequest, new SilenceRequest()) is not { } request) return;
        if (!TryMatch(request.Match, out var match))
        {
            await Problems.Invalid(call.Http, $"'match' is an object with at least one of type, key and subject, or a text that the key must fit; {Form}");
        }
        else if (!TryUntil(request, call.Guardian.Parts.Time.GetUtcNow(), out var until))
        {
            await Problems.Invalid(call.Http, $"'until' is a time, e.g. 2030-01-31T12:00:00Z, or 'for' a length, e.g. 30m; {Form}");
        }
        else if (request.Actions?.ToLowerInvariant() is not (null or "mute" or "hold"))
        {
            await Problems.Invalid(call.Http, "'actions' is mute or hold");
        }
        else
        {
            var action = string.Equals(request.Actions, "hold", StringComparison.OrdinalIgnoreCase) ? SilenceAction.Hold : SilenceAction.Mute;
            var answer = await call.Guardian.Parts.SilenceActor.Ask<SilenceAnswer>(
                new AddSilence(match, until, request.Reason ?? "", action, call.Caller.Name), ApiContext.AskTimeout, call.Cancellation);
            await (answer.Silence is { } silence
                ? ApiBodies.JsonAsync(call.Http, silence, ApiJson.Default.Silence, 201)
                : Problems.Invalid(call.Http, answer.Refusal!));
        }
    }

    private static async Task RemoveAsync(ApiCall call)
    {
        var answer = await call.Guardian.Parts.SilenceActor.Ask<SilenceAnswer>(new RemoveSilence(call.Route("id"), call.Caller.Name), ApiContext.AskTimeout, call.Cancellation);
        await (answer.Silence is null ? Problems.NotFound(call.Http, answer.Refusal!) : ApiBodies.Empty(call.Http));
    }

    private static bool TryMatch(JsonElement? given, out SilenceMatch match)
    {
        match = new SilenceMatch();
        switch (given)
        {
            case { ValueKind: JsonValueKind.String } key:
                match = new SilenceMatch { Key = key.GetString() };
                return true;
            case { ValueKind: JsonValueKind.Object } fields:
                foreach (var field in fields.EnumerateObject())
                {
                    if (field.Value.ValueKind != JsonValueKind.String) return false;
                    var pattern = field.Value.GetString();
                    if (field.NameEquals("type")) match = match with { Type = pattern };
                    else if (field.NameEquals("key")) match = match with { Key = pattern };
                    else if (field.NameEquals("subject")) match = match with { Subject = pattern };
                    else return false; // a pattern that is not understood must not silence more than was meant
                }

                return true;
            default:
                return false;
        }
    }

    private static bool TryUntil(SilenceRequest request, DateTimeOffset now, out DateTimeOffset until)
    {
        until = default;
        if (request.Until is { } text)
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out until) && request.For is null;
        if (!Duration.TryParse(request.For ?? "", out var length) || length.Value > SilenceBook.Longest) return false;
        until = now + length.Value;
        return true;
    }
}

/// <param name="Match">An object of patterns, or one for the key.</param>
/// <param name="Until">A time.</param>
/// <param name="For">Instead of <paramref name="Until"/>: a length.</param>
/// <param name="Reason">Why.</param>
/// <param name="Actions">mute (default) or hold.</param>
internal sealed record SilenceRequest(JsonElement? Match = null, string? Until = null, string? For = null, string? Reason = null, string? Actions = null);
