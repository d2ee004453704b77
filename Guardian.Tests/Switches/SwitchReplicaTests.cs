using Akka.Actor;
using Akka.DistributedData;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Switches;
using Guardian.Tests.Blacklisting;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Switches;

public sealed class SwitchReplicaTests : TestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _data = Directory.CreateTempSubdirectory("guardian-switches-").FullName;
    private readonly IActorRef _replicator;

    public SwitchReplicaTests() : base(ClusterHocon.Of())
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

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_data, name)).FullName;

    private IActorRef Start(SwitchView view, string folder, IActorRef? replicator = null, TimeProvider? time = null) =>
        Sys.ActorOf(SwitchReplica.Props(replicator ?? _replicator, view, folder, time ?? TimeProvider.System));

    private static SetSwitch Set(string playbook, bool enabled) => new() { Playbook = playbook, Enabled = enabled, By = "ann", Reason = "too eager" };

    [Fact]
    public async Task What_one_node_disables_the_others_disable_and_words_on_other_playbooks_stay()
    {
        var (a, b) = (new SwitchView(), new SwitchView());
        var first = Start(a, Folder("a"));
        var second = Start(b, Folder("b"));
        (await first.Ask<SwitchAnswer>(Set("fix", false), Patience)).Unkept.Should().BeNull();
        (await second.Ask<SwitchAnswer>(Set("other", false), Patience)).Unkept.Should().BeNull();

        await AwaitAssertAsync(() =>
        {
            foreach (var view in (SwitchView[])[a, b]) (view.IsEnabled("fix"), view.IsEnabled("other"), view.IsEnabled("third")).Should().Be((false, false, true));
        }, Patience);
        await second.Ask<SwitchAnswer>(Set("fix", true), Patience);
        await AwaitAssertAsync(() => (a.IsEnabled("fix"), a.IsEnabled("other")).Should().Be((true, false)), Patience);
        a.Of("fix")!.By.Should().Be("ann");
    }

    [Fact]
    public async Task A_word_survives_a_restart_without_the_cluster()
    {
        var nobody = CreateTestProbe();
        var first = Start(new SwitchView(), _data, nobody);
        await first.Ask<SwitchAnswer>(Set("fix", false), Patience);
        await first.GracefulStop(Patience);

        var view = new SwitchView();
        Start(view, _data, nobody);

        await AwaitAssertAsync(() => view.IsEnabled("fix").Should().BeFalse(), Patience);
    }

    [Fact]
    public async Task The_newest_word_wins_also_against_what_a_restarted_node_remembers_and_a_clock_behind()
    {
        var late = Folder("late");
        var stale = Start(new SwitchView(), late, CreateTestProbe());
        await stale.Ask<SwitchAnswer>(Set("fix", false), Patience);
        await stale.GracefulStop(Patience);
        var (a, b) = (new SwitchView(), new SwitchView());
        var first = Start(a, Folder("a"));
        await first.Ask<SwitchAnswer>(Set("fix", true), Patience);

        var behind = Start(b, late, time: new FakeTimeProvider(DateTimeOffset.UtcNow - TimeSpan.FromHours(1)));
        await AwaitAssertAsync(() => b.Of("fix").Should().Match<PlaybookSwitch>(x => x != null && x.Enabled), Patience);
        await behind.Ask<SwitchAnswer>(Set("fix", false), Patience);
        await AwaitAssertAsync(() => a.IsEnabled("fix").Should().BeFalse(), Patience);
    }

    [Fact]
    public async Task A_word_that_cannot_be_kept_is_in_force_and_says_so()
    {
        var view = new SwitchView();
        var missing = Path.Combine(_data, "missing");
        var answer = await Start(view, missing).Ask<SwitchAnswer>(Set("fix", false), Patience);

        answer.Unkept.Should().Contain("cannot be written");
        view.IsEnabled("fix").Should().BeFalse();
    }
}
