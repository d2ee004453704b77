using System.Text.Json;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Persistence;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

public sealed class ApiTests
{
    [Fact]
    public async Task Readiness_speaks_as_Akka_Management_does()
    {
        await using var host = await StartAsync();
        var answer = await host.SendAsync("GET", "/ready");
        (answer.Status, answer.Body).Should().Be((200, "OK"));
        (await host.SendAsync("GET", "/alive")).Status.Should().Be(200);
    }

    [Fact]
    public async Task A_part_that_is_not_ready_or_a_missing_Guardian_is_500()
    {
        await using var waiting = await StartAsync(x => x.NotReady.Add("blacklist: waiting"));
        var answer = await waiting.SendAsync("GET", "/ready");
        (answer.Status, answer.Body).Should().Be((500, "Not Healthy: Check [guardian] not ok"));
        await using var missing = await StartAsync(x => (x.Current, x.ActorSystem) = (null, null));
        answer = await missing.SendAsync("GET", "/ready");
        (answer.Status, answer.Body).Should().Be((500, "Not Healthy: Check [actor-system] not ok, Check [guardian] not ok"));
        (await missing.SendAsync("GET", "/alive")).Body.Should().Be("Not Healthy: Check [actor-system] not ok");
        (await missing.SendAsync("GET", "/api/v1/status")).Status.Should().Be(503);
    }

    [Fact]
    public async Task A_journal_that_is_away_degrades_and_fails_only_when_strict()
    {
        await using var host = await StartAsync(x => x.Journal = new JournalHealth(false, "locked", DateTimeOffset.UnixEpoch));
        var answer = await host.SendAsync("GET", "/ready");
        (answer.Status, answer.Body).Should().Be((200, "degraded: journal"));
        answer = await host.SendAsync("GET", "/ready?strict=true");
        (answer.Status, answer.Body).Should().Be((500, "Not Healthy: Check [journal] not ok"));
    }

