using CsCheck;
using Guardian.Actors.Guards;
using Guardian.Playbooks.Model;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Guards;

public sealed class GuardBookTests
{
    private static readonly DateTimeOffset Origin = RunFixture.Origin;

    /// <summary>A guard with a clock that is moved by hand; restarts read the journal.</summary>
    private sealed class Bench
    {
        private readonly List<GuardEvent> _journal = [];
        private GuardBook _book = new(TimeSpan.Zero);

        public TimeSpan Tick { get; set; }

        public DateTimeOffset Now => Origin + Tick;

        public GuardState State => _book.State;

        public GuardAnswer Ask(string run, long epoch = 1, bool exclusive = false, GuardQuota? quota = null, GuardBreaker? breaker = null) => (GuardAnswer)Write(_book.Ask(new AskGuard
        {
            Guard = "g", RunId = run, Epoch = epoch, Playbook = "p", Exclusive = exclusive, Quotas = quota is null ? [] : [quota], Breaker = breaker,
        }, Now, Tick));

        public TargetsAnswer Reserve(string run, string step, string[] principals, int? limit, TimeSpan? length = null) => (TargetsAnswer)Write(_book.Reserve(new ReserveTargets
        {
            RunId = run, Epoch = 1, StepId = step, Principals = principals, Kernels = [], PrincipalLimit = limit, For = length,
        }, Now, Tick));

        public void Settle(string run, string step, string[] principals, DateTimeOffset until) => Write(_book.Reserve(new ReserveTargets
        {
            RunId = run, Epoch = 1, StepId = step, Principals = principals, Kernels = [], Until = until,
        }, Now, Tick));

        public int Events => _journal.Count;

        public void Release(string run, bool failed = false, GuardBreaker? breaker = null, params string[] keeps) =>
            Write(_book.Release(new ReleaseGuard { Guard = "g", RunId = run, Epoch = 9, Failed = failed, Breaker = breaker, Keeps = keeps }, Now));

        public BreakerAnswer Reset() => (BreakerAnswer)Write(_book.Reset(new ResetBreaker { Playbook = "p", By = "ann" }, Now));

        public void Sweep() => Write(new GuardDecision(_book.Sweep(Now, Tick), this));

        public void Restart()
        {
            _book = new GuardBook(Tick);
            foreach (var e in _journal) _book.Apply(e, Tick);
        }

        private object Write(GuardDecision decision)
        {
            foreach (var e in decision.Events)
            {
                _journal.Add(e);
                _book.Apply(e, Tick);
            }

            return decision.Answer;
        }
    }

    [Fact]
    public void What_a_run_without_a_lease_reserved_is_given_back_too()
    {
        var guard = new Bench();
        guard.Reserve("contains", "ban", ["a"], 1, TimeSpan.FromMinutes(10)).Granted.Should().BeTrue();
        guard.Reserve("other", "ban", ["b"], 1).Granted.Should().BeFalse();
        guard.Release("contains", keeps: ["ban"]);
        guard.Reserve("other", "ban", ["b"], 1).Granted.Should().BeFalse("the ban holds until its lease ends");
        guard.Release("contains");
        guard.Reserve("other", "ban", ["b"], 1).Granted.Should().BeTrue("it was undone");
    }

    [Fact]
    public void A_lock_is_held_by_one_run_and_falls_to_the_next_when_it_is_released_or_not_renewed()
    {
        var guard = new Bench();
        guard.Ask("a", exclusive: true).Granted.Should().BeTrue();
        guard.Ask("b", exclusive: true).Should().Match<GuardAnswer>(x => !x.Granted && x.Reason!.Contains("held by run a of p"));
        guard.Ask("a", exclusive: true).Granted.Should().BeTrue("it is the same run");
        guard.Release("a");
        guard.Ask("b", exclusive: true).Granted.Should().BeTrue();
        guard.Ask("a", exclusive: true).Reason.Should().Be("run a is over");
        guard.Tick += GuardBook.LeaseLength - TimeSpan.FromSeconds(1);
        guard.Ask("c", exclusive: true).Granted.Should().BeFalse();
        guard.Tick += TimeSpan.FromSeconds(1);
        guard.Ask("c", exclusive: true).Granted.Should().BeTrue("b did not renew");
        guard.Ask("b", exclusive: true).Granted.Should().BeFalse("it came too late");
    }

