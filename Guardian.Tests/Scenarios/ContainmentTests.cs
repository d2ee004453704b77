using Akka.Actor;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Persistence;

namespace Guardian.Tests.Scenarios;

/// <summary>A whole node whose playbook cannot verify what it did.</summary>
public sealed class ContainmentTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-playbooks-").FullName;

    private sealed class Owner : ReceiveActor;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_verification_that_fails_keeps_the_ban_escalates_and_the_next_violation_is_refused()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "never.yaml"), """
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: never, version: 1 }
            trigger: [ { event: message_bus.acl_violation.control_topic_flood }, { event: message_bus.acl_violation.spam_attack } ]
            guards: { cooldown: 10m, lock: "${incident.subject}", blastRadius: { principals: 100 }, circuitBreaker: { failures: 3, within: 1h } }
            steps:
              - { id: ban, if: has(incident.principal), action: blacklist.add, with: { principal: "${incident.principal}", for: 10m }, undo: auto }
              - { id: limit, action: bus.rate_limit, with: { topic: "${incident.topic}", rate: 10/s, for: 5m, denialsOnly: true }, undo: auto, undoOn: [step_failed] }
            verify:
              - { id: never, probe: blacklist.contains, with: { principal: nobody }, check: result.banned, every: 100ms, within: 500ms }
            """);
        await using var node = await TestNode.StartAsync(options => options.Files.Playbooks = _folder);
        var rogue = await node.Guardian.Bus.RegisterAsync("rogue", node.System.ActorOf(Props.Create(() => new Owner())));
        for (var i = 0; i < 20; i++) rogue.Publish("system.control", default).Accepted.Should().BeFalse();

        RunDetail? run = null;
        await UntilAsync(async () =>
        {
            var runs = await node.Guardian.Parts.ReadModel.RunsAsync(null, null, 10, null, default);
            run = runs.Count == 0 ? null : runs[0];
            return run?.State == "escalated";
        });
        run!.Steps.Where(x => x.Id is "ban" or "limit").Should().OnlyContain(x => x.State == "succeeded" && x.Undo == null, "containment outlives failure");
        run.Explain.Should().Contain(x => x.StartsWith("verify never: failed", StringComparison.Ordinal));
        await UntilAsync(async () => (await node.Guardian.Parts.ReadModel.IncidentsAsync("open", 10, null, default)).Single().State == "escalated");
        rogue.Publish("system.control", default).Outcome.Should().Be(PublishOutcome.Blacklisted);
        var ban = (await node.Guardian.Parts.Blacklist.Ask<BanList>(new GetBans("rogue"), Soon)).Bans.Single();
        ban.Owner.Should().Be(run.Id);
    }

    [Fact]
    public async Task What_a_cancelled_run_takes_back_is_its_own_alone()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "asks.yaml"), """
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: asks, version: 1 }
            trigger: [ { event: message_bus.acl_violation.control_topic_flood } ]
            steps:
              - { id: ban, if: has(incident.principal), action: blacklist.add, with: { principal: "${incident.principal}", for: 10m }, undo: auto }
              - { id: limit, action: bus.rate_limit, with: { topic: "${incident.topic}", rate: 10/s, for: 5m, denialsOnly: true }, undo: auto }
              - { id: restart, action: bus.restart, mode: propose, approval: { timeout: 4m, default: reject } }
            rollback: { on: [cancelled] }
            """);
        await using var node = await TestNode.StartAsync(options => options.Files.Playbooks = _folder);
        var parts = node.Guardian.Parts;
        var rogue = await node.Guardian.Bus.RegisterAsync("rogue", node.System.ActorOf(Props.Create(() => new Owner())));
        for (var i = 0; i < 6; i++) rogue.Publish("system.control", default).Accepted.Should().BeFalse();
        RunDetail? run = null;
        async Task<bool> Is(Func<RunDetail, bool> condition)
        {
            run = (await parts.ReadModel.RunsAsync(null, null, 10, null, default)).SingleOrDefault();
            return run is not null && condition(run);
        }

        await UntilAsync(() => Is(x => x.Steps.Any(step => step is { Id: "restart", State: "awaiting_approval" })));

        // An operator bans the same principal, another owner limits the same topic.
        (await parts.Blacklist.Ask<BanResult>(new BanPrincipal { Key = "operator/1", Principal = "rogue", For = TimeSpan.FromHours(1), Reason = "by hand", Owner = "operator/ann", ByOperator = true }, Soon)).Done.Should().BeTrue();
        (await parts.BusActor.Ask<BusCommandResult>(new SetBusLimit("system.control", null, new Guardian.Playbooks.Model.Rate(5, TimeSpan.FromSeconds(1)), true, "operator/ann", "by hand", DateTimeOffset.UtcNow.AddHours(1)), Soon)).Done.Should().BeTrue();
        var incident = (await parts.ReadModel.IncidentsAsync("open", 10, null, default)).Single();
        parts.Incidents.Tell(new Guardian.Actors.Incidents.DirectRun { Key = incident.Key, RunId = run!.Id, Verb = "cancel", By = "operator/ann", Reason = "a test" });
        await UntilAsync(() => Is(x => x.State is "cancelled" or "rolled_back"));

        run!.Steps.Where(x => x.Id is "ban" or "limit").Should().OnlyContain(x => x.State == "undone");
        (await parts.Blacklist.Ask<BanList>(new GetBans("rogue"), Soon)).Bans.Single().Owner.Should().Be("operator/ann");
        (await parts.BusActor.Ask<BusMitigations>(GetBusMitigations.Instance, Soon)).Items.Single().Owner.Should().Be("operator/ann");
        rogue.Publish("system.control", default).Outcome.Should().Be(PublishOutcome.Blacklisted);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition()) await timer.WaitForNextTickAsync(deadline.Token);
    }
}
