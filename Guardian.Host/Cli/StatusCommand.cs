using System.CommandLine;
using System.Text.Json;

namespace Guardian.Host.Cli;

/// <summary><c>guardian status</c>: one screen.</summary>
internal static class StatusCommand
{
    private static readonly (string Name, string Path)[] Rows =
    [
        ("node", "node"), ("version", "version"), ("uptime (s)", "uptime"), ("mode", "mode"), ("hold", "hold.reason"),
        ("contain", "autonomy.contain"), ("disrupt", "autonomy.disrupt"), ("destroy", "autonomy.destroy"),
        ("sent", "bus.sent"), ("accepted", "bus.accepted"), ("acl denied", "bus.refused.aclDenied"), ("blacklisted", "bus.refused.blacklisted"),
        ("rate limited", "bus.refused.rateLimited"), ("queue full", "bus.refused.queueFull"), ("delivered", "bus.delivered"), ("queued", "bus.queued"),
        ("bans", "bans"), ("open incidents", "openIncidents"), ("policy", "policy.hash"), ("journal", "journal.healthy"), ("not ready", "notReady"),
    ];

    public static Command Create(CliOptions options)
    {
        var command = new Command("status", "What a running node is doing");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var status = await client.GetAsync("api/v1/status", cancellation);
            if (output.Json) output.JsonLine(status);
            else output.Facts([.. Rows.Select(x => (x.Name, CliOutput.Text(status, x.Path))), .. Pressure(status), ("members", Members(status)), .. Silences(status), .. Channels(status)]);
            return ExitCodes.Done;
        });
        return command;
    }

    private static IEnumerable<(string, string)> Pressure(JsonElement status)
    {
        if (!status.TryGetProperty("pressure", out var measured) || measured.ValueKind != JsonValueKind.Object) return [];
        var disks = measured.GetProperty("disks").EnumerateObject().Select(x => ("disk", $"{CliOutput.Clean(x.Name)} {Used(x.Value)}"));
        return [("processor", Used(measured.GetProperty("cpu"))), ("memory", Used(measured.GetProperty("memory"))), .. disks, ("under pressure", CliOutput.Text(measured, "under"))];
    }

    private static string Used(JsonElement gauge) =>
        gauge.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.Number ? $"{value} %" : "not known: " + CliOutput.Text(gauge, "unknown");

    private static IEnumerable<(string, string)> Silences(JsonElement status) => Each(status, "silences").Select(x =>
        ("silence", $"{CliOutput.Text(x, "id")} {CliOutput.Text(x, "actions")} until {CliOutput.Text(x, "until")}: {CliOutput.Text(x, "reason")}"));

    private static IEnumerable<(string, string)> Channels(JsonElement status) => Each(status, "channels").Select(x => ("channel",
        $"{CliOutput.Text(x, "channel")}: {CliOutput.Text(x, "pending")} pending, {CliOutput.Text(x, "delivered")} delivered, {CliOutput.Text(x, "dead")} dead, "
        + $"{CliOutput.Text(x, "digested")} digested, {CliOutput.Text(x, "muted")} muted{(x.TryGetProperty("lastFailure", out _) ? "; " + CliOutput.Text(x, "lastFailure") : "")}"));

    private static JsonElement[] Each(JsonElement status, string name) =>
        status.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];

    private static string Members(JsonElement status) => string.Join(", ", status.GetProperty("cluster").GetProperty("members").EnumerateArray()
        .Select(x => $"{CliOutput.Text(x, "node")} {CliOutput.Text(x, "status")}"));
}
