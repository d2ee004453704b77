using Akka.Actor;
using Guardian.Actors.Autonomy;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Http;

/// <summary>How far Guardian acts by itself, cluster-wide; works without the journal.</summary>
internal static class ModeRoutes
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/mode", Rights.Read, "The mode in force", async call => await AnswerAsync(call, GetMode.Instance), ApiJson.Default.ModeAnswer);
        routes.Map("PUT", "/api/v1/mode", Rights.Operate, "Sets observe, propose or enforce (admin), or hold or resume (operator)", SetAsync,
            ApiJson.Default.ModeAnswer, ApiJson.Default.ModeRequest);
    }

    private static async Task SetAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.ModeRequest, new ModeRequest(null, null, null)) is not { } request) return;
        OperatingMode? mode = request.Mode switch
        {
            "observe" => OperatingMode.Observe,
            "propose" => OperatingMode.Propose,
            "enforce" => OperatingMode.Enforce,
            _ => null,
        };
        if (mode is null && request.Mode is not ("hold" or "resume"))
        {
            await Problems.Invalid(call.Http, "'mode' is observe, propose, enforce, hold or resume");
        }
        else if (!ApiBodies.TryFor(request.For, TimeSpan.FromSeconds(1), Longest, out var length))
        {
            await Problems.Invalid(call.Http, "'for' is a length of time from 1s to 365d, e.g. 10m; without it the mode holds until it is changed");
        }
        else if (mode is not null && !call.Caller.May(Rights.Administer))
        {
            await Problems.Write(call.Http, 403, "forbidden", "The key's roles do not allow this", "changing the mode needs the role admin; hold and resume need operator");
        }
        else
        {
            await AnswerAsync(call, new SetMode { Mode = mode, Hold = request.Mode == "hold", For = length, Reason = ReasonOf(request), By = call.Caller.Name });
        }
    }

    private static string ReasonOf(ModeRequest request) => string.IsNullOrWhiteSpace(request.Reason) ? "set over HTTP" : request.Reason;

    private static async Task AnswerAsync(ApiCall call, object question)
    {
        var status = await call.Guardian.Parts.ModeActor.Ask<ModeStatus>(question, ApiContext.AskTimeout, call.Cancellation);
        var underlying = StatusRoutes.Text(status.Mode);
        await ApiBodies.JsonAsync(call.Http,
            new ModeAnswer(status.Held ? "hold" : underlying, underlying, status.Held, status.Reason, status.By, status.Since, status.Until), ApiJson.Default.ModeAnswer);
    }
}
