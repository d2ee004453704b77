using Akka.Actor;
using Akka.DistributedData;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Silencing;
using Guardian.Tests.Blacklisting;

namespace Guardian.Tests.Silencing;

public sealed class SilenceReplicaTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _data = Directory.CreateTempSubdirectory("guardian-silence-").FullName;
    private readonly IActorRef _replicator;

    public SilenceReplicaTests() : base(ClusterHocon.Of())
    {
        var cluster = Akka.Cluster.Cluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        _replicator = DistributedData.Get(Sys).Replicator;
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        Directory.Delete(_data, true);
    }

    private (IActorRef Actor, SilenceView View) Start(string folder, IActorRef? replicator = null)
    {
        var view = new SilenceView(TimeProvider.System);
        Directory.CreateDirectory(Path.Combine(_data, folder));
        return (Sys.ActorOf(SilenceReplica.Props(replicator ?? _replicator, view, Path.Combine(_data, folder), TimeProvider.System)), view);
    }

    private static AddSilence Add(string key = "acl/*", SilenceAction action = SilenceAction.Hold) =>
        new(new SilenceMatch { Key = key }, DateTimeOffset.UtcNow.AddMinutes(10), "deploy", action, "ann");

    private static async Task<Silence> AddAsync(IActorRef actor, AddSilence add) => (await actor.Ask<SilenceAnswer>(add, Patience)).Silence!;

    [Fact]
    public async Task Silences_of_two_nodes_reach_both_and_an_end_reaches_both()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(ModeChanged));
        var (a, b) = (Start("a"), Start("b"));
        var (first, second) = (await AddAsync(a.Actor, Add()), await AddAsync(b.Actor, Add("kernel/*", SilenceAction.Mute)));
        await ExpectMsgAsync<ModeChanged>(Patience);
        foreach (var view in new[] { a.View, b.View })
        {
            await AwaitAssertAsync(() => view.Active.Select(x => x.Id).Should().BeEquivalentTo(first.Id, second.Id), Patience);
            view.Held(null, "acl/principal/rogue", null).Should().Contain(first.Id);
            view.Muted(null, "kernel/n/x", null).Should().Contain(second.Id);
        }

        (await b.Actor.Ask<SilenceAnswer>(new RemoveSilence(first.Id, "bob"), Patience)).Refusal.Should().BeNull();
        await AwaitAssertAsync(() => a.View.Held(null, "acl/principal/rogue", null).Should().BeNull(), Patience);
        a.View.Active.Should().ContainSingle();

        var late = Start("c");
        await AwaitAssertAsync(() => late.View.Active.Select(x => x.Id).Should().Equal(second.Id), Patience);
    }

    [Fact]
    public async Task They_survive_a_restart_without_the_cluster_and_what_cannot_be_read_holds()
    {
        var nobody = CreateTestProbe();
        var first = Start("a", nobody);
        var silence = await AddAsync(first.Actor, Add());
        await first.Actor.GracefulStop(Patience);
        var again = Start("a", nobody);
        await AwaitAssertAsync(() => again.View.Active.Select(x => x.Id).Should().Equal(silence.Id), Patience);

        await again.Actor.GracefulStop(Patience);
        await File.WriteAllTextAsync(Path.Combine(_data, "a", "silences.json"), "{ broken");
        var broken = Start("a", nobody);
        await AwaitAssertAsync(() => broken.View.Held("t", "anything", null).Should().Contain("silences.json"), Patience);
        await AddAsync(broken.Actor, Add());
        broken.View.Held("t", "anything", null).Should().BeNull();
    }
}
