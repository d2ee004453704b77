using System.Net;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Actions.Probes;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Notifications;

namespace Guardian.Tests.Actions;

public sealed class HttpCallTests : IAsyncLifetime
{
    private static readonly ActionContext Run = new("run-1/call", "run-1", "acl/principal/rogue", "i-1", "fix");
    private static readonly ActionDependencies Dependencies = new()
    {
        Blacklist = ActorRefs.Nobody, Bus = ActorRefs.Nobody, Outbox = ActorRefs.Nobody, Time = TimeProvider.System, CountViolations = (_, _, _) => Task.FromResult(0L),
    };

    private readonly ActionBinding _call = ActionBinding.Of(new HttpCall(Dependencies));
    private Receiver _receiver = null!;

    public async Task InitializeAsync() => _receiver = await Receiver.StartAsync();

    public async Task DisposeAsync() => await _receiver.DisposeAsync();

    private Task<JsonElement> CallAsync(object input) => _call.ExecuteAsync(JsonSerializer.SerializeToElement(input), Run, CancellationToken.None);

    [Fact]
    public async Task It_goes_out_under_its_key_with_its_body_and_headers()
    {
        _receiver.Answer = _ => 201;
        var output = await CallAsync(new { url = _receiver.Url, headers = new Dictionary<string, string> { ["X-Team"] = "security" }, body = new { who = "rogue" } });
        (output.GetProperty("status").GetInt32(), output.GetProperty("truncated").GetBoolean()).Should().Be((201, false));
        var request = _receiver.Requests.Should().ContainSingle().Subject;
        (request.Key, request.ContentType, request.Text, request.Headers["X-Team"]).Should().Be(("run-1/call", "application/json", """{"who":"rogue"}""", "security"));
    }

