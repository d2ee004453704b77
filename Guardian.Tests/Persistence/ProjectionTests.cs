using System.Text.Json;
using CsCheck;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;
using static Guardian.Tests.Persistence.Stories;

namespace Guardian.Tests.Persistence;

public sealed class ProjectionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-test-").FullName;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private string NewPath() => Path.Combine(_folder, Guid.NewGuid().ToString("N"), "projection.db");

    [Fact]
    public async Task A_rebuild_equals_what_grew_event_by_event_however_it_came()
    {
        var journal = Journal();
        var once = NewPath();
        using (var store = ProjectionStore.Open(once)) store.Apply(journal);
        var expected = await DumpAsync(once);
        expected.Should().Contain("resolved").And.Contain("c-1.1");

        // In batches of any size, some of them given again, with the file closed and opened in between.
        await Gen.Int[1, 20].List[1, 12].SampleAsync(async sizes =>
        {
            var path = NewPath();
            var store = ProjectionStore.Open(path);
            var at = 0;
            foreach (var size in sizes)
            {
                var from = Math.Max(0, at - size / 3);
                store.Apply([.. journal.Skip(from).Take(size)]);
                at = Math.Max(at, Math.Min(journal.Count, from + size));
                if (size % 5 == 0)
                {
                    store.Dispose();
                    store = ProjectionStore.Open(path);
                }
            }

            store.Apply([.. journal.Skip(at)]);
            store.Dispose();
            return await DumpAsync(path) == expected;
        }, iter: 25, threads: 1);
    }

    /// <summary>The node before this one was stopped in the middle of a batch, and its worker wrote it to the end.</summary>
    [Fact]
    public async Task What_a_predecessor_still_wrote_is_passed_over()
    {
        var (journal, once, path) = (Journal(), NewPath(), NewPath());
        using (var store = ProjectionStore.Open(once)) store.Apply(journal);
        using (var predecessor = ProjectionStore.Open(path))
        using (var store = ProjectionStore.Open(path))
        {
            predecessor.Apply([.. journal.Take(7)]);
            store.Apply([.. journal.Take(9)]);
            store.Apply([.. journal.Skip(9)]);
            store.Position.Should().Be(journal[^1].Offset);
        }

        (await DumpAsync(path)).Should().Be(await DumpAsync(once));
    }

    [Fact]
    public async Task An_incident_tells_its_story()
    {
        var path = NewPath();
        using var store = ProjectionStore.Open(path);
        store.Apply([.. Incident("a-1").Select((e, i) => new ProjectedEvent(i + 1, "incident-x", e, Start))]);

        var view = await new ReadModel(path).IncidentAsync("a-1", default);

        view.Should().BeEquivalentTo(new
        {
            Id = "a-1", Key = "acl/principal/rogue", State = "resolved", Violations = 300L, Occurrences = 2, Severity = "high", Principal = "rogue",
            EndedAt = (DateTimeOffset?)Start.AddSeconds(4), Runs = new[] { "a-1.1" },
            Rules = new[] { "message_bus.acl_violation.control_topic_flood", "message_bus.acl_violation.spam_attack" },
        });
    }

    [Fact]
    public async Task Lists_are_newest_first_in_pages_and_by_state()
    {
        var path = NewPath();
        using var store = ProjectionStore.Open(path);
        var events = new List<IncidentEvent>();
        for (var i = 1; i <= 10; i++) events.Add(Opened("i-" + i, "p" + i, i));
        events.Add(new IncidentSettled { At = Start, IncidentId = "i-3", State = "escalated", Reason = "x" });
        events.Add(new IncidentSettled { At = Start, IncidentId = "i-4", State = "closed", Reason = "x" });
        events.Add(new IncidentRunAssigned { At = Start, IncidentId = "i-5", RunId = "r", Playbook = "p", Definition = "", Because = "" });
        store.Apply([.. events.Select((e, i) => new ProjectedEvent(i + 1, "incident-x", e, Start))]);
        var model = new ReadModel(path);
        async Task<string[]> Ids(string? state, int limit, string? after = null) =>
            [.. (await model.IncidentsAsync(state, limit, after, default)).Select(x => x.Id[2..])];

        (await Ids(null, 3)).Should().Equal("10", "9", "8");
        (await Ids(null, 3, "i-8")).Should().Equal("7", "6", "5");
        (await Ids(null, 100, "i-2")).Should().Equal("1");
        (await Ids(null, 100, "nobody")).Should().BeEmpty();
        (await Ids("open", 100)).Should().Equal("10", "9", "8", "7", "6", "5", "3", "2", "1");
        (await Ids("running", 100)).Should().Equal("5");
        (await Ids("escalated", 100)).Should().Equal("3");
        (await Ids("closed", 100)).Should().Equal("4");
        (await model.OpenIncidentsAsync(default)).Should().Be(9);
        (await Ids(null, 0)).Should().HaveCount(1, "a limit is at least 1");
    }

    [Fact]
    public async Task Runs_are_found_by_playbook_and_incident()
    {
        var path = NewPath();
        using var store = ProjectionStore.Open(path);
        store.Apply(Journal());
        var model = new ReadModel(path);

        (await model.RunsAsync("fix", null, 10, null, default)).Select(x => x.Id).Should().Equal("c-1.1", "b-1.1", "a-1.1");
        (await model.RunsAsync(null, "b-1", 10, null, default)).Select(x => x.Id).Should().Equal("b-1.1");
        (await model.RunsAsync("other", null, 10, null, default)).Should().BeEmpty();
        (await model.RunAsync("a-1.1", default))!.Steps.Should().HaveCount(3);
    }

    [Fact]
    public async Task Events_come_in_order_from_any_place_and_then_live()
    {
        var path = NewPath();
        using var store = ProjectionStore.Open(path);
        var journal = Journal();
        store.Apply([.. journal.Take(10)]);
        var model = new ReadModel(path);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var events = model.EventsAsync(journal[4].Offset, deadline.Token).GetAsyncEnumerator(deadline.Token);
        for (var i = 5; i < 10; i++)
        {
            (await events.MoveNextAsync()).Should().BeTrue();
            events.Current.Should().Be(journal[i].View);
        }

        var waiting = events.MoveNextAsync();
        waiting.IsCompleted.Should().BeFalse();
        store.Apply([.. journal.Skip(10)]);
        model.Grown();

        (await waiting).Should().BeTrue();
        events.Current.Offset.Should().Be(journal[10].Offset);
    }

    [Fact]
    public async Task Another_schema_or_a_damaged_file_is_built_again()
    {
        var path = NewPath();
        using (var store = ProjectionStore.Open(path))
        {
            store.Rebuilt.Should().BeNull("it is new");
            store.Apply(Journal());
        }

        using (var same = ProjectionStore.Open(path)) same.Position.Should().BePositive();
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version=999";
            command.ExecuteNonQuery();
        }

        using (var other = ProjectionStore.Open(path))
        {
            other.Rebuilt.Should().Contain("999");
            other.Position.Should().Be(0);
        }

        await File.WriteAllTextAsync(path, new string('x', 10_000));
        using var damaged = ProjectionStore.Open(path);
        damaged.Rebuilt.Should().Contain("damaged");
        damaged.Apply(Journal());
        (await new ReadModel(path).OpenIncidentsAsync(default)).Should().Be(0);
        (await new ReadModel(path).IncidentsAsync(null, 10, null, default)).Should().HaveCount(3);
    }

    [Fact]
    public async Task Without_a_file_it_answers_with_nothing() =>
        (await new ReadModel(NewPath()).IncidentsAsync(null, 10, null, default)).Should().BeEmpty();

    [Fact]
    public async Task A_hundred_thousand_incidents_are_listed_by_index()
    {
        var path = NewPath();
        using var store = ProjectionStore.Open(path);
        var at = 0L;
        for (var batch = 0; batch < 20; batch++)
            store.Apply([.. Enumerable.Range(0, 5_000).Select(_ =>
            {
                var id = "i-" + ++at;
                return new ProjectedEvent(at * 2, "incident-x", Opened(id), Start);
            }).SelectMany(e => at % 1 == 0 && ((IncidentEvent)e.Event).IncidentId.EndsWith('7') ? [e] : new[]
            {
                e, e with { Offset = e.Offset + 1, Event = new IncidentSettled { At = Start, IncidentId = ((IncidentEvent)e.Event).IncidentId, State = "closed", Reason = "x" } },
            })]);
        var model = new ReadModel(path);
        await model.IncidentsAsync("open", 1, null, default);

        var started = TimeProvider.System.GetTimestamp();
        (await model.IncidentsAsync("open", 100, null, default)).Should().HaveCount(100);
        (await model.IncidentsAsync("running", 100, null, default)).Should().BeEmpty();
        (await model.IncidentsAsync(null, 100, "i-50000", default)).Should().HaveCount(100);
        (await model.OpenIncidentsAsync(default)).Should().Be(10_000);
        var each = TimeProvider.System.GetElapsedTime(started) / 4;
        each.Should().BeLessThan(TimeSpan.FromMilliseconds(250), "50 ms are promised; a busy machine gets five times that");
        Console.WriteLine($"one query at 100,000 incidents: {each.TotalMilliseconds:0.0} ms");
    }

    private static async Task<string> DumpAsync(string path)
    {
        var model = new ReadModel(path);
        var incidents = await model.IncidentsAsync(null, 1000, null, default);
        var runs = await model.RunsAsync(null, null, 1000, null, default);
        var events = new List<EventView>();
        using var connection = new SqliteConnection(ProjectionFile.ReadConnectionString(path));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select (select position from meta) || ':' || group_concat(position || type || entity || at || summary, '|') from events";
        return JsonSerializer.Serialize(incidents) + JsonSerializer.Serialize(runs) + command.ExecuteScalar();
    }
}
