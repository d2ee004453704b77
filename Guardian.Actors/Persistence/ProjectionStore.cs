using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Guardian.Actors.Incidents;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Folds events into the projection's tables. A batch and its position are one transaction, and events at or before the
/// position are passed over: the same events may come again. One caller works at a time, others wait.
/// </summary>
internal sealed class ProjectionStore : IDisposable
{
    /// <summary>Lines of the event stream kept, a few hundred MB at most; the oldest fall out. Views are not touched by it.</summary>
    public const long MaxEvents = 1_000_000;

    // Trimming looks once in so many events.
    private const long TrimEvery = 10_000;

    private readonly string _path;
    private readonly Lock _gate = new();
    private SqliteConnection _connection;

    private ProjectionStore(string path, SqliteConnection connection, string? rebuilt)
    {
        (_path, _connection, Rebuilt) = (path, connection, rebuilt);
        Position = ReadPosition();
    }

    /// <summary>Everything up to here is in.</summary>
    public long Position { get; private set; }

    /// <summary>Why the file was built again when it was opened; null where it was not.</summary>
    public string? Rebuilt { get; private set; }

    public static ProjectionStore Open(string path)
    {
        var connection = ProjectionFile.OpenForWriting(path, out var rebuilt);
        return new ProjectionStore(path, connection, rebuilt);
    }

    /// <summary>Starts from nothing: the position is 0.</summary>
    public void Rebuild()
    {
        using var entered = _gate.EnterScope();
        _connection.Dispose();
        ProjectionFile.Delete(_path);
        _connection = ProjectionFile.OpenForWriting(_path, out _);
        Position = ReadPosition();
    }

    public void Dispose()
    {
        using var entered = _gate.EnterScope();
        _connection.Dispose();
    }

    /// <summary>Takes out incidents and runs that the journal has no longer.</summary>
    public void Forget(IReadOnlyList<string> incidents, IReadOnlyList<string> runs)
    {
        using var entered = _gate.EnterScope();
        using var transaction = _connection.BeginTransaction(deferred: false);
        using (var command = Command(transaction, "delete from incidents where id = $a"))
            foreach (var id in incidents) Execute(command, id);
        using (var command = Command(transaction, "delete from runs where id = $a"))
            foreach (var id in runs) Execute(command, id);
        transaction.Commit();
    }

    /// <summary>Takes in what is after <see cref="Position"/>.</summary>
    public void Apply(IReadOnlyList<ProjectedEvent> events)
    {
        using var entered = _gate.EnterScope();
        var incidents = new Dictionary<string, (long Seq, IncidentView View)>(StringComparer.Ordinal);
        var runs = new Dictionary<string, (long Seq, RunState View)>(StringComparer.Ordinal);
        using var transaction = _connection.BeginTransaction(deferred: false);
        // The file's own word: a predecessor in this process that was stopped may have written its last batch meanwhile.
        Position = ReadPosition(transaction);
        var position = Position;
        using var insert = Command(transaction, "insert into events (position, type, entity, at, summary) values ($a, $b, $c, $d, $e)");
        foreach (var e in events)
        {
            if (e.Offset <= position) continue;
            position = e.Offset;
            var view = e.View;
            Execute(insert, view.Offset, view.Type, view.Entity, view.At.UtcTicks, view.Summary);
            if (e.Event is IncidentEvent incident) Fold(transaction, incidents, incident.IncidentId, e.Offset, "incidents", ProjectionJson.Default.IncidentView, x => IncidentProjection.Apply(x, incident));
            else if (e.Event is RunEvent run) Fold(transaction, runs, e.RunId, e.Offset, "runs", ProjectionJson.Default.RunState, x => RunProjection.Apply(x, run));
        }

        if (position == Position) return;
        if (events.Any(x => x.Event is UnreadableMessage))
        {
            // A version that can read them builds the file again.
            using var note = Command(transaction, "update meta set unreadable = $a where unreadable = ''");
            Execute(note, ProjectionFile.Vocabulary);
        }

        Save(transaction, incidents, runs);
        using (var move = Command(transaction, "update meta set position = $a")) Execute(move, position);
        if (position / TrimEvery != Position / TrimEvery)
        {
            using var trim = Command(transaction, "delete from events where position <= (select position from events order by position desc limit 1 offset $a)");
            Execute(trim, MaxEvents);
        }

        transaction.Commit();
        Position = position;
    }

    private void Save(SqliteTransaction transaction, Dictionary<string, (long Seq, IncidentView View)> incidents, Dictionary<string, (long Seq, RunState View)> runs)
    {
        using var incident = Command(transaction, "insert into incidents (id, seq, entity, state, open, ended, view) values ($a, $b, $c, $d, $e, $f, $g) on conflict (id) do update set state = excluded.state, open = excluded.open, ended = excluded.ended, view = excluded.view");
        foreach (var (id, (seq, view)) in incidents)
            Execute(incident, id, seq, IncidentKeys.PersistenceId(view.Key), view.State, IncidentProjection.IsOpen(view.State) ? 1 : 0, (object?)view.EndedAt?.UtcTicks ?? DBNull.Value, JsonSerializer.Serialize(view, ProjectionJson.Default.IncidentView));
        using var run = Command(transaction, "insert into runs (id, seq, playbook, incident, view, fold) values ($a, $b, $c, $d, $e, $f) on conflict (id) do update set view = excluded.view, fold = excluded.fold");
        foreach (var (id, (seq, state)) in runs)
        {
            var view = RunProjection.View(state);
            Execute(run, id, seq, view.Playbook, view.Incident,
                JsonSerializer.Serialize(view, ProjectionJson.Default.RunDetail), JsonSerializer.Serialize(state, ProjectionJson.Default.RunState));
        }
    }

    private void Fold<T>(SqliteTransaction transaction, Dictionary<string, (long Seq, T View)> batch, string id, long offset, string table, JsonTypeInfo<T> json, Func<T?, T?> apply)
        where T : class
    {
        if (!batch.TryGetValue(id, out var known) && Load(transaction, table, id, json) is { } loaded) known = loaded;
        if (apply(known.View) is { } next) batch[id] = (known.View is null ? offset : known.Seq, next);
    }

    private (long Seq, T View)? Load<T>(SqliteTransaction transaction, string table, string id, JsonTypeInfo<T> json)
    {
        using var command = Command(transaction, table == "runs" ? "select seq, fold from runs where id = $a" : "select seq, view from incidents where id = $a");
        command.Parameters.AddWithValue("$a", id);
        using var reader = command.ExecuteReader();
        return reader.Read() ? (reader.GetInt64(0), JsonSerializer.Deserialize(reader.GetString(1), json)!) : null;
    }

    private SqliteCommand Command(SqliteTransaction? transaction, string sql)
    {
        var command = _connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // constants of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private static void Execute(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        command.Parameters.Clear();
        for (var i = 0; i < values.Length; i++) command.Parameters.AddWithValue("$" + (char)('a' + i), values[i]);
        command.ExecuteNonQuery();
    }

    private long ReadPosition(SqliteTransaction? transaction = null)
    {
        using var command = Command(transaction, "select position from meta");
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
