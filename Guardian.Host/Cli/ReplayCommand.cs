using System.CommandLine;
using System.Text.Json;
using Guardian.Actors.Replay;

namespace Guardian.Host.Cli;

/// <summary><c>guardian replay</c>: a recorded trace through the detectors, with the limits that are configured here; without a node.</summary>
internal static class ReplayCommand
{
    public static Command Create(CliOptions options)
    {
        var files = new Argument<string[]>("trace") { Arity = ArgumentArity.OneOrMore, Description = "Files of a trace, the oldest first (trace.1.jsonl trace.jsonl)" };
        var command = new Command("replay", "Which incidents a recorded trace would have raised, with the configuration here; exit code 1 where a line cannot be read") { files };
        command.SetAction(parsed =>
        {
            var output = options.Output(parsed);
            var replay = new TraceReplay(options.Configured.Monitors);
            var (lines, wrong) = (0, 0);
            foreach (var file in parsed.GetRequiredValue(files))
            {
                foreach (var (line, error) in TraceLines.Read(file))
                {
                    if (line is not null) replay.Add(line);
                    else output.Problem(error!);
                    lines++;
                    if (line is null) wrong++;
                }
            }

            output.List(JsonSerializer.SerializeToElement(replay.Incidents, ReplayJson.Default.IReadOnlyListReplayedIncident),
                $"no incident in {lines} lines", "At=at", "Over=over", "Type=type", "Key=key", "Times=occurrences", "Because=because");
            return wrong > 0 ? ExitCodes.Negative : ExitCodes.Done;
        });
        return command;
    }
}
