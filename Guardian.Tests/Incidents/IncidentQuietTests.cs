using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Incidents;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Incidents;

/// <summary>Attacks that escalate: they keep nothing else out, and end by themselves.</summary>
public sealed class IncidentQuietTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestProbe _agent;
    private readonly TestProbe _monitor;
    private readonly OpenIncidents _open = new(4);
    private readonly IncidentDependencies _deps;

    public IncidentQuietTests()
        : base(IncidentActorTests.Config)
    {
        (_agent, _monitor) = (CreateTestProbe(), CreateTestProbe());
        // The blast radius that refuses, a step that fails: the run escalates at once.
        _agent.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            if (message is DispatchAction x) sender.Tell(new ActionOutcome { Key = x.Key, Epoch = x.Epoch, Attempt = x.Attempt, Kind = OutcomeKind.Failed, Reason = "refused" }, _agent.Ref);
            return AutoPilot.KeepRunning;
        }));
        var book = RunFixture.Load("steps:\n  - { id: ban, action: contain, with: { value: 1 } }");
        var catalog = new PlaybookCatalog(() => new PlaybookLoadResult([book], []));
        catalog.TryReload().Should().BeTrue();
        _deps = new IncidentDependencies(catalog, _open, new RunDependencies(TimeProvider.System, RunFixture.Vocabulary,
            new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), _ => _agent.Ref, RunDependencies.Loader(RunFixture.Vocabulary)));
    }

    private IActorRef Incident(string key, TimeSpan quietAfter) => Sys.ActorOf(IncidentActor.Props(IncidentKeys.Entity(key), _deps with { QuietAfter = quietAfter }));

    private static IncidentRaised Raised(string key, string type = RunFixture.IncidentType) => IncidentLogicTests.Raised(1, "e1", 10, type) with { Key = key };

    /// <summary>Tells of it until its run has escalated: then a new detection has a run of its own.</summary>
    private async Task Escalate(IActorRef incident, string key)
    {
        incident.Tell(Raised(key), _monitor.Ref);
        await _monitor.FishForMessageAsync<IncidentAccepted>(x => x.Key == key, Patience);
        await _agent.FishForMessageAsync<DispatchAction>(x => x.IncidentKey == key, Patience);
    }

    [Fact]
    public async Task Attacks_that_escalate_keep_no_other_incident_out_also_after_a_restart()
    {
        List<IActorRef> incidents = [];
        for (var i = 0; i < 3; i++)
        {
            incidents.Add(Incident($"acl/principal/p{i}", TimeSpan.FromHours(1)));
            await Escalate(incidents[i], $"acl/principal/p{i}");
        }

        var fourth = Incident("acl/principal/p3", TimeSpan.FromHours(1));
        fourth.Tell(Raised("acl/principal/p3"), _monitor.Ref);
        await AwaitAssertAsync(() => _open.Refused.Should().Be(1), Patience);

        foreach (var incident in incidents) (await incident.GracefulStop(Patience)).Should().BeTrue();
        for (var i = 0; i < 3; i++) Incident($"acl/principal/p{i}", TimeSpan.FromHours(1));
        await AwaitAssertAsync(() => _open.Count.Should().Be(3), Patience);
        fourth.Tell(Raised("acl/principal/p3"), _monitor.Ref);
        await AwaitAssertAsync(() => _open.Refused.Should().Be(2), Patience);
        Incident("resource/cpu/n1", TimeSpan.FromHours(1)).Tell(Raised("resource/cpu/n1", "nobody's"), _monitor.Ref);
        (await _monitor.FishForMessageAsync<IncidentAccepted>(_ => true, Patience)).Key.Should().Be("resource/cpu/n1");
    }

    [Fact]
    public async Task An_attack_that_escalated_and_is_not_seen_again_ends_by_itself_and_its_place_is_free()
    {
        List<IActorRef> incidents = [];
        for (var i = 0; i < 3; i++)
        {
            incidents.Add(Incident($"acl/principal/p{i}", TimeSpan.FromMilliseconds(500)));
            await Escalate(incidents[i], $"acl/principal/p{i}");
        }

        for (var i = 0; i < 3; i++) await _monitor.FishForMessageAsync<IncidentOver>(x => x.Episode == "e1", Patience);
        await AwaitAssertAsync(() => _open.Count.Should().Be(0), Patience);
        var fourth = Incident("acl/principal/p3", TimeSpan.FromHours(1));
        fourth.Tell(Raised("acl/principal/p3"), _monitor.Ref);
        (await _monitor.FishForMessageAsync<IncidentAccepted>(_ => true, Patience)).Key.Should().Be("acl/principal/p3");
    }
}
