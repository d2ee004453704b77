using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Asks the database itself: a real write to a row of its own, on a fresh connection, so that a locked, read-only, full,
/// deleted or unreachable database is seen. The journal's circuit breaker sees none of these before somebody's write fails.
/// </summary>
internal sealed class JournalHealthCheck(JournalDatabase database, TimeProvider time)
{
    /// <summary>Longest wait for another's lock; the journal's own commits take milliseconds.</summary>
    public const int LockTimeoutSeconds = 1;

    private const string Table = "create table if not exists guardian_health (id integer primary key, checked bigint not null)";
    private const string Write = "insert into guardian_health (id, checked) values (1, @at) on conflict (id) do update set checked = excluded.checked";
    private bool _created;

    /// <summary>One check. Off actor threads: SQLite blocks.</summary>
    public async Task<JournalHealth> CheckAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        try
        {
            await using var connection = Connect();
            await connection.OpenAsync(cancellation).ConfigureAwait(false);
            if (!_created)
            {
                await RunAsync(connection, Table, null, cancellation).ConfigureAwait(false);
                if (JournalMeta.Refusal(JournalMeta.Prepare(connection), "the journal database") is { } refusal) return new JournalHealth(false, refusal, now);
                _created = true;
            }

            await RunAsync(connection, Write, now, cancellation).ConfigureAwait(false);
            return new JournalHealth(true, null, now, JournalMeta.NumberFloor(connection));
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            _created = false; // the file may have been replaced
            return new JournalHealth(false, Explain(e), now);
        }
    }

    private DbConnection Connect()
    {
        if (database.IsSqlite)
        {
            // Never pooled: an open handle would go on answering for a file that was deleted. Never created here: an empty new file is not the journal.
            var builder = new SqliteConnectionStringBuilder(database.Journal) { Pooling = false, DefaultTimeout = LockTimeoutSeconds };
            if (builder.Mode == SqliteOpenMode.ReadWriteCreate) builder.Mode = SqliteOpenMode.ReadWrite;
            return new SqliteConnection(builder.ConnectionString);
        }

        return new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.Journal) { Timeout = 2, CommandTimeout = 2, MaxPoolSize = 2, ApplicationName = "guardian-health" }.ConnectionString);
    }

    private static async Task RunAsync(DbConnection connection, string sql, DateTimeOffset? at, CancellationToken cancellation)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (at is { } value)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = "@at";
            parameter.Value = value.ToUnixTimeMilliseconds();
            command.Parameters.Add(parameter);
        }

        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    // Primary result codes of SQLite, https://www.sqlite.org/rescode.html
    private static string Explain(Exception e) => e is SqliteException sqlite
        ? sqlite.SqliteErrorCode switch
        {
            5 or 6 => "the journal database is locked by another connection",
            8 => "the journal database is read-only",
            13 => "the disk of the journal database is full",
            14 => "the journal database cannot be opened: file missing or not permitted",
            11 or 26 => "the journal database is damaged",
            _ => "the journal database failed: " + sqlite.Message,
        }
        : "the journal database does not answer: " + e.GetBaseException().Message;
}