    [Fact]
    public void After_a_restart_of_the_guard_a_run_has_time_to_renew()
    {
        var guard = new Bench();
        guard.Ask("a", exclusive: true);
        guard.Tick += TimeSpan.FromHours(1);
        guard.Restart();
        guard.Ask("b", exclusive: true).Granted.Should().BeFalse();
        guard.Ask("a", epoch: 2, exclusive: true).Granted.Should().BeTrue();
        guard.Ask("a", epoch: 1, exclusive: true).Reason.Should().Contain("epoch 1 of a is over");
    }

    [Fact]
    public void A_quota_counts_each_run_once_and_then_leaves_containment()
    {
        var guard = new Bench();
        var quota = new GuardQuota(2, TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++) guard.Ask("a", quota: quota).ContainmentOnly.Should().BeFalse();
        guard.Ask("b", quota: quota).ContainmentOnly.Should().BeFalse();
        var third = guard.Ask("c", quota: quota);
        (third.Granted, third.ContainmentOnly, third.Reason).Should().Be((true, true, "2 runs within 1h use up the quota of 2 of g"));
        guard.Restart();
        guard.Ask("c", quota: quota).ContainmentOnly.Should().BeTrue("its answer stands");
        guard.Tick += TimeSpan.FromHours(1);
        guard.Ask("d", quota: quota).ContainmentOnly.Should().BeFalse();
    }

    [Fact]
    public void The_breaker_opens_after_so_many_escalations_and_only_an_operator_closes_it()
    {
        var guard = new Bench();
        var breaker = new GuardBreaker(2, TimeSpan.FromHours(1));
        guard.Ask("a", breaker: breaker);
        guard.Release("a", failed: true, breaker);
        guard.Release("a", failed: true, breaker);
        guard.Ask("b", breaker: breaker).ContainmentOnly.Should().BeFalse("one run failed, told twice");
        guard.Release("b", failed: true, breaker);
        guard.Tick += TimeSpan.FromDays(3);
        guard.Restart();
        guard.Ask("c", breaker: breaker).Should().Match<GuardAnswer>(x => x.ContainmentOnly && x.Reason!.Contains("circuit breaker of p open since"));
        guard.Release("c", failed: true, breaker);
        guard.Reset().Done.Should().BeTrue();
        guard.Ask("d", breaker: breaker).ContainmentOnly.Should().BeFalse();
        guard.Reset().Should().Be(new BreakerAnswer(false, "the circuit breaker of p is closed"));
    }

    [Fact]
    public void The_blast_radius_counts_what_is_held_now_each_target_once()
    {
        var guard = new Bench();
        guard.Ask("a");
        guard.Ask("b");
        guard.Reserve("a", "s", ["x"], 2).Granted.Should().BeTrue();
        guard.Reserve("a", "s", ["x"], 2).Granted.Should().BeTrue("the same step");
        guard.Reserve("b", "s", ["x", "y"], 2, TimeSpan.FromMinutes(10)).Granted.Should().BeTrue("x is held already");
        guard.Reserve("b", "t", ["z"], 2).Should().Match<TargetsAnswer>(x => !x.Granted && x.Reason == "blast radius: runs hold 2 principals, 1 more would pass the 2 that may be held at once");
        guard.Release("a");
        guard.Release("b", false, null, "s");
        guard.Ask("c");
        guard.Reserve("c", "s", ["z"], 2).Granted.Should().BeFalse("b's bans outlive b");
        guard.Tick += TimeSpan.FromMinutes(10);
        guard.Reserve("c", "s", ["z"], 2).Granted.Should().BeTrue();
    }

