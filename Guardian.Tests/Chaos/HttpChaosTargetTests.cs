using System.Net;
using System.Text;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Tests.Chaos;

public class HttpChaosTargetTests
{
    private static readonly Uri Node = new("http://127.0.0.1:1");

    [Theory]
    [InlineData(403, "https://guardian.dev/problems/acl-denied", PublishOutcome.AclDenied)]
    [InlineData(403, "https://guardian.dev/problems/blacklisted", PublishOutcome.Blacklisted)]
    [InlineData(429, "https://guardian.dev/problems/rate-limited", PublishOutcome.RateLimited)]
    [InlineData(429, "https://guardian.dev/problems/queue-full", PublishOutcome.QueueFull)]
    [InlineData(503, "https://guardian.dev/problems/draining", PublishOutcome.Draining)]
    [InlineData(403, "https://guardian.dev/problems/foreign-host", null)]
    [InlineData(500, "", null)]
    public async Task Answers_are_told_apart_by_status_and_type(int status, string type, PublishOutcome? outcome)
    {
        await using var target = Target(_ => Json($$"""{ "type": "{{type}}", "status": {{status}} }""", (HttpStatusCode)status));
        (await target.PublishAsync("rogue", "system.control", "x", default)).Outcome.Should().Be(outcome);
    }

    [Fact]
    public async Task A_publish_names_its_principal_and_topic()
    {
        HttpRequestMessage? seen = null;
        await using var target = Target(x =>
        {
            seen = x;
            return Json("""{ "id": "1", "topic": "library.books.01" }""", HttpStatusCode.Accepted);
        });
        (await target.PublishAsync("load-01", "library.books.01", "op:1", default)).Outcome.Should().Be(PublishOutcome.Accepted);
        seen!.RequestUri!.AbsolutePath.Should().Be("/api/v1/bus/library.books.01");
        seen.Headers.GetValues("X-Guardian-Principal").Should().Equal("load-01");
    }

    [Fact]
    public async Task A_broken_connection_is_unknown_and_not_a_refusal()
    {
        await using var target = Target(_ => throw new HttpRequestException("connection reset"));
        (await target.PublishAsync("load-01", "library.books.01", "op:1", default)).Outcome.Should().BeNull();
        var probe = () => target.ProbeAsync(ChaosProbes.BlacklistContains, TargetJson.Object(x => x.WriteString("principal", "rogue")), default);
        await probe.Should().ThrowAsync<ChaosTargetException>("unknown is not 'not banned'");
    }

    [Fact]
    public async Task A_stream_is_read_message_by_message()
    {
        const string stream = ": open\n\nid: 1\ndata: {\"topic\":\"library.a\",\"principal\":\"load-01\",\"body\":\"op:x\"}\n\n: alive\n\n"
            + "id: 2\ndata: {\"topic\":\"library.a\",\"principal\":\"load-01\",\"encoding\":\"base64\",\"body\":\"b3A6eQ==\"}\n\n";
        await using var target = Target(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(stream, Encoding.UTF8, "text/event-stream") });
        await using var subscription = await target.SubscribeAsync("patron", "library.>", default);
        var messages = new List<ChaosMessage>();
        await foreach (var message in subscription.Messages(default)) messages.Add(message);
        messages.Should().Equal(new ChaosMessage("library.a", "load-01", "op:x"), new ChaosMessage("library.a", "load-01", "op:y"));
    }

    [Fact]
    public async Task Lists_are_read_by_their_promised_names()
    {
        await using var target = Target(x => Json(x.RequestUri!.AbsolutePath.EndsWith("incidents", StringComparison.Ordinal)
            ? """[{ "id": "a", "key": "acl/principal/rogue", "type": "t", "severity": "high", "principal": "rogue", "violations": 7, "openedAt": "2026-01-01T00:00:00Z", "state": "running", "rules": ["t"], "runs": ["r"], "new": {} }]"""
            : """[{ "id": "r", "playbook": "p", "incident": "a", "state": "verifying", "steps": [{ "id": "s", "state": "succeeded" }] }]"""));
        var incident = (await target.IncidentsAsync(default)).Should().ContainSingle().Which;
        (incident.Id, incident.Subject, incident.Violations, incident.State, incident.Runs[0]).Should().Be(("a", "rogue", 7L, "running", "r"));
        var run = (await target.RunsAsync(default)).Should().ContainSingle().Which;
        (run.Playbook, run.Incident, run.StepsDone, run.Ended, run.Steps[0]).Should().Be(("p", "a", true, false, ("s", "succeeded")));
    }

    [Fact]
    public void Only_this_machine_is_loaded()
    {
        var remote = () => new HttpChaosTarget(new Uri("http://192.0.2.1:8558"));
        remote.Should().Throw<ChaosTargetException>().WithMessage("*not a loopback address*");
    }

    private static HttpChaosTarget Target(Func<HttpRequestMessage, HttpResponseMessage> answer) => new(Node, null, new Stub(answer));

    private static HttpResponseMessage Json(string text, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new StringContent(text, Encoding.UTF8, "application/json") };

    private sealed class Stub(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}
