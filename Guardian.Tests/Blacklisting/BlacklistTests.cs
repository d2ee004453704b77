using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Blacklisting;

/// <summary>The node's Blacklist, with a probe or the real authority behind it.</summary>
public class BlacklistTests : TestKit
{
    private readonly BlacklistOptions _options = new() { AllowList = [new() { Principal = "friend" }] };
    private readonly BanView _view = new(TimeProvider.System);
    private readonly IActorRef _replicator;

    public BlacklistTests() : base(ClusterHocon.Of())
    {
        var cluster = Akka.Cluster.Cluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        _replicator = DistributedData.Get(Sys).Replicator;
    }

    private static bool IsProtected(string principal) => principal == "guardian";

    private IActorRef Start(IActorRef authority, BanView? view = null) =>
        Sys.ActorOf(Blacklist.Props(new(_replicator, authority, view ?? _view, IsProtected, TimeProvider.System), _options));

    private IActorRef Authority() => Sys.ActorOf(BlacklistAuthority.Props(_replicator, _options, IsProtected, TimeProvider.System));

    private static BanPrincipal Ban(string key, string principal = "rogue", bool byOperator = false) =>
        new() { Key = key, Principal = principal, For = TimeSpan.FromMinutes(10), Reason = "r", Owner = byOperator ? "operator/ann" : "run-1", ByOperator = byOperator };

    private static LiftBan Lift(string key) => new() { Key = key, Principal = "rogue", Owner = "operator/ann", ByOperator = true };

    private bool IsBanned(string principal, BanView? view = null) => (view ?? _view).TryGet(principal, out _);

    [Fact]
    public void A_provisional_ban_holds_at_once_and_lapses_by_itself()
    {
        var blacklist = Start(CreateTestProbe());
        blacklist.Tell(new ProvisionalBan("guardian", TimeSpan.FromMinutes(1), "k", "r"));
        blacklist.Tell(new ProvisionalBan("friend", TimeSpan.FromMinutes(1), "k", "r"));
        blacklist.Tell(new ProvisionalBan("brief", TimeSpan.FromMilliseconds(1), "k", "r"));
        blacklist.Tell(new ProvisionalBan("rogue", TimeSpan.FromMinutes(1), "acl/principal/rogue", "r"));
        AwaitCondition(() => IsBanned("rogue"));
        AwaitCondition(() => !IsBanned("brief"));
        (IsBanned("guardian"), IsBanned("friend")).Should().Be((false, false));
        blacklist.Tell(new GetBans(), TestActor);
        ExpectMsg<BanList>().Bans.Should().ContainSingle().Which.Owner.Should().Be("monitor/acl/principal/rogue");
    }

    [Fact]
    public void A_command_is_repeated_until_the_authority_answers_and_then_holds_at_once()
    {
        var authority = CreateTestProbe();
        var blacklist = Start(authority);
        blacklist.Tell(Ban("k"), TestActor);
        authority.FishForMessage(x => x is BanPrincipal);
        authority.FishForMessage(x => x is BanPrincipal);
        IsBanned("rogue").Should().BeFalse();
        blacklist.Tell(new BanResult { Key = "k", Done = true, Until = DateTimeOffset.UtcNow.AddMinutes(10), Offences = 1 });
        ExpectMsg<BanResult>().Done.Should().BeTrue();
        IsBanned("rogue").Should().BeTrue();
    }

    [Fact]
    public void Without_the_authority_a_playbook_is_refused_and_an_operator_wins_here()
    {
        var authority = CreateTestProbe();
        var blacklist = Start(authority);
        blacklist.Tell(Ban("k"), TestActor);
        blacklist.Tell(new ProvisionalBan("rogue", TimeSpan.FromMinutes(1), "k", "r"));
        Sys.EventStream.Subscribe(TestActor, typeof(PrincipalCleared));
        blacklist.Tell(Ban("o", "other", byOperator: true), CreateTestProbe());
        blacklist.Tell(Lift("l"), CreateTestProbe());
        FishForMessage(x => x is PrincipalCleared { Principal: "rogue", ExemptUntil: not null });
        (IsBanned("rogue"), IsBanned("other")).Should().Be((false, true));
        blacklist.Tell(new ProvisionalBan("rogue", TimeSpan.FromMinutes(1), "k", "r"));
        FishForMessage(x => x is BanResult { Key: "k", Done: false, Refusal: "unavailable" }, TimeSpan.FromSeconds(15));
        IsBanned("rogue").Should().BeFalse("the exempt are not banned");
        authority.FishForMessage(x => x is LiftBan, TimeSpan.FromSeconds(15));
        blacklist.Tell(Ban("p", "guardian", byOperator: true), TestActor);
        FishForMessage(x => x is BanResult { Key: "p", Refusal: "protected" });
    }