    [Fact]
    public async Task Status_shows_counters_that_add_up()
    {
        await using var host = await StartAsync();
        var status = JsonDocument.Parse((await host.SendAsync("GET", "/api/v1/status")).Body).RootElement;
        status.GetProperty("node").GetString().Should().Be("node-1");
        status.GetProperty("mode").GetString().Should().Be("enforce");
        status.GetProperty("openIncidents").GetInt32().Should().Be(1);
        var bus = status.GetProperty("bus");
        bus.GetProperty("sent").GetInt64().Should().Be(bus.GetProperty("accepted").GetInt64() + bus.GetProperty("refused").EnumerateObject().Sum(x => x.Value.GetInt64()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task The_uptime_goes_by_no_wall_clock(int hours)
    {
        await using var host = await StartAsync();
        host.Jump(TimeSpan.FromHours(hours));
        var status = JsonDocument.Parse((await host.SendAsync("GET", "/api/v1/status")).Body).RootElement;
        status.GetProperty("uptime").GetDouble().Should().BeInRange(UpFor.TotalSeconds, UpFor.TotalSeconds + 300);
    }

    [Fact]
    public async Task Bans_are_listed_set_and_lifted_as_an_operators()
    {
        await using var host = await StartAsync(x => x.Bans.Add(new BanEntry
        {
            Principal = "rogue", Since = DateTimeOffset.UnixEpoch, Until = DateTimeOffset.UnixEpoch, Reason = "spam", Owner = "run-1/x", Offences = 1,
        }));
        var bans = JsonDocument.Parse((await host.SendAsync("GET", "/api/v1/blacklist")).Body).RootElement;
        bans[0].GetProperty("principal").GetString().Should().Be("rogue");
        (await host.SendAsync("PUT", "/api/v1/blacklist/x", "{\"for\":\"5m\",\"reason\":\"by hand\"}", Bearer(host.AdminKey))).Status.Should().Be(200);
        host.Commands.OfType<BanPrincipal>().Single().Should().Match<BanPrincipal>(x =>
            x.ByOperator && x.For == TimeSpan.FromMinutes(5) && x.Owner == "operator/admin" && x.Reason == "by hand" && x.Principal == "x");
        (await host.SendAsync("PUT", "/api/v1/blacklist/x", "{\"for\":\"soon\"}", Bearer(host.AdminKey))).Status.Should().Be(400);
        (await host.SendAsync("PUT", "/api/v1/blacklist/x", "{\"for\":", Bearer(host.AdminKey))).Status.Should().Be(400);
        (await host.SendAsync("DELETE", "/api/v1/blacklist/rogue", headers: Bearer(host.AdminKey))).Status.Should().Be(204);
        host.Commands.OfType<LiftBan>().Single().ByOperator.Should().BeTrue();
        host.BanRefusal = "protected";
        (await host.SendAsync("PUT", "/api/v1/blacklist/guardian", headers: Bearer(host.AdminKey))).Status.Should().Be(409);

        var id = JsonDocument.Parse((await host.SendAsync("GET", "/api/v1/mitigations")).Body).RootElement[0].GetProperty("id").GetString()!;
        id.Should().Be("ban:rogue:run-1/x");
        (await host.SendAsync("DELETE", "/api/v1/mitigations/" + Uri.EscapeDataString(id), headers: Bearer(host.AdminKey))).Status.Should().Be(204);
        host.Commands.OfType<LiftBan>().Last().Should().Match<LiftBan>(x => !x.ByOperator && x.Owner == "run-1/x");
        (await host.SendAsync("DELETE", "/api/v1/mitigations/bus-limit:y", headers: Bearer(host.AdminKey))).Status.Should().Be(404);
    }

    [Fact]
    public async Task Incidents_and_runs_come_from_the_projection_and_operators_words_go_to_the_incident()
    {
        await using var host = await StartAsync();
        var key = Bearer(host.AdminKey);
        var (status, body, response) = await host.SendAsync("GET", "/api/v1/incidents?state=open&limit=1");
        status.Should().Be(200);
        JsonDocument.Parse(body).RootElement[0].GetProperty("violations").GetInt64().Should().Be(12);
        response.Headers.GetValues("Link").Single().Should().Contain("after=i-1");
        (await host.SendAsync("GET", "/api/v1/incidents?state=wrong")).Status.Should().Be(400);
        (await host.SendAsync("GET", "/api/v1/incidents?limit=0")).Status.Should().Be(400);
        (await host.SendAsync("GET", "/api/v1/incidents/none")).Status.Should().Be(404);
        (await host.SendAsync("GET", "/api/v1/runs/r-1")).Status.Should().Be(200);
        (await host.SendAsync("POST", "/api/v1/incidents/i-1/close", headers: key)).Status.Should().Be(204);
        var refused = await host.SendAsync("POST", "/api/v1/runs/r-1/approve", headers: key);
        refused.Status.Should().Be(409);
        refused.Body.Should().Contain("the run has ended");
        (await host.SendAsync("POST", "/api/v1/runs/none/cancel", headers: key)).Status.Should().Be(404);
    }

    [Fact]
    public async Task Cluster_management_is_read_only_and_unknown_paths_are_problems()
    {
        await using var host = await StartAsync();
        (await host.SendAsync("GET", "/cluster/members")).Status.Should().Be(200);
        var refused = await host.SendAsync("POST", "/cluster/members", "address=x");
        (refused.Status, refused.Response.Content.Headers.ContentType?.MediaType).Should().Be((405, "application/problem+json"));
        var missing = await host.SendAsync("GET", "/nowhere");
        missing.Status.Should().Be(404);
        missing.Body.Should().Contain("problems/not-found");
    }

    [Fact]
    public async Task What_a_job_wrote_is_for_operators()
    {
        await using var host = await StartAsync(x => x.Options.Http.ApiKeys = [Key("look", "viewer"), Key("op", "operator")]);
        (await host.SendAsync("GET", "/api/v1/kernels/pool/jobs/job-1", headers: Bearer("look"))).Status.Should().Be(403);
        (await host.SendAsync("GET", "/api/v1/kernels/pool/jobs/job-1", headers: Bearer("op"))).Body.Should().Contain("what it wrote");
        (await host.SendAsync("GET", "/api/v1/kernels/pool/jobs", headers: Bearer("look"))).Body.Should().Contain("job-1").And.NotContain("what it wrote");
        (await host.SendAsync("GET", "/api/v1/kernels/pool/jobs", headers: Bearer("op"))).Body.Should().Contain("what it wrote");
    }

    [Fact]
    public async Task Metrics_page_and_description_are_served()
    {
        await using var host = await StartAsync();
        (await host.SendAsync("GET", "/metrics")).Body.Should().MatchRegex("guardian_bus_messages(_messages)?_total\\{[^}]*outcome=\"acl_denied\"[^}]*\\} 2");
        (await host.SendAsync("GET", "/")).Body.Should().Contain("node-1").And.Contain("/api/v1/status");
        var paths = JsonDocument.Parse((await host.SendAsync("GET", "/openapi/v1.json")).Body).RootElement.GetProperty("paths");
        paths.GetProperty("/api/v1/bus/{topic}").GetProperty("post").GetProperty("responses").TryGetProperty("202", out _).Should().BeTrue();
        paths.EnumerateObject().Should().HaveCountGreaterThan(15);
    }
}
