using System.Text.Json;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Actions.Probes;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Notifications;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Actions;

public class BuiltInTests : TestKit
{
    private static readonly ActionContext Run = new("run-1/step", "run-1", "acl/principal/rogue", "i-1", "fix");
    private readonly TestProbe _blacklist;
    private readonly TestProbe _bus;
    private readonly TestProbe _outbox;
    private readonly GuardianRegistry _registry;

    public BuiltInTests()
    {
        (_blacklist, _bus, _outbox) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        var dependencies = new ActionDependencies
        {
            Blacklist = _blacklist, Bus = _bus, Outbox = _outbox, Time = TimeProvider.System,
            CountViolations = (subject, window, _) => Task.FromResult(subject == "rogue" ? (long)window.TotalSeconds : 0),
        };
        _registry = new GuardianRegistry([], BuiltInActions.Create(dependencies), BuiltInProbes.Create(dependencies));
    }

    [Fact]
    public void What_is_measured_of_the_cluster_is_measured_elsewhere_when_its_node_left() =>
        _registry.Vocabulary.Probes.Values.Where(x => x.Anywhere).Select(x => x.Name)
            .Should().BeEquivalentTo("blacklist.contains", "bus.health", "bus.violations", "cluster.config", "cluster.members");

    private ActionBinding Action(string name) => _registry.TryGetAction(name, out var found) ? found : throw new KeyNotFoundException(name);

    private Task<JsonElement> Execute(string name, string input) => Action(name).ExecuteAsync(JsonElement.Parse(input), Run, CancellationToken.None);

    private Task<JsonElement> Measure(string name, string input) =>
        _registry.TryGetProbe(name, out var found) ? found.MeasureAsync(JsonElement.Parse(input), CancellationToken.None) : throw new KeyNotFoundException(name);

    [Fact]
    public void The_registry_shows_names_types_and_what_is_required()
    {
        var limit = _registry.Vocabulary.Actions["bus.rate_limit"];
        limit.Inputs.Select(x => (x.Name, x.Type, x.Required)).Should().Equal(
            ("topic", FieldType.String, true), ("rate", FieldType.Rate, true), ("for", FieldType.Duration, true),
            ("denialsOnly", FieldType.Bool, false), ("principal", FieldType.String, false));
        limit.Inputs.Should().OnlyContain(x => x.Summary.Length > 0);
        limit.Risk.Should().Be(RiskClass.Contain);
        limit.HasUndo.Should().BeTrue();
        _registry.Vocabulary.Actions["bus.restart"].Risk.Should().Be(RiskClass.Disrupt);
        _registry.Vocabulary.Probes["bus.violations"].Inputs.Should().Contain(x => x.Name == "window" && !x.Required && x.Type == FieldType.Duration);
        _registry.Vocabulary.Probes["bus.health"].Results.Should().Contain(x => x.Name == "healthy" && x.Type == FieldType.Bool);
    }

    [Fact]
    public void A_name_given_twice_is_refused()
    {
        var twice = () => new GuardianRegistry([], [new SeverityAssess(), new SeverityAssess()], []);
        twice.Should().Throw<ArgumentException>().WithMessage("*severity.assess*twice*");
    }

    [Theory]
    [InlineData(0, "low", 0)]
    [InlineData(10, "medium", 4)]
    [InlineData(50, "high", 20)]
    [InlineData(200, "high", 80)]
    [InlineData(201, "critical", 80)]
    [InlineData(9_000_000_000, "critical", 100)]
    public void Severity_follows_the_scale(long violations, string severity, int score) =>
        SeverityAssess.Grade(violations).Should().Be(new SeverityAssessOutput(severity, score));

    [Fact]
    public async Task A_ban_is_a_lease_of_the_run_under_the_key()
    {
        var result = Execute("blacklist.add", """{ "principal": "rogue", "for": "10m" }""");
        var ban = await _blacklist.ExpectMsgAsync<BanPrincipal>();
        ban.Should().Match<BanPrincipal>(x => x.Key == "run-1/step" && x.Owner == "run-1" && x.For == TimeSpan.FromMinutes(10) && !x.ByOperator);
        _blacklist.Reply(new BanResult { Key = ban.Key, Done = true, Until = DateTimeOffset.UnixEpoch, Offences = 2 });
        (await result).GetProperty("offences").GetInt32().Should().Be(2);

        var undo = Action("blacklist.add").UndoAsync(JsonElement.Parse("""{ "principal": "rogue", "for": "10m" }"""), null, Run with { Key = "run-1/step/undo" }, CancellationToken.None);
        (await _blacklist.ExpectMsgAsync<LiftBan>()).Should().Match<LiftBan>(x => x.Owner == "run-1" && x.Principal == "rogue" && x.Key == "run-1/step/undo");
        _blacklist.Reply(new BanResult { Key = "run-1/step/undo", Done = true });
        await undo;
    }

