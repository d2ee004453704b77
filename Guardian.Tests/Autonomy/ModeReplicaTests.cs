using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Autonomy;
using Guardian.Playbooks.Model;
using Guardian.Tests.Blacklisting;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Autonomy;

public sealed class ModeReplicaTests : TestKit
{
    private readonly string _data = Directory.CreateTempSubdirectory("guardian-mode-").FullName;
    private readonly IActorRef _replicator;

    public ModeReplicaTests() : base(ClusterHocon.Of())
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

    private static ModeView View() => new(OperatingMode.Enforce, _ => OperatingMode.Enforce);

    private IActorRef Start(ModeView view, string? data = null, IActorRef? replicator = null) =>
        Sys.ActorOf(ModeReplica.Props(replicator ?? _replicator, view, data ?? _data, TimeProvider.System));

    private static SetMode Hold(bool hold) => new() { Hold = hold, Reason = "maintenance", By = "ann" };

    [Fact]
    public async Task A_hold_reaches_the_other_nodes_and_a_resume_ends_it()
    {
        var (a, b) = (View(), View());
        var first = Start(a);
        Start(b, Path.Combine(_data, "missing"));
        Sys.EventStream.Subscribe(TestActor, typeof(ModeChanged));
        (await first.Ask<ModeStatus>(Hold(true), TimeSpan.FromSeconds(10))).Held.Should().BeTrue();
        a.MayAct(RiskClass.Contain).Should().BeFalse();
        await AwaitConditionAsync(() => Task.FromResult(b.Held is not null), TimeSpan.FromSeconds(10));
        ExpectMsg<ModeChanged>();
        await first.Ask<ModeStatus>(Hold(false), TimeSpan.FromSeconds(10));
        await AwaitConditionAsync(() => Task.FromResult(b.Held is null && b.MayAct(RiskClass.Contain)), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_hold_survives_a_restart_without_the_cluster()
    {
        var nobody = CreateTestProbe();
        var first = Start(View(), replicator: nobody);
        await first.Ask<ModeStatus>(Hold(true), TimeSpan.FromSeconds(10));
        await first.GracefulStop(TimeSpan.FromSeconds(10));
        var view = View();
        var status = await Start(view, replicator: nobody).Ask<ModeStatus>(GetMode.Instance, TimeSpan.FromSeconds(10));
        (status.Held, status.By, view.Held).Should().Be((true, "ann", "maintenance (ann)"));
    }

    [Fact]
    public async Task What_cannot_be_read_holds_until_an_operator_speaks()
    {
        await File.WriteAllTextAsync(Path.Combine(_data, "mode.json"), "{ broken");
        var view = View();
        var replica = Start(view, replicator: CreateTestProbe());
        (await replica.Ask<ModeStatus>(GetMode.Instance, TimeSpan.FromSeconds(10))).Held.Should().BeTrue();
        (await replica.Ask<ModeStatus>(Hold(false), TimeSpan.FromSeconds(10))).Held.Should().BeFalse();
    }

    [Fact]
    public async Task The_file_HOLD_holds_this_node()
    {
        var view = View();
        Start(view, replicator: CreateTestProbe());
        await File.WriteAllTextAsync(Path.Combine(_data, "HOLD"), "");
        await AwaitConditionAsync(() => Task.FromResult(view.Held is not null), TimeSpan.FromSeconds(10));
        File.Delete(Path.Combine(_data, "HOLD"));
        await AwaitConditionAsync(() => Task.FromResult(view.Held is null), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Words_lapse_by_themselves_and_the_newest_wins()
    {
        var time = new FakeTimeProvider();
        var state = new ModeState(time);
        state.Take(state.Next(new SetMode { Mode = OperatingMode.Observe, For = TimeSpan.FromMinutes(5), Reason = "r", By = "ann" })).Should().BeTrue();
        state.Take(state.Next(Hold(true) with { For = TimeSpan.FromMinutes(1) })).Should().BeTrue();
        (state.Mode, state.Held is not null).Should().Be((OperatingMode.Observe, true));
        time.Advance(TimeSpan.FromMinutes(1));
        (state.Mode, state.Held).Should().Be((OperatingMode.Observe, null));
        var old = state.Word! with { Hold = true, HoldUntil = null, At = state.Word!.At.AddSeconds(-1) };
        state.Take(old).Should().BeFalse();
        time.Advance(TimeSpan.FromMinutes(4));
        state.Mode.Should().Be(OperatingMode.Enforce);
    }
}
