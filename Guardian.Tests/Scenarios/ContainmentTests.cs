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

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition()) await timer.WaitForNextTickAsync(deadline.Token);
    }
}