    [Theory]
    [InlineData(302, typeof(ActionFailedException))]
    [InlineData(404, typeof(ActionFailedException))]
    [InlineData(503, typeof(ActionUnknownException))]
    public async Task An_answer_that_is_not_expected_says_what_is_known_of_the_effect(int status, Type expected)
    {
        _receiver.Answer = _ => status;
        var error = (await FluentActions.Awaiting(() => CallAsync(new { url = _receiver.Url })).Should().ThrowAsync<Exception>()).Which;
        error.Should().BeOfType(expected);
        error.Message.Should().Contain($"answered {status}").And.NotContain("/hook");
        _receiver.Requests.Should().ContainSingle("redirects are not followed, and the run decides about another attempt");
        (await CallAsync(new { url = _receiver.Url, expect = new[] { status } })).GetProperty("status").GetInt32().Should().Be(status);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://[64:ff9b::a9fe:a9fe]/")]
    [InlineData("http://[fe80::1]/")]
    [InlineData("http://224.0.0.1/")]
    [InlineData("http://0.0.0.0/")]
    [InlineData("http://100.100.100.200/")]
    public async Task Link_local_metadata_and_multicast_addresses_are_refused_when_connecting(string url) =>
        (await FluentActions.Awaiting(() => CallAsync(new { url })).Should().ThrowAsync<ActionFailedException>()).WithMessage("*never asks*");

    [Fact]
    public void The_guard_looks_at_what_a_name_leads_to()
    {
        foreach (var fine in new[] { "127.0.0.1", "10.0.0.1", "::1", "fd00::1", "8.8.8.8" }) HttpGuard.IsRefused(IPAddress.Parse(fine)).Should().BeFalse(fine);
        foreach (var bad in new[] { "169.254.1.1", "255.255.255.255", "239.1.1.1", "ff02::1", "::", "fd00:ec2::254", "::ffff:169.254.169.254" }) HttpGuard.IsRefused(IPAddress.Parse(bad)).Should().BeTrue(bad);
    }

    [Theory]
    [InlineData("Host", "x")]
    [InlineData("idempotency-key", "x")]
    [InlineData("X-Ok", "a\r\nX-Evil: b")]
    public async Task Headers_of_the_call_itself_and_split_ones_are_refused(string name, string value) =>
        await FluentActions.Awaiting(() => CallAsync(new { url = _receiver.Url, headers = new Dictionary<string, string> { [name] = value } })).Should().ThrowAsync<ActionFailedException>();

    [Fact]
    public async Task What_was_never_sent_is_known_to_have_had_no_effect() =>
        await FluentActions.Awaiting(() => CallAsync(new { url = "http://127.0.0.1:1/" })).Should().ThrowAsync<ActionFailedException>();

    [Fact]
    public async Task An_unknown_outcome_is_reported_as_one()
    {
        var result = await ActionAttempt.RunAsync(_ => throw new ActionUnknownException("who knows"), DateTimeOffset.UtcNow.AddSeconds(20), TimeProvider.System, CancellationToken.None);
        (result.Outcome.Kind, result.Outcome.Reason, result.Fault).Should().Be((OutcomeKind.Unknown, "who knows", null));
    }

    private static IReadOnlyList<string> Errors(string step) => [.. PlaybookLoader.Load([("p.yaml", $$"""
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: p, version: 1 }
        trigger: [ { event: message_bus.acl_violation.spam_attack } ]
        steps:
          - {{step}}
        """)], GuardianVocabulary.Of(new GuardianOptions())).Errors.Select(x => x.ToString())];

    [Theory]
    [InlineData("https://hooks.example.org/x/${incident.subject}?k=${incident.key}", "")]
    [InlineData("http://127.0.0.1:9000", "")]
    [InlineData("https://${incident.subject}/x", "written out")]
    [InlineData("https://hooks.example.org${incident.subject}/x", "written out")]
    [InlineData("https://hooks.example.org:${incident.violations}/", "written out")]
    [InlineData("${incident.subject}", "written out")]
    [InlineData("ftp://hooks.example.org/", "must begin with http")]
    [InlineData("https://u:p@hooks.example.org/", "user or password")]
    [InlineData("https:///x", "not a host")]
    public void Scheme_host_and_port_are_literal(string url, string error)
    {
        var errors = Errors($$"""{ id: call, action: http.call, with: { url: "{{url}}" } }""");
        if (error.Length == 0) errors.Should().BeEmpty();
        else errors.Should().ContainSingle().Which.Should().Contain(error).And.Contain("p.yaml:6:");
    }

    [Theory]
    [InlineData("{ for: 1s }", "")]
    [InlineData("{ probe: bus.health, check: result.healthy, for: 5s }", "")]
    [InlineData("{ probe: bus.violations, with: { subject: \"${incident.subject}\" }, check: result.count == 0 }", "")]
    [InlineData("{ probe: bus.violations, with: { sbject: x }, check: result.count == 0 }", "subject")]
    [InlineData("{ probe: bus.helth, check: result.healthy }", "bus.health")]
    [InlineData("{ probe: bus.health, check: result.helthy }", "healthy")]
    [InlineData("{ probe: bus.health }", "check")]
    [InlineData("{ check: result.healthy }", "probe")]
    [InlineData("{}", "for, or probe and check")]
    public void A_wait_is_checked_like_a_verification(string with, string error)
    {
        var errors = Errors($"{{ id: pause, action: wait, with: {with} }}");
        if (error.Length == 0) errors.Should().BeEmpty();
        else errors.Should().NotBeEmpty().And.Contain(x => x.Contains(error));
    }

    [Fact]
    public void A_secret_stands_in_a_header_and_nowhere_else()
    {
        var options = new GuardianOptions();
        options.Secrets["token"] = new SecretOptions { FromEnvironment = "TOKEN" };
        IReadOnlyList<string> With(string with) => [.. PlaybookLoader.Load([("p.yaml", $$"""
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: p, version: 1 }
            trigger: [ { event: message_bus.acl_violation.spam_attack } ]
            steps:
              - { id: call, action: http.call, with: { url: "https://x.example.org/", {{with}} } }
            """)], GuardianVocabulary.Of(options)).Errors.Select(x => x.Message)];
        With("""headers: { Authorization: "Bearer ${secrets.token}", X-Team: security }""").Should().BeEmpty();
        With("""headers: { authorization: "Bearer abcdefgh" }""").Should().ContainSingle().Which.Should().Contain("'authorization' carries a credential");
        With("""body: "${secrets.token}" """).Should().ContainSingle().Which.Should().Contain("declares secret");
        With("method: post").Should().ContainSingle().Which.Should().Contain("GET, POST");
    }

    private sealed class Flaky : GuardianProbe<Flaky.Input, Flaky.Result>
    {
        public sealed record Input(int From);

        public sealed record Result(int Count);

        public int Asked { get; private set; }
        public override string Name => "flaky";
        public override Task<Result> MeasureAsync(Input input, CancellationToken cancellation) =>
            ++Asked == 1 ? throw new ActionFailedException("not yet") : Task.FromResult(new Result(input.From - Asked));
    }

    [Fact]
    public async Task A_wait_ends_when_its_check_holds_and_fails_when_it_never_does()
    {
        var probe = new Flaky();
        var dependencies = Dependencies with { Probes = new ProbeTable() };
        var wait = new Wait(dependencies);
        dependencies.Probes.Use(new GuardianRegistry([], [wait], [probe]));
        var binding = ActionBinding.Of(wait);
        Task<JsonElement> WaitAsync(string input) => binding.ExecuteAsync(JsonElement.Parse(input), Run, CancellationToken.None);

        (await WaitAsync("""{ "probe": "flaky", "with": { "from": 4 }, "check": "result.count == 0", "every": "50ms" }""")).GetProperty("measured").GetInt32().Should().Be(4);
        (await FluentActions.Awaiting(() => WaitAsync("""{ "probe": "flaky", "with": { "from": 0 }, "check": "result.count == 0", "every": "50ms", "for": "200ms" }"""))
            .Should().ThrowAsync<ActionFailedException>()).WithMessage("*did not hold within 200ms*result.count*");
        (await WaitAsync("""{ "for": "10ms" }""")).GetProperty("measured").GetInt32().Should().Be(0);
    }
}
