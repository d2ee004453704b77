using CsCheck;
using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

public sealed class JournalCheckerTests
{
    /// <summary>Rows in the order of writing, each as the writer and the stream.</summary>
    private static List<JournalRow> Rows(params (string Writer, string Stream)[] written)
    {
        var numbers = new Dictionary<string, long>();
        return [.. written.Select((x, i) => new JournalRow(i + 1, x.Stream, numbers[x.Stream] = numbers.GetValueOrDefault(x.Stream) + 1, x.Writer))];
    }

    [Fact]
    public void Who_hands_over_and_takes_back_from_one_that_has_ended_is_one_at_a_time() =>
        JournalChecker.Check(Rows(("n3", "a"), ("n3", "b"), ("n2", "a"), ("n3", "b"), ("n2", "a"), ("n3", "a"), ("n3", "b"), ("n2 anew", "b"))).Should().BeEmpty();

    [Fact]
    public void Who_was_followed_by_one_that_lives_must_not_write_again() =>
        JournalChecker.Check(Rows(("n3", "a"), ("n2", "a"), ("n3", "a"), ("n2", "a"))).Should().Equal(
            "journal: a has two writers at once, number 3 is by one that was followed by another, which still lives");

    /// <summary>Alive is who writes anything: the other stream tells.</summary>
    [Fact]
    public void The_other_one_lives_also_where_it_writes_elsewhere() =>
        JournalChecker.Check(Rows(("n3", "a"), ("n2", "a"), ("n3", "a"), ("n2", "b"))).Should().ContainSingle().Which.Should().Contain("two writers at once");

    [Fact]
    public void Gaps_and_doubles_are_told_with_their_numbers() =>
        JournalChecker.Check([new(1, "a", 3, "x"), new(2, "a", 4, "x"), new(3, "a", 4, "x"), new(4, "a", 7, "x")]).Should().Equal(
            "journal: a has number 4 twice", "journal: a has a gap between 4 and 7");

    /// <summary>Streams move among processes of which each ends some time; a stream that moves goes to one that lives.</summary>
    [Fact]
    public void Streams_that_move_away_from_processes_that_end_are_in_order() => Gen.Int[0, 999].Array[1, 200].Sample(choices =>
    {
        var living = new List<int> { 0, 1, 2 };
        var (next, owners) = (3, new int[4]);
        var written = new List<(string, string)>();
        foreach (var choice in choices)
        {
            var stream = choice % owners.Length;
            if (choice % 7 == 0)
            {
                // One of those that live ends, is started anew as another one, and its streams go to whoever lives.
                var gone = living[choice % living.Count];
                living.Remove(gone);
                living.Add(next++);
                for (var i = 0; i < owners.Length; i++)
                    if (owners[i] == gone) owners[i] = living[choice % 2];
            }

            written.Add(($"p{owners[stream]}", $"s{stream}"));
        }

        JournalChecker.Check(Rows([.. written])).Should().BeEmpty();
    });
}
