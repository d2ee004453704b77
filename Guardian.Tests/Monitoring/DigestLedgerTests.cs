using CsCheck;
using Guardian.Actors.Bus;
using Guardian.Actors.Monitoring;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Monitoring;

public class DigestLedgerTests
{
    private static IReadOnlyList<ViolationDelta> Observe(DigestLedger ledger, ViolationDigest digest, double atSecond = 11) => ledger.Observe(digest, T0.AddSeconds(atSecond));

    [Fact]
    public void Lost_repeated_and_reordered_digests_do_no_harm() =>
        Gen.Select(Gen.Int[1, 30].Array[1, 20], Gen.Int[0, 19].Array[0, 60]).Sample((steps, deliveries) =>
        {
            var ledger = new DigestLedger(100);
            var digests = new List<ViolationDigest>();
            var total = 0;
            foreach (var step in steps)
            {
                total += step;
                var times = Burst(total).TakeLast(20).ToList();
                digests.Add(Digest(digests.Count + 1, [Row(1, "a", "t", times, total, blacklisted: total * 2)]));
            }

            long denied = 0, blacklisted = 0, max = 0;
            foreach (var i in deliveries.Select(x => x % digests.Count))
            {
                var expected = Math.Max(0, digests[i].Rows[0].Denied - max);
                max = Math.Max(max, digests[i].Rows[0].Denied);
                var deltas = Observe(ledger, digests[i]);
                denied += deltas.Sum(x => x.Denied);
                blacklisted += deltas.Sum(x => x.Blacklisted);
                if (deltas.Sum(x => x.Denied) != expected || deltas.Sum(x => x.Times.Count) != Math.Min(20, expected)) return false;
            }

            return denied == max && blacklisted == 2 * max && ledger.Denied == max && ledger.Blacklisted == 2 * max;
        });

    [Fact]
    public void Nodes_and_incarnations_add_up()
    {
        var ledger = new DigestLedger(100);
        Observe(ledger, Digest(1, [Row(1, "a", "t", Burst(3))]));
        Observe(ledger, Digest(1, [Row(1, "a", "t", Burst(4))], incarnation: 2));
        Observe(ledger, Digest(1, [Row(1, "a", "t", Burst(5))], node: "n2")).Should().ContainSingle().Which.Denied.Should().Be(5);
        ledger.Denied.Should().Be(12);
    }

    [Fact]
    public void A_row_that_fell_out_is_not_counted_twice_when_it_comes_back()
    {
        var ledger = new DigestLedger(2);
        Observe(ledger, Digest(1, [Row(1, "a", "t", Burst(10))]));
        Observe(ledger, Digest(2, [Row(2, "b", "t", [T0.AddSeconds(1)]), Row(3, "c", "t", [T0.AddSeconds(1)])]));
        ledger.FellOut.Should().Be(1);
        Observe(ledger, Digest(3, [Row(1, "a", "t", [.. Burst(10), T0.AddSeconds(2)], 11)])).Should().ContainSingle().Which.Denied.Should().Be(1);
        ledger.Count.Should().Be(2);
    }

    /// <summary>A node that starts again hears the rows of the others: what they had counted until then is over and judged.</summary>
    [Fact]
    public void What_an_older_bus_counted_before_the_monitor_began_is_history()
    {
        var start = T0.AddSeconds(10);
        var ledger = new DigestLedger(100, own: T0.UtcTicks);
        ledger.Begin(start);
        var older = T0.AddSeconds(-60).UtcTicks;
        Observe(ledger, Digest(9, [Row(1, "a", "t", Burst(12))], older)).Should().BeEmpty();
        ledger.Denied.Should().Be(12, "the totals are the cluster's");
        Observe(ledger, Digest(10, [Row(1, "a", "t", [.. Burst(12), .. Burst(3, fromMs: 11_000)])], older)).Should().ContainSingle().Which.Denied.Should().Be(3);
        Observe(ledger, Digest(11, [Row(2, "b", "t", [.. Burst(2), .. Burst(3, fromMs: 11_000)])], older)).Should().ContainSingle().Which.Should().Match<ViolationDelta>(x => x.Denied == 3 && x.Times.Count == 3);
        Observe(ledger, Digest(12, [Row(3, "c", "t", Burst(20, fromMs: 11_000), 500)], older)).Should().ContainSingle().Which.Denied.Should().Be(500);
        Observe(ledger, Digest(1, [Row(1, "e", "t", Burst(4))], T0.UtcTicks, "own")).Should().ContainSingle().Which.Denied.Should().Be(4, "this node's own bus has no other judge");
        Observe(ledger, Digest(1, [Row(1, "d", "t", Burst(4, fromMs: 12_000))], start.AddSeconds(1).UtcTicks, "n2")).Should().ContainSingle().Which.Denied.Should().Be(4);
    }

    /// <summary>That it listens is not enough: until the other nodes have learned of it, it is told nothing.</summary>
    [Fact]
    public void What_happened_before_a_bus_was_heard_for_the_first_time_is_history()
    {
        var ledger = new DigestLedger(100, own: T0.UtcTicks);
        ledger.Begin(T0.AddSeconds(10));
        var older = T0.AddSeconds(-60).UtcTicks;
        Observe(ledger, Digest(9, [Row(1, "a", "t", Burst(12, fromMs: 10_500))], older), atSecond: 12).Should().BeEmpty("it came as a repeat");
        Observe(ledger, Digest(10, [Row(2, "b", "t", [.. Burst(5, fromMs: 10_500), .. Burst(4, fromMs: 12_000)])], older), atSecond: 12.1).Should().ContainSingle().Which.Denied.Should().Be(4);
        Observe(ledger, Digest(1, [Row(1, "c", "t", Burst(4, fromMs: 10_500))], older, "n2"), atSecond: 12).Should().ContainSingle("nothing of that bus was missed").Which.Denied.Should().Be(4);
    }
}
