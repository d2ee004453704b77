using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

/// <summary>Which channels a run has told of its incident, or may have.</summary>
internal static class ToldChannels
{
    public static IReadOnlyList<string> Of(RunState state) =>
    [
        .. state.Steps.Where(x => x is { Action: "notify", HasEffect: true } && x.Undo != "undone").Select(x => Channel(x.Input)).OfType<string>().Distinct(StringComparer.Ordinal),
    ];

    private static string? Channel(JsonElement? input) =>
        input is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty("channel", out var channel) && channel.ValueKind == JsonValueKind.String
            ? channel.GetString()
            : null;
}
