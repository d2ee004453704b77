using Akka.Actor;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Tests.Notifications;

namespace Guardian.Tests.Persistence;

public sealed class ProjectionActorTests : IDisposable
{
    private JournalSystem _journal = new();

    public void Dispose() => _journal.Dispose();

    private void Use(string provider)
    {
        _journal.Dispose();
        _journal = new JournalSystem(provider);
    }

    private string Projection => Path.Combine(_journal.Folder, "projection.db");

    private async Task<IReadOnlyList<EventView>> ReadAsync(ReadModel model, int count, long after = 0)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var events = new List<EventView>();
        await foreach (var e in model.EventsAsync(after, deadline.Token))
        {
            events.Add(e);
            if (events.Count == count) break;
        }

        return events;
    }

    private async Task DeliverAsync(ActorSystem system, params string[] keys)
    {
        var outbox = system.ActorOf(Outbox.Props("log", Items.Dependencies(_journal.Folder)));
        foreach (var key in keys) await outbox.Ask<OutboxAccepted>(Items.Item(key, "log"), TimeSpan.FromSeconds(20));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_journal_reaches_the_read_model_live_and_once_across_restarts(string provider)
    {
        Use(provider);
        var first = _journal.Start();
        var model = new ReadModel(Projection);
        first.ActorOf(ProjectionActor.Props(Projection, model));
        await DeliverAsync(first, "a", "b");

        var events = await ReadAsync(model, 4);
        events.Where(x => x.Type == "delivery-accepted").Select(x => x.Summary).Should().OnlyContain(x => x.Contains("rogue was banned")).And.HaveCount(2);
        events.Where(x => x.Type == "delivery-done").Select(x => x.Summary).Should().Equal("a delivered", "b delivered");
        events.Should().OnlyContain(x => x.Entity == "outbox-log").And.BeInAscendingOrder(x => x.Offset);
        await JournalSystem.KillAsync(first);

        var second = _journal.Start();
        var again = new ReadModel(Projection);
        second.ActorOf(ProjectionActor.Props(Projection, again));
        await DeliverAsync(second, "c");

        var all = await ReadAsync(again, 6);
        all.Take(4).Should().Equal(events);
        all.Select(x => x.Offset).Should().OnlyHaveUniqueItems();
        (await ReadAsync(again, 2, events[^1].Offset)).Should().Equal(all.Skip(4));
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task The_read_model_hears_that_the_journal_has_grown_and_does_not_wait_for_its_next_look(string provider)
    {
        Use(provider);
        var system = _journal.Start("guardian.query.refresh-interval = 1h");
        var model = new ReadModel(Projection);
        system.ActorOf(ProjectionActor.Props(Projection, model));
        foreach (var (key, events) in new[] { ("a", 2), ("b", 4), ("c", 6) })
        {
            await DeliverAsync(system, key);
            (await ReadAsync(model, events)).Should().HaveCount(events);
        }
    }

    [Theory, OnSqlite, OnPostgres]
    public async Task A_projection_that_is_lost_is_built_again_from_the_journal(string provider)
    {
        Use(provider);
        var first = _journal.Start();
        var model = new ReadModel(Projection);
        first.ActorOf(ProjectionActor.Props(Projection, model));
        await DeliverAsync(first, "a", "b");
        var events = await ReadAsync(model, 4);
        await JournalSystem.KillAsync(first);
        await File.WriteAllTextAsync(Projection, new string('x', 5000));

        var second = _journal.Start();
        var again = new ReadModel(Projection);
        second.ActorOf(ProjectionActor.Props(Projection, again));

        (await ReadAsync(again, 4)).Should().Equal(events);
    }
}
