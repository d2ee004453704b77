using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Guardian.Host.Cli;

/// <summary><c>guardian demo flood</c>: forbidden messages by a real client against the running node, to see it heal.</summary>
internal static class DemoCommand
{
    /// <summary>A run takes well under 10 s; past this something is wrong, or acting is held.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private sealed record Flood(string Principal, string Topic, int Count, int Rate);

    public static Command Create(CliOptions options)
    {
        var count = new Option<int>("--count") { Description = "Messages, 1 to 100000", DefaultValueFactory = _ => 300 };
        var rate = new Option<int>("--rate") { Description = "Messages a second, 0 is as fast as it goes", DefaultValueFactory = _ => 0 };
        var principal = new Option<string>("--principal") { Description = "Who floods", DefaultValueFactory = _ => "rogue" };
        var topic = new Option<string>("--topic") { Description = "Where to", DefaultValueFactory = _ => "system.control" };
        var flood = new Command("flood", "A flood of forbidden messages, to see the node heal") { count, rate, principal, topic };
        flood.SetAction(async (parsed, cancellation) =>
        {
            var plan = new Flood(parsed.GetRequiredValue(principal), parsed.GetRequiredValue(topic), parsed.GetValue(count), parsed.GetValue(rate));
            if (plan.Count is < 1 or > 100_000 || plan.Rate is < 0 or > 100_000)
                throw new CliException(ExitCodes.Usage, "--count is 1 to 100000, --rate 0 to 100000");
            using var client = options.Client(parsed);
            return await FloodAsync(client, options.Output(parsed), plan, cancellation);
        });
        var command = new Command("demo", "See Guardian at work");
        command.Add(flood);
        return command;
    }

    private static async Task<int> FloodAsync(NodeClient client, CliOutput output, Flood flood, CancellationToken cancellation)
    {
        var known = (await RunsAsync(client, flood, cancellation)).Select(x => CliOutput.Text(x, "id")).ToHashSet(StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();
        var answers = await SendAsync(client, flood, clock, cancellation);
        output.Line(string.Create(CultureInfo.InvariantCulture, $"{flood.Count} messages of {flood.Principal} to {flood.Topic} in {clock.Elapsed.TotalSeconds:F1} s: ")
            + string.Join(", ", answers.OrderByDescending(x => x.Value).Select(x => $"{x.Value} {x.Key}")));
        if (answers.Keys.All(x => x == "accepted"))
        {
            output.Problem($"the policy allows {flood.Principal} to publish on {flood.Topic}: nothing to heal");
            return ExitCodes.Negative;
        }

        if (answers.Keys.All(x => x == "blacklisted"))
        {
            output.Line($"{flood.Principal} was banned before the first message: healed already; 'guardian blacklist remove {flood.Principal}' frees it");
            return ExitCodes.Done;
        }

        var run = await HealedAsync(client, flood, known, clock, cancellation);
        if (run is not { } healed)
        {
            output.Problem($"no run ended within {Patience.TotalSeconds} s; 'guardian status' and 'guardian incidents' say why");
            return ExitCodes.Negative;
        }

        output.Line(string.Create(CultureInfo.InvariantCulture, $"{CliOutput.Text(healed, "state")} {clock.Elapsed.TotalSeconds:F1} s after the first message"));
        RunsCommand.Show(output, healed);
        return CliOutput.Text(healed, "state") == "resolved" ? ExitCodes.Done : ExitCodes.Negative;
    }

    private static async Task<Dictionary<string, int>> SendAsync(NodeClient client, Flood flood, Stopwatch clock, CancellationToken cancellation)
    {
        const int Connections = 10;
        var answers = new Dictionary<string, int>(StringComparer.Ordinal);
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            for (var i = Interlocked.Increment(ref next); i <= flood.Count; i = Interlocked.Increment(ref next))
            {
                if (flood.Rate > 0 && TimeSpan.FromSeconds((double)i / flood.Rate) - clock.Elapsed is { Ticks: > 0 } wait) await Task.Delay(wait, cancellation);
                var (_, problem) = await client.PublishAsync(flood.Principal, flood.Topic, "flood", cancellation);
                lock (answers) answers[problem ?? "accepted"] = answers.GetValueOrDefault(problem ?? "accepted") + 1;
            }
        }));
        return answers;
    }

    /// <summary>The new run when it has ended; where the flood was refused by a ban in force, there is none and the ban is the answer.</summary>
    private static async Task<JsonElement?> HealedAsync(NodeClient client, Flood flood, HashSet<string> known, Stopwatch clock, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        do
        {
            foreach (var run in await RunsAsync(client, flood, cancellation))
            {
                if (!known.Contains(CliOutput.Text(run, "id")) && run.TryGetProperty("endedAt", out var ended) && ended.ValueKind == JsonValueKind.String) return run;
            }
        }
        while (clock.Elapsed < Patience && await timer.WaitForNextTickAsync(cancellation));
        return null;
    }

    private static async Task<IReadOnlyList<JsonElement>> RunsAsync(NodeClient client, Flood flood, CancellationToken cancellation)
    {
        var runs = await client.GetAsync("api/v1/runs?limit=100", cancellation);
        return [.. runs.EnumerateArray().Where(x => CliOutput.Text(x, "incidentKey").EndsWith("/" + flood.Principal, StringComparison.Ordinal)
            || CliOutput.Text(x, "incidentKey").EndsWith("/" + flood.Topic, StringComparison.Ordinal))];
    }
}
