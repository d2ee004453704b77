using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Chaos;
using Guardian.Host.Cli;

namespace Guardian.Host.Chaos;

/// <summary>A chaos run on a node that is in use: the node itself runs its own scenarios, where its operator allows it.</summary>
internal sealed class RunningNode(NodeClient client, ChaosConsole console, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>The exit code. Interrupted, it aborts the run and waits for its report.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> scenarios, int seed, string reports, CancellationToken abort)
    {
        try
        {
            var names = new JsonArray([.. scenarios.Select(x => (JsonNode)x)]);
            var started = await client.SendAsync(HttpMethod.Post, "api/v1/chaos/runs", new JsonObject { ["scenarios"] = names, ["seed"] = seed }, abort);
            var path = "api/v1/chaos/runs/" + Uri.EscapeDataString(started.GetProperty("id").GetString()!);
            var report = await FollowAsync(path, abort);
            var folder = Path.GetFullPath(Path.Combine(reports, string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow().UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{seed}")));
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "run.json"), report.GetRawText(), CancellationToken.None);
            console.Remote(report, folder);
            return report.GetProperty("exitCode").GetInt32();
        }
        catch (CliException e)
        {
            console.Error(e.Message);
            return Verdict.HarnessError.ExitCode();
        }
    }

    private async Task<JsonElement> FollowAsync(string path, CancellationToken abort)
    {
        var said = "";
        var aborted = false;
        while (true)
        {
            if (abort.IsCancellationRequested && !aborted)
            {
                aborted = true;
                await client.SendAsync(HttpMethod.Delete, path, null, CancellationToken.None);
            }

            var run = await client.GetAsync(path, CancellationToken.None);
            if (run.TryGetProperty("report", out var report)) return report;
            var phase = run.GetProperty("phase").GetString()!;
            if (phase != said) console.Line(said = phase);
            await Task.Delay(Poll, time, aborted ? CancellationToken.None : abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
