using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Answers lists and searches from the projection's file, on read-only connections of its own and never on an actor's thread.
/// </summary>
/// <param name="path">The projection's file.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is not used holds nothing")]
internal sealed class ReadModel(string path) : IReadModel
{
    /// <summary>Most items in one answer.</summary>
    public const int MaxLimit = 1_000;

    // Events read ahead of a slow consumer, no more.
    private const int EventBatch = 256;

    // Readers at once; SQLite blocks its thread, and the thread pool has better to do.
    private readonly SemaphoreSlim _readers = new(4);

    // Streams of events have their own, so that many of them never keep an operator's question waiting.
    private readonly SemaphoreSlim _streamReaders = new(2);
    private readonly string _connectionString = ProjectionFile.ReadConnectionString(path);
    private TaskCompletionSource _grown = NewSignal();

    /// <summary>The projection took in events: streams look again.</summary>
    public void Grown() => Interlocked.Exchange(ref _grown, NewSignal()).TrySetResult();

    public async Task<IReadOnlyList<IncidentView>> IncidentsAsync(string? state, int limit, string? after, CancellationToken cancellation)
    {
        var where = state switch
        {
            null or "" or "all" => "1 = 1",
            "open" => "open = 1",
            _ => "state = $state",
        };
        return await ListAsync($"select view from incidents where {where} {Page("incidents", after)}",
            [("$state", state), ("$after", after), ("$limit", Limit(limit))], ProjectionJson.Default.IncidentView, cancellation).ConfigureAwait(false);
    }

    public async Task<IncidentView?> IncidentAsync(string id, CancellationToken cancellation) =>
        (await ListAsync("select view from incidents where id = $id", [("$id", id)], ProjectionJson.Default.IncidentView, cancellation).ConfigureAwait(false)).SingleOrDefault();

    public async Task<IReadOnlyList<RunDetail>> RunsAsync(string? playbook, string? incident, int limit, string? after, CancellationToken cancellation)
    {
        var where = (playbook is null ? "1 = 1" : "playbook = $playbook") + (incident is null ? "" : " and incident = $incident");
        return await ListAsync($"select view from runs where {where} {Page("runs", after)}",
            [("$playbook", playbook), ("$incident", incident), ("$after", after), ("$limit", Limit(limit))], ProjectionJson.Default.RunDetail, cancellation).ConfigureAwait(false);
    }

    public async Task<RunDetail?> RunAsync(string id, CancellationToken cancellation) =>
        (await ListAsync("select view from runs where id = $id", [("$id", id)], ProjectionJson.Default.RunDetail, cancellation).ConfigureAwait(false)).SingleOrDefault();

    public async Task<int> OpenIncidentsAsync(CancellationToken cancellation) =>
        (await QueryAsync(_readers, "select count(*) from incidents where open = 1", [], x => x.GetInt32(0), cancellation).ConfigureAwait(false)).SingleOrDefault();

    public async IAsyncEnumerable<EventView> EventsAsync(long after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var grown = Volatile.Read(ref _grown).Task; // before the query: what comes in meanwhile is not missed
            var events = await QueryAsync(_streamReaders, "select position, type, entity, at, summary from events where position > $after order by position limit $limit",
                [("$after", after), ("$limit", EventBatch)],
                x => new EventView(x.GetInt64(0), x.GetString(1), x.GetString(2), new DateTimeOffset(x.GetInt64(3), TimeSpan.Zero), x.GetString(4)),
                cancellation).ConfigureAwait(false);
            foreach (var e in events) yield return e;
            if (events.Count > 0) after = events[^1].Offset;
            if (events.Count < EventBatch) await grown.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static int Limit(int limit) => Math.Clamp(limit, 1, MaxLimit);

    // An id that is not known has no page after it.
    private static string Page(string table, string? after) =>
        (after is null ? "" : $"and seq < (select seq from {table} where id = $after) ") + "order by seq desc limit $limit";

    private Task<List<T>> ListAsync<T>(string sql, (string Name, object? Value)[] parameters, JsonTypeInfo<T> json, CancellationToken cancellation) =>
        QueryAsync(_readers, sql, parameters, x => JsonSerializer.Deserialize(x.GetString(0), json)!, cancellation);

    private async Task<List<T>> QueryAsync<T>(SemaphoreSlim readers, string sql, (string Name, object? Value)[] parameters, Func<SqliteDataReader, T> map, CancellationToken cancellation)
    {
        await readers.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Query(sql, parameters, map), cancellation).ConfigureAwait(false);
        }
        finally
        {
            readers.Release();
        }
    }

    private List<T> Query<T>(string sql, (string Name, object? Value)[] parameters, Func<SqliteDataReader, T> map)
    {
        try
        {
            using var connection = new SqliteConnection(_connectionString);
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // built from constants of this class; values are parameters
            command.CommandText = sql;
#pragma warning restore CA2100
            foreach (var (name, value) in parameters)
                if (value is not null) command.Parameters.AddWithValue(name, value);
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read()) rows.Add(map(reader));
            return rows;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == 14 || ProjectionFile.IsDamage(e))
        {
            return []; // not there yet, or being built again: it answers with what it has
        }
    }
}
