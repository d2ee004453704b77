using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Cli;

/// <summary><c>guardian keys new</c>: a key, shown once, and what to configure; only its SHA-256 is kept.</summary>
internal static class KeysCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create(CliOptions options)
    {
        var command = new Command("keys", "API keys");
        command.Add(New(options));
        return command;
    }

    private static Command New(CliOptions options)
    {
        var principal = new Option<string>("--principal") { Description = "Principal on the bus and operator's name", Required = true };
        var roles = new Option<string[]>("--role") { Description = "viewer, publisher, operator or admin; may be given again", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["viewer"] };
        roles.AcceptOnlyFromAmong("viewer", "publisher", "operator", "admin");
        var id = new Option<string?>("--id") { Description = "Your name for the key in the configuration; by default made from principal and date" };
        var expires = new Option<string?>("--expires") { Description = "Valid for so long, e.g. 90d; without it the key has no end" };
        var command = new Command("new", "Make a key; it is shown once") { principal, roles, id, expires };
        command.SetAction(parsed =>
        {
            Duration? length = null;
            if (parsed.GetValue(expires) is { } text)
            {
                if (!Duration.TryParse(text, out var valid)) throw new CliException(ExitCodes.Usage, $"--expires: '{text}' is not a length of time; write e.g. 90d");
                length = valid;
            }

            var now = TimeProvider.System.GetUtcNow();
            var name = parsed.GetRequiredValue(principal);
            var key = AdminKeyFile.NewKey();
            var entry = new JsonObject
            {
                ["Id"] = parsed.GetValue(id) ?? string.Create(CultureInfo.InvariantCulture, $"{name}-{now:yyyyMMddHHmmss}"),
                ["Principal"] = name,
                ["KeySha256"] = Convert.ToHexStringLower(ApiKeyRing.Hash(key)),
                ["Roles"] = new JsonArray([.. parsed.GetValue(roles)!.Select(x => (JsonNode)x)]),
            };
            if (length is { } span) entry["Expires"] = (now + span.Value).ToString("O", CultureInfo.InvariantCulture);
            Print(options.Output(parsed), key, entry);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Print(CliOutput output, string key, JsonObject entry)
    {
        if (output.Json)
        {
            output.Writer.WriteLine(new JsonObject { ["key"] = key, ["entry"] = entry }.ToJsonString());
            return;
        }

        var settings = new JsonObject { ["Guardian"] = new JsonObject { ["Http"] = new JsonObject { ["ApiKeys"] = new JsonArray(entry) } } };
        output.Line("The key, shown this once:");
        output.Line("  " + key);
        output.Line("Configure its hash, in appsettings.json (taken over without a restart):");
        output.Line(settings.ToJsonString(Indented));
    }
}