    [Fact]
    public async Task What_was_lifted_is_put_back_by_its_undo()
    {
        var result = Execute("blacklist.remove", """{ "principal": "rogue" }""");
        var lift = await _blacklist.ExpectMsgAsync<LiftBan>();
        var end = DateTimeOffset.UtcNow.AddMinutes(6);
        _blacklist.Reply(new BanResult { Key = lift.Key, Done = true, Lifted = end });
        var output = await result;

        var undo = Action("blacklist.remove").UndoAsync(JsonElement.Parse("""{ "principal": "rogue" }"""), output, Run with { Key = "run-1/step/undo" }, CancellationToken.None);
        (await _blacklist.ExpectMsgAsync<BanPrincipal>()).Should().Match<BanPrincipal>(x => x.Restores && x.Owner == "run-1" && x.For > TimeSpan.FromMinutes(5) && x.For <= TimeSpan.FromMinutes(6));
        _blacklist.Reply(new BanResult { Key = "run-1/step/undo", Done = true });
        await undo;
        await Action("blacklist.remove").UndoAsync(JsonElement.Parse("""{ "principal": "rogue" }"""), null, Run, CancellationToken.None);
        await _blacklist.ExpectNoMsgAsync(TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public async Task A_refused_ban_fails_with_the_reason()
    {
        var result = Execute("blacklist.add", """{ "principal": "guardian", "for": "10m" }""");
        var ban = await _blacklist.ExpectMsgAsync<BanPrincipal>();
        _blacklist.Reply(new BanResult { Key = ban.Key, Done = false, Refusal = "protected" });
        (await result.Invoking(x => x).Should().ThrowAsync<ActionFailedException>()).WithMessage("*protected*");
    }

    [Fact]
    public async Task A_ban_and_its_undo_that_may_take_effect_yet_are_left_open()
    {
        const string input = """{ "principal": "rogue", "for": "10m" }""";
        var undo = Run with { Key = "run-1/step/undo", Cancels = "run-1/step" };
        (Func<Task> Attempt, bool Open, Type Expected)[] cases =
        [
            (() => Execute("blacklist.add", input), true, typeof(ActionUnreachableException)),
            (() => Execute("blacklist.add", input), false, typeof(ActionFailedException)),
            (() => Action("blacklist.add").UndoAsync(JsonElement.Parse(input), null, undo, CancellationToken.None), true, typeof(ActionUnreachableException)),
            (() => Execute("blacklist.remove", """{ "principal": "rogue" }"""), true, typeof(ActionUnreachableException)),
        ];
        foreach (var (attempt, open, expected) in cases)
        {
            var result = attempt();
            var key = await _blacklist.ReceiveOneAsync(TimeSpan.FromSeconds(10)) switch { BanPrincipal x => x.Key, LiftBan x => x.Key, _ => "" };
            _blacklist.Reply(new BanResult { Key = key, Done = false, Refusal = "unavailable", Open = open });
            (await result.Invoking(x => x).Should().ThrowAsync<Exception>()).Which.Should().BeOfType(expected);
        }
    }

    [Theory]
    [InlineData("blacklist.add", true)]
    [InlineData("blacklist.remove", false)]
    public async Task What_undoes_a_ban_names_the_ban_that_it_takes_back(string action, bool inverse)
    {
        var undo = ActionWork.PerformAsync(Action(action), new DispatchAction
        {
            Key = "run-1/step/undo", Epoch = 1, Attempt = 1, RunId = "run-1", IncidentKey = "acl/principal/rogue", IncidentId = "i-1", Playbook = "fix", Action = action,
            Input = JsonElement.Parse(inverse ? """{ "principal": "rogue", "for": "10m" }""" : """{ "principal": "rogue" }"""), Undo = inverse, Compensates = !inverse, Deadline = DateTimeOffset.MaxValue, Cancels = "run-1/step",
        }, _registry.Secrets, static () => null, CancellationToken.None);
        (await _blacklist.ExpectMsgAsync<LiftBan>()).Should().Match<LiftBan>(x => x.Cancels == "run-1/step" && x.Key == "run-1/step/undo");
        _blacklist.Reply(new BanResult { Key = "run-1/step/undo", Done = true });
        (await undo).Kind.Should().Be(OutcomeKind.Succeeded);
    }

    [Theory]
    [InlineData("run-1", OutcomeKind.Succeeded)]
    [InlineData("operator/ann", OutcomeKind.Unknown)]
    [InlineData(null, OutcomeKind.NotDone)]
    public async Task A_ban_is_found_again_by_its_owner(string? owner, OutcomeKind expected)
    {
        var probe = Action("blacklist.add").ProbeAsync(JsonElement.Parse("""{ "principal": "rogue", "for": "10m" }"""), Run, CancellationToken.None);
        await _blacklist.ExpectMsgAsync<GetBans>();
        _blacklist.Reply(new BanList(owner is null ? [] :
            [new BanEntry { Principal = "rogue", Owner = owner, Since = default, Until = default, Reason = "", Offences = 1 }]));
        (await probe).Kind.Should().Be(expected);
    }

    [Fact]
    public async Task A_limit_is_a_lease_of_the_run_and_is_found_again()
    {
        const string input = """{ "topic": "system.control", "rate": "10/s", "for": "5m", "denialsOnly": true }""";
        var result = Execute("bus.rate_limit", input);
        (await _bus.ExpectMsgAsync<SetBusLimit>()).Should().Match<SetBusLimit>(x => x.Owner == "run-1" && x.DenialsOnly && x.Rate.Count == 10 && x.Principal == null);
        _bus.Reply(new BusCommandResult(true));
        (await result).GetProperty("topic").GetString().Should().Be("system.control");

        var probe = Action("bus.rate_limit").ProbeAsync(JsonElement.Parse(input), Run, CancellationToken.None);
        await _bus.ExpectMsgAsync<GetBusMitigations>();
        _bus.Reply(new BusMitigations([new Mitigation { Id = "1", Target = "topic/system.control", Effect = "limit denials to 10/s", Owner = "run-1", Reason = "", Since = default, Until = default }]));
        (await probe).Kind.Should().Be(OutcomeKind.Succeeded);
    }

    [Fact]
    public async Task A_restart_that_the_bus_refuses_is_no_failure_and_says_so()
    {
        var result = Execute("bus.restart", "{}");
        await _bus.ExpectMsgAsync<RestartBus>();
        _bus.Reply(new BusCommandResult(false, "restarted 2m ago"));
        await _bus.ExpectMsgAsync<GetBusHealth>();
        _bus.Reply(new BusHealth(true, 3, 0, 0));
        var output = await result;
        output.GetProperty("restarted").GetBoolean().Should().BeFalse();
        output.GetProperty("restarts").GetInt64().Should().Be(3);
        output.GetProperty("reason").GetString().Should().Be("restarted 2m ago");
    }

    [Fact]
    public async Task A_ticket_goes_to_the_outbox_with_one_item_per_playbook_and_incident()
    {
        var result = Execute("task.create", """{ "title": "Fix it" }""");
        var deliver = await _outbox.ExpectMsgAsync<Deliver>();
        deliver.Should().Match<Deliver>(x => x.Channel == "tasks" && x.Kind == "task" && x.ItemKey == "fix/acl/principal/rogue" && x.Key == "run-1/step");
        _outbox.Reply(new OutboxAccepted { Key = deliver.Key, Accepted = true });
        await result;
    }

    [Fact]
    public async Task A_notification_is_repeated_until_the_outbox_answers_and_a_refusal_fails()
    {
        var result = Execute("notify", """{ "channel": "security", "text": "rogue\nwas banned", "severity": "high" }""");
        await _outbox.ExpectMsgAsync<Deliver>();
        var again = await _outbox.ExpectMsgAsync<Deliver>(TimeSpan.FromSeconds(20));
        again.Should().Match<Deliver>(x => x.Key == "run-1/step" && x.Title == "rogue" && x.Kind == "notification" && x.Severity == "high");
        _outbox.Reply(new OutboxAccepted { Key = again.Key, Accepted = false, Reason = "full" });
        (await result.Invoking(x => x).Should().ThrowAsync<ActionFailedException>()).WithMessage("*security*full*");
    }

    [Fact]
    public async Task Probes_measure()
    {
        (await Measure("bus.violations", """{ "subject": "rogue", "window": "5s" }""")).GetProperty("count").GetInt64().Should().Be(5);
        (await Measure("bus.violations", """{ "subject": "rogue" }""")).GetProperty("count").GetInt64().Should().Be(1);
        var contains = Measure("blacklist.contains", """{ "principal": "rogue" }""");
        await _blacklist.ExpectMsgAsync<GetBans>();
        _blacklist.Reply(new BanList([]));
        (await contains).GetProperty("banned").GetBoolean().Should().BeFalse();
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest", "link-local or metadata")]
    [InlineData("http://[fe80::1]/", "link-local or metadata")]
    [InlineData("http://[::ffff:169.254.169.254]/", "link-local or metadata")]
    [InlineData("http://example.org/", "may not be probed")]
    [InlineData("ftp://127.0.0.1/", "neither")]
    [InlineData("//example.org/", "neither")]
    [InlineData("http://u:p@127.0.0.1/", "user or password")]
    public void What_a_probe_may_not_ask(string url, string reason)
    {
        var resolve = () => HttpTarget.Resolve(url, new Uri("http://127.0.0.1:8558"), ["169.254.169.254"]);
        resolve.Should().Throw<ActionFailedException>().WithMessage($"*{reason}*");
    }

    [Fact]
    public void A_path_belongs_to_this_node() =>
        HttpTarget.Resolve("/ready", new Uri("http://127.0.0.1:8558"), []).Should().Be(new Uri("http://127.0.0.1:8558/ready"));

    [Fact]
    public async Task An_endpoint_that_is_not_there_is_no_measurement() =>
        (await FluentActions.Awaiting(() => Measure("http.get", """{ "url": "http://127.0.0.1:1/", "timeout": "10s" }""")).Should().ThrowAsync<ActionFailedException>()).WithMessage("*did not answer*");
}
