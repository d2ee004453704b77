using Guardian.Actors.Chaos.Drills;

namespace Guardian.Tests.Chaos;

public class LoadReaderTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_reader_whose_node_died_reads_on_and_is_blind_until_all_nodes_know_it()
    {
        await using var target = new ScriptedTarget();
        var clock = new DrillClock(TimeProvider.System);
        await using var reader = new LoadReader(clock, "drill", new FloodTally(null), reconnects: true);
        await reader.OpenAsync(target, "patron", "library.>", default);

        var died = clock.Now;
        target.EndSubscriptions();
        await Await.UntilAsync(() => reader is { Blind.Count: 1, Broken: null }, Deadline);
        var back = clock.Now;

        var blind = reader.Blind.Single();
        blind.From.Should().BeGreaterThanOrEqualTo(died - LoadReader.UnderWay).And.BeLessThanOrEqualTo(back - LoadReader.UnderWay);
        blind.To.Should().BeGreaterThanOrEqualTo(died + LoadReader.Spread).And.BeLessThanOrEqualTo(back + LoadReader.Spread);
        await target.PublishAsync("load-01", "library.books.01", "op:drill:load-01:1", default);
        await Await.UntilAsync(() => reader.Count == 1, Deadline);
    }

    [Fact]
    public async Task Where_no_node_is_killed_a_subscription_that_ends_is_told_and_not_opened_again()
    {
        await using var target = new ScriptedTarget();
        await using var reader = new LoadReader(new DrillClock(TimeProvider.System), "drill", new FloodTally(null));
        await reader.OpenAsync(target, "patron", "library.>", default);
        target.EndSubscriptions();
        await Await.UntilAsync(() => reader.Broken is not null, Deadline);
        reader.Blind.Should().BeEmpty();
    }
}
