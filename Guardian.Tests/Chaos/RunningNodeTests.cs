using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Guardian.Tests.Node;

namespace Guardian.Tests.Chaos;

/// <summary>Chaos on a node that is in use.</summary>
[Collection("scenarios")]
public sealed class RunningNodeTests
{
    [Fact]
    public async Task A_node_that_does_not_allow_it_refuses_and_nobody_without_the_admin_key_is_heard()
    {
        await using var node = await NodeProcess.StartAsync();
        (await node.Http.PostAsJsonAsync("/api/v1/chaos/runs", new { scenarios = new[] { "S00" } })).StatusCode.Should().Be(HttpStatusCode.Forbidden);
        (await node.CommandAsync("chaos", "run", "S00", "--yes", "--key", await KeyAsync(node))).Should().Match<(int ExitCode, string Output)>(x => x.ExitCode == 6 && x.Output.Contains("chaos-disabled", StringComparison.Ordinal));
        node.Http.DefaultRequestHeaders.Authorization = null;
        (await node.Http.PostAsJsonAsync("/api/v1/chaos/runs", new { scenarios = new[] { "S00" } })).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_node_that_allows_it_runs_its_scenarios_and_aborts_within_two_seconds()
    {
        await using var node = await NodeProcess.StartAsync("--Guardian:Chaos:Enabled=true");
        var (code, output) = await node.CommandAsync("chaos", "run", "S05", "--yes", "--key", await KeyAsync(node), "--report", Path.Combine(node.Directory, "reports"));
        code.Should().Be(0, output);
        output.Should().Contain("1 of 1 passed");
        Directory.EnumerateFiles(Path.Combine(node.Directory, "reports"), "run.json", SearchOption.AllDirectories).Should().ContainSingle();

        (code, output) = await node.CommandAsync("chaos", "run", "S07", "S10", "S15", "--yes", "--key", await KeyAsync(node), "--report", Path.Combine(node.Directory, "others"));
        code.Should().Be(3, output);
        output.Should().Contain("S07_node_killed: needs a cluster of the runner's own").And.Contain("S10_disk_pressure: changes its node").And.Contain("S15_healer_killed: only a node that the runner started may be killed");

        (await node.Http.PostAsJsonAsync("/api/v1/chaos/runs", new { scenarios = new[] { "S02_acl_spam", "S02_burst" } })).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        var started = await node.Http.PostAsJsonAsync("/api/v1/chaos/runs", new { scenarios = new[] { "S00" }, seed = 3 });
        started.StatusCode.Should().Be(HttpStatusCode.Accepted);
        var path = "/api/v1/chaos/runs/" + (await started.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        (await node.Http.PostAsJsonAsync("/api/v1/chaos/runs", new { scenarios = new[] { "S05" } })).StatusCode.Should().Be(HttpStatusCode.BadRequest, "one at a time");
        await node.UntilAsync("under way", async () => (await node.GetAsync(path)).GetProperty("phase").GetString()!.EndsWith("quiet", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        var clock = Stopwatch.StartNew();
        (await node.Http.DeleteAsync(path)).StatusCode.Should().Be(HttpStatusCode.NoContent);
        await node.UntilAsync("ended", async () => (await node.GetAsync(path)).GetProperty("state").GetString() == "ended", TimeSpan.FromSeconds(20));
        clock.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(8), "2 s are promised; the rest is the busy machine's");
        (await node.GetAsync(path)).GetProperty("report").GetProperty("verdict").GetString().Should().Be("aborted");
    }

    private static async Task<string> KeyAsync(NodeProcess node) => (await File.ReadAllTextAsync(Path.Combine(node.DataDirectory, "admin.key"))).Trim();
}
