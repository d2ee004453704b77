using System.CommandLine;
using System.Text.Json;

namespace Guardian.Host.Cli;

/// <summary><c>guardian events</c>: what happens, as it happens, until Ctrl-C.</summary>
internal static class EventsCommand
{
    public static Command Create(CliOptions options)
    {
        var after = new Option<long>("--after") { Description = "Only events after this id; 0 is from the beginning" };
        var command = new Command("events", "What happens, as it happens") { after };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            await foreach (var (id, data) in client.StreamAsync(FormattableString.Invariant($"api/v1/events?after={parsed.GetValue(after)}"), cancellation))
            {
                if (output.Json)
                {
                    await output.Writer.WriteLineAsync(data);
                    continue;
                }

                var item = JsonSerializer.Deserialize(data, CliJson.Default.JsonElement);
                output.Line($"{id,6} {CliOutput.Text(item, "at"),-33} {CliOutput.Text(item, "type"),-24} {CliOutput.Text(item, "entity")} {CliOutput.Text(item, "summary")}");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
