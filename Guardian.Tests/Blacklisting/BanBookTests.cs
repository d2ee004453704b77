using CsCheck;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Blacklisting;

public class BanBookTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly BanBook _book = New();

    private static BanBook New(BlacklistOptions? options = null) => new(options ?? new BlacklistOptions { AllowList = [new() { Principal = "friend" }] }, x => x == "guardian");

    private static BanPrincipal Ban(string key, string owner = "run-1", double minutes = 10, string principal = "rogue", bool byOperator = false) =>
        new() { Key = key, Principal = principal, For = TimeSpan.FromMinutes(minutes), Reason = "r", Owner = owner, ByOperator = byOperator };

    private static LiftBan Lift(string key, string owner = "run-1", bool byOperator = false) => new() { Key = key, Principal = "rogue", Owner = owner, ByOperator = byOperator };

    private BanResult Do(object command, DateTimeOffset at) => Do(_book, command, at);

    private static BanResult Do(BanBook book, object command, DateTimeOffset at)
    {
        var decision = command is BanPrincipal ban ? book.Decide(ban, at) : book.Decide((LiftBan)command, at);
        foreach (var fact in decision.Events) book.Apply(fact);
        return decision.Result;
    }

    [Fact]
    public void A_lease_that_is_put_back_is_what_it_was()
    {
        var (book, now) = (new BanBook(new BlacklistOptions(), _ => false), new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        BanResult Carry(BanDecision decision)
        {
            foreach (var fact in decision.Events) book.Apply(fact);
            return decision.Result;
        }

        var ban = new BanPrincipal { Key = "k", Principal = "rogue", For = TimeSpan.FromMinutes(10), Reason = "r", Owner = "run-1" };
        Carry(book.Decide(ban, now));
        Carry(book.Decide(ban with { Key = "k2", Owner = "run-2" }, now)).Offences.Should().Be(2);
        now += TimeSpan.FromMinutes(4);
        var lifted = Carry(book.Decide(new LiftBan { Key = "l", Principal = "rogue", Owner = "run-1" }, now)).Lifted;
        lifted.Should().Be(now + TimeSpan.FromMinutes(6));
        Carry(book.Decide(ban with { Key = "u", For = lifted!.Value - now, Restores = true }, now)).Offences.Should().Be(2, "it is no further offence");
        Carry(book.Decide(new LiftBan { Key = "l2", Principal = "rogue", Owner = "run-2" }, now)).Until.Should().Be(lifted, "the other lease ends when it would have ended");
    }

    [Fact]
    public void A_clock_set_forward_ends_no_ban_early()
    {
        var time = new Guardian.Tests.Mitigations.JumpingTime();
        var clock = new Guardian.Actors.Mitigations.LapseClock(time);
        var book = new BanBook(new BlacklistOptions(), _ => false);
        foreach (var fact in book.Decide(new BanPrincipal { Key = "k", Principal = "rogue", For = TimeSpan.FromMinutes(10), Reason = "r", Owner = "run-1" }, time.GetUtcNow()).Events) book.Apply(fact);
        time.Jump(TimeSpan.FromDays(1));
        time.Advance(TimeSpan.FromMinutes(9));
        book.Prune(clock.Now).Should().BeEmpty();
        book.Entry("rogue", clock.Now).Should().NotBeNull();
        time.Advance(TimeSpan.FromMinutes(1));
        book.Prune(clock.Now).Should().Equal("rogue");
    }

    [Fact]
    public void Each_further_offence_doubles_up_to_the_cap()
    {
        var at = T0;
        foreach (var minutes in new[] { 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440 })
        {
            var result = Do(Ban($"k{minutes}{at.Ticks}", $"run-{at.Ticks}"), at);
            (result.Until - at).Should().Be(TimeSpan.FromMinutes(minutes));
            at = result.Until!.Value.AddMinutes(1);
        }

        Do(Ban("later", "run-later"), at.AddDays(8)).Offences.Should().Be(1);
    }

    [Fact]
    public void The_same_key_and_the_same_owners_renewal_are_no_new_offence()
    {
        Do(Ban("k"), T0);
        var again = _book.Decide(Ban("k"), T0.AddMinutes(1));
        again.Events.Should().BeEmpty();
        (again.Result.Done, again.Result.Until, again.Result.Offences).Should().Be((true, T0.AddMinutes(10), 1));
        var renewed = Do(Ban("k2"), T0.AddMinutes(2));
        (renewed.Until, renewed.Offences).Should().Be((T0.AddMinutes(12), 1));
    }

    [Fact]
    public void Removing_one_lifts_only_the_owners()
    {
        Do(Ban("a", "run-1", 10), T0);
        Do(Ban("b", "operator/ann", 5, byOperator: true), T0);
        _book.Entry("rogue", T0)!.Owner.Should().Be("run-1");
        Do(Lift("c"), T0).Until.Should().Be(T0.AddMinutes(5));
        _book.Entry("rogue", T0)!.Owner.Should().Be("operator/ann");
        _book.Entry("rogue", T0.AddMinutes(5)).Should().BeNull();
    }

    [Fact]
    public void An_operators_lift_frees_clears_and_exempts()
    {
        Do(Ban("a", "run-1"), T0);
        Do(Ban("b", "run-2"), T0);
        Do(Lift("c", "operator/ann", byOperator: true), T0).Until.Should().BeNull();
        _book.Entry("rogue", T0).Should().BeNull();
        Do(Ban("d", "run-3"), T0.AddMinutes(9)).Refusal.Should().Be("exempt");
        Do(Ban("a", "run-1"), T0.AddMinutes(9)).Until.Should().BeNull("a late repeat of an old command bans nobody");
        Do(Ban("e", "run-3"), T0.AddMinutes(11)).Offences.Should().Be(1);
        Do(Lift("f", "operator/ann", byOperator: true), T0.AddMinutes(12));
        Do(Ban("g", "operator/ann", byOperator: true), T0.AddMinutes(13)).Done.Should().BeTrue();
    }

    [Fact]
    public void A_ban_that_comes_after_it_was_taken_back_is_refused()
    {
        Do(Lift("run-1/ban/undo") with { Cancels = "run-1/ban" }, T0).Done.Should().BeTrue("there is nothing to lift");
        Do(Ban("run-1/ban"), T0).Should().Match<BanResult>(x => !x.Done && x.Refusal == "lifted" && x.Until == null);
        _book.Entry("rogue", T0).Should().BeNull();
        Do(Ban("run-1/again"), T0).Done.Should().BeTrue("only that ban was taken back");
        Do(Lift("run-1/more/undo") with { Cancels = "run-1/more" }, T0).Lifted.Should().NotBeNull();

        var restored = New();
        restored.Restore(_book.ToSnapshot());
        Do(restored, Ban("run-1/more"), T0).Refusal.Should().Be("lifted");
        var replayed = New();
        replayed.Apply(new BanLifted { At = T0, Key = "run-1/more/undo", Principal = "rogue", Owner = "run-1", Cancels = "run-1/more" });
        Do(replayed, Ban("run-1/more"), T0).Refusal.Should().Be("lifted", "the event tells it");
    }

    [Fact]
    public void An_operators_ban_that_comes_late_ends_when_it_would_have_ended()
    {
        var ban = Ban("o", "operator/ann", 10, byOperator: true) with { GivenAt = T0 };
        var decision = _book.Decide(ban, T0.AddMinutes(4));
        (decision.Result.Done, decision.Result.Until).Should().Be((true, T0.AddMinutes(10)));
        decision.Events.Should().ContainSingle().Which.Should().BeOfType<BanSet>().Which.GivenAt.Should().Be(T0);
        var past = _book.Decide(ban, T0.AddMinutes(10));
        (past.Events.Count, past.Result.Done, past.Result.Until).Should().Be((0, true, null));

        Do(Lift("l", "operator/ann", byOperator: true) with { GivenAt = T0.AddMinutes(1) }, T0.AddMinutes(4));
        _book.ExemptUntil("rogue", T0.AddMinutes(4)).Should().Be(T0.AddMinutes(11));
        Do(Lift("m", "operator/ann", byOperator: true) with { GivenAt = T0.AddMinutes(1) }, T0.AddMinutes(20));
        _book.ExemptUntil("rogue", T0.AddMinutes(20)).Should().BeNull();
    }

    [Theory]
    [InlineData(-5)]
    [InlineData(-3)]
    [InlineData(0)]
    [InlineData(300)]
    public void A_nodes_clock_that_is_seconds_off_neither_cuts_a_ban_nor_loses_a_word(int seconds)
    {
        Do(Lift("l", "operator/ann", byOperator: true), T0);
        var at = T0.AddSeconds(1);
        Do(Ban("o", "operator/bob", 10, byOperator: true) with { GivenAt = at.AddSeconds(seconds) }, at).Until.Should().Be(at.AddMinutes(10));
        at = at.AddSeconds(1);
        Do(Lift("m", "operator/ann", byOperator: true) with { GivenAt = at.AddSeconds(seconds) }, at).Done.Should().BeTrue();
        _book.Entry("rogue", at).Should().BeNull();
        _book.ExemptUntil("rogue", at).Should().Be(at.AddMinutes(10));
    }

    [Fact]
    public void An_operators_late_word_does_not_beat_a_newer_one()
    {
        Do(Lift("l", "operator/ann", byOperator: true) with { GivenAt = T0.AddMinutes(2) }, T0.AddMinutes(2));
        var stale = _book.Decide(Ban("o", "operator/bob", 60, byOperator: true) with { GivenAt = T0 }, T0.AddMinutes(3));
        (stale.Events.Count, stale.Result.Done, stale.Result.Refusal).Should().Be((0, false, "superseded"));

        // Both late: when they were given decides, not which came first.
        Do(Ban("p", "operator/bob", 60, byOperator: true) with { GivenAt = T0.AddMinutes(4) }, T0.AddMinutes(6)).Done.Should().BeTrue();
        Do(Lift("m", "operator/ann", byOperator: true) with { GivenAt = T0.AddMinutes(3) }, T0.AddMinutes(6)).Refusal.Should().Be("superseded");
        _book.Entry("rogue", T0.AddMinutes(6)).Should().NotBeNull();
        Do(Lift("n", "operator/ann", byOperator: true) with { GivenAt = T0.AddMinutes(5) }, T0.AddMinutes(6)).Done.Should().BeTrue();

        // It is remembered past the exemption, and by a snapshot.
        _book.Prune(T0.AddHours(1));
        var restored = New();
        restored.Restore(_book.ToSnapshot());
        Do(restored, Ban("q", "operator/bob", 600, byOperator: true) with { GivenAt = T0.AddMinutes(4.5) }, T0.AddHours(1)).Refusal.Should().Be("superseded");
        restored.Prune(T0.AddDays(8));
        restored.Principals.Should().Be(0);
    }

    [Fact]
    public void An_older_versions_event_was_given_when_it_was_written()
    {
        _book.Apply(new BanLifted { At = T0.AddMinutes(2), Key = "l", Principal = "rogue" });
        Do(Ban("o", "operator/bob", 60, byOperator: true) with { GivenAt = T0 }, T0.AddMinutes(3)).Refusal.Should().Be("superseded");
    }

    /// <summary>In whatever order the words of operators arrive, once they are all late the last one given holds.</summary>
    [Fact]
    public void Of_late_words_the_last_one_given_holds() =>
        Gen.Select(Gen.Bool, Gen.Int[60, 600], Gen.Int[0, 1_000]).Array[1, 12].Sample(words =>
        {
            var book = New();
            var (at, newest) = (T0.AddMinutes(30), -1);
            foreach (var (word, n) in words.Select((x, i) => (x, i)).OrderBy(x => x.x.Item3))
            {
                var given = T0.AddMinutes(n);
                Do(book, word.Item1
                    ? Ban($"k{n}", "operator/ann", word.Item2, byOperator: true) with { GivenAt = given }
                    : Lift($"k{n}", "operator/ann", byOperator: true) with { GivenAt = given }, at);
                newest = Math.Max(newest, n);
                DateTimeOffset? expected = words[newest].Item1 ? T0.AddMinutes(newest + words[newest].Item2) : null;
                if (book.Entry("rogue", at)?.Until != expected) return false;
                at = at.AddSeconds(1);
            }

            return true;
        });

    [Fact]
    public void Who_may_not_be_banned()
    {
        Do(Ban("a", principal: "guardian", byOperator: true), T0).Refusal.Should().Be("protected");
        Do(Ban("b", principal: "friend"), T0).Refusal.Should().Be("allow_listed");
        Do(Ban("c", principal: "friend", byOperator: true), T0).Done.Should().BeTrue();
        Do(Ban("d", minutes: 0.001), T0).Refusal.Should().Be("invalid");
        Do(Ban("e", principal: ""), T0).Refusal.Should().Be("invalid");
        var full = New(new BlacklistOptions { MaxBans = 1 });
        Do(full, Ban("f"), T0);
        Do(full, Ban("g", principal: "second"), T0).Refusal.Should().Be("full");
        full.RefusedFull.Should().Be(1);
    }

    [Fact]
    public void Leases_agree_with_the_naive_set_and_survive_a_snapshot() =>
        Gen.Select(Gen.Int[0, 3], Gen.Bool, Gen.Int[1, 30], Gen.Int[0, 10]).Array[1, 40].Sample(steps =>
        {
            var book = New();
            var naive = new Dictionary<string, DateTimeOffset>();
            var (at, n) = (T0, 0);
            foreach (var (owner, ban, minutes, gap) in steps)
            {
                at = at.AddMinutes(gap);
                var name = $"operator/{owner}";
                if (ban)
                {
                    Do(book, Ban($"k{n++}", name, minutes, byOperator: true), at);
                    naive[name] = at.AddMinutes(minutes);
                }
                else
                {
                    Do(book, Lift($"k{n++}", name), at);
                    naive.Remove(name);
                }

                if (n % 7 == 0) book.Prune(at);
                if (n % 5 == 0)
                {
                    var restored = New();
                    restored.Restore(book.ToSnapshot());
                    book = restored;
                }

                var expected = naive.Values.Where(x => x > at).Select(x => (DateTimeOffset?)x).Max();
                if (book.Entry("rogue", at)?.Until != expected) return false;
            }

            return true;
        });
}