    [Fact]
    public void What_an_operator_asks_for_says_when_it_was_given_however_late_it_arrives()
    {
        var authority = CreateTestProbe();
        var blacklist = Start(authority);
        var before = DateTimeOffset.UtcNow;
        blacklist.Tell(Ban("o", byOperator: true), CreateTestProbe());
        blacklist.Tell(Ban("k", "other"), CreateTestProbe());
        var given = First<BanPrincipal>(x => x.Key == "o").GivenAt;
        given.Should().BeOnOrAfter(before).And.BeOnOrBefore(DateTimeOffset.UtcNow);
        First<BanPrincipal>(x => x.Key == "o").GivenAt.Should().Be(given, "a repeat is the same word");
        First<BanPrincipal>(x => x.Key == "k").GivenAt.Should().BeNull("a run waits for its answer");
        blacklist.Tell(Lift("l"), CreateTestProbe());
        First<LiftBan>(x => x.Key == "l").GivenAt.Should().BeOnOrAfter(given!.Value);
        AwaitCondition(() => !IsBanned("rogue"));

        T First<T>(Predicate<T> wanted) => (T)authority.FishForMessage(x => x is T y && wanted(y), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task An_operators_ban_that_a_newer_word_beat_ends_here_at_once()
    {
        var blacklist = Start(CreateTestProbe());
        blacklist.Tell(Ban("o", byOperator: true), TestActor);
        AwaitCondition(() => IsBanned("rogue"));
        blacklist.Tell(new BanResult { Key = "o", Done = false, Refusal = "superseded" });
        (await ExpectMsgAsync<BanResult>()).Refusal.Should().Be("superseded");
        IsBanned("rogue").Should().BeFalse();
    }

    [Fact]
    public void A_lift_takes_back_the_owners_bans_that_wait_for_the_authority()
    {
        var authority = CreateTestProbe();
        var blacklist = Start(authority);
        blacklist.Tell(Ban("run-1/ban"), TestActor);
        blacklist.Tell(Ban("run-2/ban") with { Owner = "run-2" }, CreateTestProbe());
        authority.FishForMessage(x => x is BanPrincipal { Key: "run-1/ban" });
        blacklist.Tell(new LiftBan { Key = "run-1/ban/undo", Principal = "rogue", Owner = "run-1", Cancels = "run-1/ban" }, CreateTestProbe());
        ExpectMsg<BanResult>().Should().Match<BanResult>(x => x.Key == "run-1/ban" && !x.Done && x.Refusal == "lifted" && !x.Open);
        authority.FishForMessage(x => x is LiftBan { Cancels: "run-1/ban" });
        List<string> repeated = [];
        for (var lifts = 0; lifts < 3;)
        {
            var key = authority.ReceiveOne(TimeSpan.FromSeconds(15)) switch { LiftBan x => x.Key, BanPrincipal x => x.Key, _ => "" };
            repeated.Add(key);
            if (key == "run-1/ban/undo") lifts++;
        }

        repeated.Should().NotContain("run-1/ban").And.Contain("run-2/ban", "another owner's ban goes on");
    }

    [Fact]
    public void What_was_sent_on_without_an_answer_is_left_open()
    {
        var blacklist = Start(CreateTestProbe());
        blacklist.Tell(Ban("k"), TestActor);
        blacklist.Tell(new LiftBan { Key = "l", Principal = "other", Owner = "run-1" }, TestActor);
        ExpectMsg<BanResult>(TimeSpan.FromSeconds(15)).Should().Match<BanResult>(x => !x.Done && x.Refusal == "unavailable" && x.Open);
        ExpectMsg<BanResult>(TimeSpan.FromSeconds(15)).Should().Match<BanResult>(x => !x.Done && x.Refusal == "unavailable" && x.Open);
    }

    [Fact]
    public async Task A_ban_is_persistent_reaches_the_replica_and_survives_a_restart_of_all()
    {
        var authority = Authority();
        var blacklist = Start(authority);
        (await blacklist.Ask<BlacklistReady>(AwaitBlacklist.Instance, TimeSpan.FromSeconds(20))).Synced.Should().BeTrue();
        (await blacklist.Ask<BanResult>(Ban("k"), TimeSpan.FromSeconds(10))).Offences.Should().Be(1);
        var other = new BanView(TimeProvider.System);
        Start(CreateTestProbe(), other); // sees DistributedData alone
        await AwaitConditionAsync(() => Task.FromResult(IsBanned("rogue", other)), TimeSpan.FromSeconds(10));

        await authority.GracefulStop(TimeSpan.FromSeconds(10));
        var empty = new LWWRegister<BanBucket>(Akka.Cluster.Cluster.Get(Sys).SelfUniqueAddress, BanBucket.Empty);
        _replicator.Tell(Dsl.Update(BanBuckets.Key(BanBuckets.Of("rogue")), empty, WriteLocal.Instance, x => x.WithValue(Akka.Cluster.Cluster.Get(Sys).SelfUniqueAddress, BanBucket.Empty)));
        await AwaitConditionAsync(() => Task.FromResult(!IsBanned("rogue", other)), TimeSpan.FromSeconds(10));
        var view = new BanView(TimeProvider.System);
        var second = Start(Authority(), view);
        (await second.Ask<BlacklistReady>(AwaitBlacklist.Instance, TimeSpan.FromSeconds(20))).Synced.Should().BeTrue();
        await AwaitConditionAsync(() => Task.FromResult(IsBanned("rogue", view) && IsBanned("rogue", other)), TimeSpan.FromSeconds(10));

        (await second.Ask<BanResult>(Lift("l"), TimeSpan.FromSeconds(10))).Until.Should().BeNull();
        IsBanned("rogue", view).Should().BeFalse();
        await AwaitConditionAsync(() => Task.FromResult(!IsBanned("rogue", other)), TimeSpan.FromSeconds(10));
        (await second.Ask<BanResult>(Ban("k3"), TimeSpan.FromSeconds(10))).Refusal.Should().Be("exempt");
    }

    [Fact]
    public void Buckets_are_the_same_everywhere_and_evenly_filled()
    {
        (BanBuckets.Of("rogue"), BanBuckets.Of("librarian")).Should().Be((BanBuckets.Of("rogue"), BanBuckets.Of("librarian")));
        var fill = Enumerable.Range(0, 51_200).GroupBy(i => BanBuckets.Of($"principal-{i}")).Select(x => x.Count()).ToList();
        (fill.Count, fill.Max() < 200).Should().Be((512, true));
    }
}
