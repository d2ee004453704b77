using CsCheck;
using Guardian.Actors.Bus;
using Guardian.Actors.Monitoring;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Monitoring;

public class DigestLedgerTests
{
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
                var deltas = ledger.Observe(digests[i]);
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
        ledger.Observe(Digest(1, [Row(1, "a", "t", Burst(3))]));
        ledger.Observe(Digest(1, [Row(1, "a", "t", Burst(4))], incarnation: 2));
        ledger.Observe(Digest(1, [Row(1, "a", "t", Burst(5))], node: "n2")).Should().ContainSingle().Which.Denied.Should().Be(5);
        ledger.Denied.Should().Be(12);
    }

    [Fact]
    public void A_row_that_fell_out_is_not_counted_twice_when_it_comes_back()
    {
        var ledger = new DigestLedger(2);
        ledger.Observe(Digest(1, [Row(1, "a", "t", Burst(10))]));
        ledger.Observe(Digest(2, [Row(2, "b", "t", [T0.AddSeconds(1)]), Row(3, "c", "t", [T0.AddSeconds(1)])]));
        ledger.FellOut.Should().Be(1);
        ledger.Observe(Digest(3, [Row(1, "a", "t", [.. Burst(10), T0.AddSeconds(2)], 11)])).Should().ContainSingle().Which.Denied.Should().Be(1);
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
        ledger.Observe(Digest(9, [Row(1, "a", "t", Burst(12))], older)).Should().BeEmpty();
        ledger.Denied.Should().Be(12, "the totals are the cluster's");
        ledger.Observe(Digest(10, [Row(1, "a", "t", [.. Burst(12), .. Burst(3, fromMs: 11_000)])], older)).Should().ContainSingle().Which.Denied.Should().Be(3);
        ledger.Observe(Digest(11, [Row(2, "b", "t", [.. Burst(2), .. Burst(3, fromMs: 11_000)])], older)).Should().ContainSingle().Which.Should().Match<ViolationDelta>(x => x.Denied == 3 && x.Times.Count == 3);
        ledger.Observe(Digest(12, [Row(3, "c", "t", Burst(20, fromMs: 11_000), 500)], older)).Should().ContainSingle().Which.Denied.Should().Be(500);
        ledger.Observe(Digest(1, [Row(1, "e", "t", Burst(4))], T0.UtcTicks, "own")).Should().ContainSingle().Which.Denied.Should().Be(4, "this node's own bus has no other judge");
        ledger.Observe(Digest(1, [Row(1, "d", "t", Burst(4, fromMs: 12_000))], start.AddSeconds(1).UtcTicks, "n2")).Should().ContainSingle().Which.Denied.Should().Be(4);
    }
}
