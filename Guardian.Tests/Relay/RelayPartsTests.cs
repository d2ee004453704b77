using CsCheck;
using Guardian.Actors.Access;
using Guardian.Actors.Bus;
using Guardian.Actors.Relay;

namespace Guardian.Tests.Relay;

public sealed class RelayPartsTests
{
    [Fact]
    public void Gaps_are_losses_and_nothing_is_taken_twice()
    {
        var ledger = new RelayLedger();
        Take(1).Should().Be((true, 0));
        Take(2).Should().Be((true, 0));
        Take(2).Should().Be((false, 0), "a repeat");
        Take(5).Should().Be((true, 2));
        Take(3).Should().Be((false, 0), "it was counted as lost");
        Take(3, incarnation: 8).Should().Be((true, 2), "a new process began at 1");
        Take(6).Should().Be((false, 0), "the old process is over");

        (bool, long) Take(long sequence, long incarnation = 7) => (ledger.Take(incarnation, sequence, out var lost), lost);
    }

    [Fact]
    public void Whatever_is_lost_doubled_or_late_everything_sent_is_taken_or_counted() =>
        Gen.Int[1, 50].Array[0, 60].Sample(arrived =>
        {
            var ledger = new RelayLedger();
            long taken = 0, lost = 0;
            foreach (var sequence in arrived)
            {
                if (!ledger.Take(1, sequence, out var gap)) continue;
                taken++;
                lost += gap;
            }

            (taken + lost).Should().Be(arrived.DefaultIfEmpty(0).Max());
        });

    [Fact]
    public void A_summary_covers_every_pattern()
    {
        var segment = Gen.Int[0, 4].Select(x => "abcd*"[x].ToString());
        var pattern = Gen.Select(segment.Array[1, 3], Gen.Bool, (segments, tail) => string.Join('.', segments) + (tail ? ".>" : ""));
        Gen.Select(pattern.Array[1, 30], Gen.Int[1, 10]).Sample((patterns, max) =>
        {
            var summary = InterestSummary.Of(patterns.ToHashSet(), max);
            summary.Count.Should().BeLessThanOrEqualTo(max);
            var trie = new PatternTrie<string>();
            foreach (var wide in summary) trie.Add(wide, wide);
            foreach (var concrete in patterns.Select(x => x.Replace("*", "x").Replace(">", "y"))) trie.TryFirst(concrete, out _).Should().BeTrue($"{concrete} by {string.Join(' ', summary)}");
        });
    }

    [Fact]
    public void A_slow_node_costs_its_bound_and_holds_nobody_up()
    {
        var (metrics, woken) = (new RelayMetrics(), 0);
        var peer = new PeerSubscriber("n2", new RelayOptions { Queue = 10, QueueBytes = 1_000_000 }, metrics, _ => woken++);
        for (var i = 0; i < 25; i++)
        {
            peer.TryReserve(1).Should().BeTrue();
            peer.Deliver(Message(i, 10));
        }

        (woken, peer.Waiting).Should().Be((1, 10));
        metrics.Snapshot(0).Dropped.Should().Be(15);
        peer.Take().Select(x => x.Sequence).Should().Equal(Enumerable.Range(1, 10).Select(x => (long)x));
        peer.Deliver(Message(99, 10));
        peer.Take().Single().Sequence.Should().Be(26, "what was dropped leaves a gap that the receiver sees");
        peer.Take().Should().BeEmpty();
        peer.Deliver(Message(100, 10));
        woken.Should().Be(2);
        peer.Close();
        metrics.Snapshot(0).Dropped.Should().Be(16);
    }

    [Fact]
    public void Large_bodies_travel_one_by_one_and_small_ones_together()
    {
        var peer = new PeerSubscriber("n2", new RelayOptions(), new RelayMetrics(), _ => { });
        for (var i = 0; i < 3; i++) peer.Deliver(Message(i, 256 * 1024));
        for (var i = 0; i < 300; i++) peer.Deliver(Message(i, 100));
        peer.Take().Should().ContainSingle();
        peer.Take().Should().ContainSingle();
        peer.Take().Should().HaveCount(PeerSubscriber.BatchMessages);
        var largest = new RelayBatch { Incarnation = long.MaxValue, Messages = [new RelayedMessage { Sequence = 1, Id = new string('i', 100), Topic = new string('t', 255), Principal = new string('p', 128), Body = new byte[256 * 1024], At = DateTimeOffset.MaxValue }] };
        new Guardian.Actors.Serialization.GuardianSerializer(null!).ToBinary(largest).Length.Should().BeLessThan(1024 * 1024);
    }

    [Fact]
    public void A_batch_fits_the_frame_and_the_queue_its_bytes_whatever_the_names()
    {
        var longest = new string('\u8a9e', 255);
        var (metrics, options) = (new RelayMetrics(), new RelayOptions { QueueBytes = 4_000_000 });
        var peer = new PeerSubscriber("n2", options, metrics, _ => { });
        BusMessage Worst(int size) => new()
        {
            Id = new string('\u8a9e', 100), Topic = longest, Principal = longest, ContentType = longest, Body = Enumerable.Repeat((byte)0xfb, size).ToArray(), At = DateTimeOffset.MaxValue,
        };
        foreach (var size in (int[])[0, 1, 1_500, 100_000, 256 * 1024])
        {
            for (var i = 0; i < 300; i++) peer.Deliver(Worst(size));
            long queued = 0;
            while (peer.Take() is { Count: > 0 } messages)
            {
                var batch = new Guardian.Actors.Serialization.GuardianSerializer(null!).ToBinary(new RelayBatch { Incarnation = long.MaxValue, Messages = messages });
                batch.Length.Should().BeLessThan(900 * 1024, $"with bodies of {size} bytes");
                queued += batch.Length;
            }

            queued.Should().BeLessThan(options.QueueBytes * 4 / 3, "bodies grow by a third on the wire");
        }

        metrics.Snapshot(0).Dropped.Should().BePositive();
        var small = new PeerSubscriber("n2", new RelayOptions { QueueBytes = 262_144 }, metrics, _ => { });
        small.Deliver(Worst(256 * 1024));
        small.Waiting.Should().Be(1, "the largest message fits into the smallest queue");
    }

    private static BusMessage Message(int number, int size) => new() { Id = $"m{number}", Topic = "a.b", Principal = "alice", Body = new byte[size], At = DateTimeOffset.UnixEpoch };
}
