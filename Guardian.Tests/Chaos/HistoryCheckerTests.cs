using CsCheck;
using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

public class HistoryCheckerTests
{
    private static readonly string[] Principals = ["load-01", "load-02", "load-03"];
    private static readonly string[] Topics = ["library.a", "library.b"];

    /// <summary>Operations, and deliveries as a correct bus would make them: any interleaving of the streams, info or not.</summary>
    private static readonly Gen<(List<Operation> Sent, List<Delivery> Received)> Correct =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[0, 9], Gen.Bool, Gen.Int[0, 1_000]).List[1, 60].Select(rows =>
        {
            var sequence = new Dictionary<(int, int), int>();
            var sent = new List<Operation>();
            var received = new List<(int Rank, Delivery Delivery)>();
            var rank = new Dictionary<(int, int), int>();
            foreach (var (p, t, kind, arrives, jump) in rows)
            {
                var n = sequence[(p, t)] = sequence.GetValueOrDefault((p, t)) + 1;
                var outcome = kind switch { 0 => OperationOutcome.Fail, 1 => OperationOutcome.Info, _ => OperationOutcome.Ok };
                var operation = new Operation($"{p}/{t}/{n}", Principals[p], Topics[t], n, outcome, outcome.ToString(), TimeSpan.Zero, TimeSpan.Zero);
                sent.Add(operation);
                var at = rank[(p, t)] = rank.GetValueOrDefault((p, t)) + jump;
                if (outcome == OperationOutcome.Ok || (outcome == OperationOutcome.Info && arrives)) received.Add((at, DeliveryOf(operation)));
            }

            return (sent, received.OrderBy(x => x.Rank).Select(x => x.Delivery).ToList());
        });

    [Fact]
    public void A_correct_history_has_no_anomaly() =>
        Correct.Sample(x => HistoryChecker.Check(x.Sent, x.Received).Should().BeEmpty());

    [Fact]
    public void Every_lost_message_is_found() => Correct.Where(x => x.Sent.Exists(o => o.Outcome == OperationOutcome.Ok)).Sample(x =>
    {
        var victim = x.Sent.First(o => o.Outcome == OperationOutcome.Ok);
        x.Received.RemoveAll(d => d.OperationId == victim.Id);
        HistoryChecker.Check(x.Sent, x.Received).Should().Equal(new Anomaly(AnomalyKind.Lost, victim.Id, $"accepted from {victim.Principal} on {victim.Topic}, never received"));
    });

    [Fact]
    public void Every_doubled_message_is_found() => Gen.Select(Correct, Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Where((x, _, _) => x.Received.Count > 0).Sample((x, which, where) =>
    {
        var copy = x.Received[which % x.Received.Count];
        x.Received.Insert(where % (x.Received.Count + 1), copy);
        HistoryChecker.Check(x.Sent, x.Received).Should().Contain(a => a.Kind == AnomalyKind.Doubled && a.OperationId == copy.OperationId);
    });

    [Fact]
    public void A_refused_message_that_arrives_is_found() => Correct.Where(x => x.Sent.Exists(o => o.Outcome == OperationOutcome.Fail)).Sample(x =>
    {
        var refused = x.Sent.First(o => o.Outcome == OperationOutcome.Fail);
        x.Received.Add(DeliveryOf(refused));
        HistoryChecker.Check(x.Sent, x.Received).Should().Contain(a => a.Kind == AnomalyKind.DeliveredThoughRefused && a.OperationId == refused.Id);
    });

    [Fact]
    public void A_message_that_nobody_sent_is_found() => Correct.Sample(x =>
    {
        x.Received.Add(new Delivery("ghost", "load-01", "library.a", TimeSpan.Zero));
        HistoryChecker.Check(x.Sent, x.Received).Should().ContainSingle().Which.Kind.Should().Be(AnomalyKind.NeverSent);
    });

    [Fact]
    public void Two_messages_of_one_stream_that_changed_places_are_found() => Correct.Sample(x =>
    {
        var first = x.Received.FindIndex(d => x.Received.Exists(e => e != d && e.Principal == d.Principal && e.Topic == d.Topic));
        if (first < 0) return;
        var second = x.Received.FindLastIndex(e => e.Principal == x.Received[first].Principal && e.Topic == x.Received[first].Topic);
        (x.Received[first], x.Received[second]) = (x.Received[second], x.Received[first]);
        HistoryChecker.Check(x.Sent, x.Received).Should().Contain(a => a.Kind == AnomalyKind.OutOfOrder);
    });

    [Fact]
    public void A_message_under_a_wrong_name_is_found()
    {
        var sent = new Operation("a", "load-01", "library.a", 1, OperationOutcome.Ok, "accepted", TimeSpan.Zero, TimeSpan.Zero);
        HistoryChecker.Check([sent], [new Delivery("a", "rogue", "library.a", TimeSpan.Zero)]).Should().ContainSingle().Which.Kind.Should().Be(AnomalyKind.WrongLabel);
    }

    /// <summary>It drained for longer than a message is under way: what it took just before, and refused then, belongs to its end.</summary>
    [Theory]
    [InlineData("n2", "draining", 4)]
    [InlineData("n1", "draining", 13)] // another node's word
    [InlineData("n2", "rate-limited", 13)] // no word of an end
    [InlineData("n2", "accepted", 13)]
    public void A_node_that_ends_is_in_doubt_from_its_word_on(string node, string answer, int begins)
    {
        var said = TimeSpan.FromSeconds(9);
        Operation[] sent = [Answered(node, answer, said + TimeSpan.FromSeconds(1)), Answered(node, answer, said)];
        var span = new BlindSpan(TimeSpan.FromSeconds(13), TimeSpan.MaxValue, "n2").WithDrain(sent, TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(5));
        span.From.Should().Be(TimeSpan.FromSeconds(begins));
        span.Covers(sent[1]).Should().Be(begins == 4);
    }

    [Fact]
    public void What_is_in_doubt_already_is_no_less_so_for_a_later_drain()
    {
        var cut = new BlindSpan(TimeSpan.FromSeconds(2), TimeSpan.MaxValue, "n2");
        cut.WithDrain([Answered("n2", "draining", TimeSpan.FromSeconds(12))], TimeSpan.Zero, TimeSpan.FromSeconds(5)).Should().Be(cut);
    }

    [Fact]
    public void A_node_that_drained_before_the_fault_is_not_excused_by_it()
    {
        var end = new BlindSpan(TimeSpan.FromSeconds(13), TimeSpan.MaxValue, "n2");
        end.WithDrain([Answered("n2", "draining", TimeSpan.FromSeconds(7))], TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(5)).Should().Be(end);
    }

    private static Operation Answered(string node, string answer, TimeSpan at) =>
        new("a", "load-01", "library.a", 1, OperationOutcome.Fail, answer, at, at) { Node = node };

    private static Delivery DeliveryOf(Operation x) => new(x.Id, x.Principal, x.Topic, TimeSpan.Zero);
}