    [Fact]
    public void A_ban_that_lasts_longer_than_was_asked_for_is_counted_until_it_ends()
    {
        var guard = new Bench();
        guard.Ask("a");
        guard.Ask("b");
        guard.Reserve("a", "ban", ["x"], 1, TimeSpan.FromMinutes(10)).Granted.Should().BeTrue();
        var end = guard.Now.AddMinutes(40);
        guard.Settle("a", "ban", ["x"], end);
        var events = guard.Events;
        guard.Settle("a", "ban", ["x"], end);
        guard.Events.Should().Be(events, "it is known");
        guard.Tick += TimeSpan.FromMinutes(10);
        guard.Reserve("b", "ban", ["y"], 1).Granted.Should().BeFalse("a's ban was doubled twice");
        guard.Release("a", keeps: ["ban"]);
        guard.Restart();
        guard.Tick += TimeSpan.FromMinutes(29);
        guard.Reserve("b", "ban", ["y"], 1).Granted.Should().BeFalse("it outlives its run");
        guard.Tick += TimeSpan.FromMinutes(1);
        guard.Reserve("b", "ban", ["y"], 1).Granted.Should().BeTrue();
    }

    [Fact]
    public void What_is_said_of_an_effect_late_brings_nothing_back()
    {
        var guard = new Bench();
        guard.Ask("a");
        guard.Reserve("a", "ban", ["x"], 1, TimeSpan.FromMinutes(10));
        guard.Settle("a", "ban", ["x"], guard.Now.AddMinutes(5));
        guard.Tick += TimeSpan.FromMinutes(5);
        guard.Ask("b");
        guard.Reserve("b", "ban", ["y"], 1).Granted.Should().BeTrue("a's ban ended early");
        guard.Release("a");
        guard.Release("b");
        guard.Settle("b", "ban", ["y"], guard.Now.AddMinutes(40));
        guard.Ask("c");
        guard.Reserve("c", "ban", ["z"], 1).Granted.Should().BeTrue("b was undone and is over");
    }

    [Theory]
    [InlineData("50%", 5, 2)]
    [InlineData("50%", 1, 1)]
    [InlineData("10%", 9, 1)]
    [InlineData("100%", 7, 7)]
    [InlineData("33.4%", 3, 1)]
    [InlineData("50%", 0, 1)]
    public void A_share_of_kernels_is_rounded_down_to_at_least_one(string share, int declared, int limit) =>
        new BlastRadius(Percentage.Parse(share), null).KernelLimit(declared).Should().Be(limit);

    /// <summary>Whatever is asked, released, lost and restarted: never two holders, never more than the limit.</summary>
    [Fact]
    public void A_lock_has_one_holder_and_the_limit_holds_in_every_history()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[0, 200]).Array[1, 60].Sample(acts =>
        {
            var guard = new Bench();
            var holds = new Dictionary<string, TimeSpan>();
            foreach (var (act, who, seconds) in acts)
            {
                var run = $"r{who}";
                switch (act)
                {
                    case 0 or 1:
                        var answer = guard.Ask(run, exclusive: true);
                        if (answer.Granted)
                        {
                            holds.Where(x => x.Key != run && guard.Tick - x.Value < GuardBook.LeaseLength).Should().BeEmpty();
                            holds[run] = guard.Tick;
                        }

                        break;
                    case 2: guard.Release(run); holds.Remove(run); break;
                    case 3: guard.Tick += TimeSpan.FromSeconds(seconds); break;
                    case 4: guard.Restart(); break;
                    case 5: guard.Reserve(run, $"s{seconds % 3}", [$"p{seconds}"], 2); break;
                }

                guard.Sweep();
                guard.State.Leases.Count.Should().BeLessThanOrEqualTo(1);
            }
        }, iter: 2_000);
    }
}
