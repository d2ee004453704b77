using System.Data.Common;
using Guardian.Actors.Hosting;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Guardian.Actors.Persistence;

/// <summary>Where the journal and the snapshots are.</summary>
/// <param name="IsSqlite">False: PostgreSQL.</param>
/// <param name="Journal">Connection string of the journal.</param>
/// <param name="Snapshots">Connection string of the snapshots; with SQLite a file of its own, so that they do not wait for each other's lock.</param>
internal sealed record JournalDatabase(bool IsSqlite, string Journal, string Snapshots)
{
    /// <summary>Seconds that a SQLite command waits for another's lock; the circuit breaker's call time-out is as long.</summary>
    private const int LockTimeoutSeconds = 5;

    /// <summary>A start does not wait longer for a PostgreSQL that does not answer.</summary>
    private const int StartTimeoutSeconds = 3;

    /// <exception cref="ArgumentException">Unknown provider, or postgres without connection string.</exception>
    public static JournalDatabase From(string provider, string connectionString, string dataDirectory) => provider.ToLowerInvariant() switch
    {
        "sqlite" => Sqlite(connectionString, dataDirectory),
        "postgres" when connectionString.Length == 0 =>
            throw new ArgumentException("Guardian:Persistence:ConnectionString: required with provider postgres", nameof(connectionString)),
        "postgres" => new JournalDatabase(false, connectionString, connectionString),
        _ => throw new ArgumentException($"Guardian:Persistence:Provider: '{provider}' is not known; use sqlite or postgres", nameof(provider)),
    };

    /// <inheritdoc cref="From(string, string, string)"/>
    public static JournalDatabase From(PersistenceOptions options, string dataDirectory) => From(options.Provider, options.ConnectionString, dataDirectory);

    /// <summary>
    /// Before Akka starts: creates the SQLite files in write-ahead mode, which is remembered in the file. With the default
    /// <c>synchronous=FULL</c> a commit is on the disk when it is answered. What a newer version wrote is refused; a PostgreSQL
    /// that does not answer now is asked again by the journal's watch.
    /// </summary>
    /// <exception cref="IOException">The files cannot be created or written, or a newer version wrote them.</exception>
    public void Prepare()
    {
        if (IsSqlite)
            foreach (var connectionString in new[] { Journal, Snapshots }) Create(connectionString);
        try
        {
            // Not pooled: a handle that stays open keeps the write-ahead log from being folded in.
            using var connection = Connect(IsSqlite ? new SqliteConnectionStringBuilder(Journal) { Pooling = false }.ConnectionString : new NpgsqlConnectionStringBuilder(Journal) { Timeout = StartTimeoutSeconds, CommandTimeout = StartTimeoutSeconds }.ConnectionString);
            connection.Open();
            if (JournalMeta.Refusal(JournalMeta.Prepare(connection), "Guardian:Persistence: the journal database") is { } refusal) throw new IOException(refusal);
        }
        catch (DbException) when (!IsSqlite)
        {
            // Guardian starts degraded.
        }
        catch (SqliteException e)
        {
            throw new IOException($"Guardian:Persistence: the journal database cannot be written ({e.Message}); is another process holding it?", e);
        }
    }

    /// <summary>A closed connection to <see cref="Journal"/> or <see cref="Snapshots"/>.</summary>
    public DbConnection Connect(string connectionString) => IsSqlite ? new SqliteConnection(connectionString) : new NpgsqlConnection(connectionString);

    private static JournalDatabase Sqlite(string connectionString, string dataDirectory)
    {
        var journal = connectionString.Length > 0
            ? new SqliteConnectionStringBuilder(connectionString)
            : new SqliteConnectionStringBuilder { DataSource = Path.Combine(Path.GetFullPath(dataDirectory), "journal.db") };
        if (connectionString.Length == 0 || !connectionString.Contains("Timeout", StringComparison.OrdinalIgnoreCase))
            journal.DefaultTimeout = LockTimeoutSeconds;
        var folder = Path.GetDirectoryName(Path.GetFullPath(journal.DataSource))!;
        var file = Path.GetFileName(journal.DataSource);
        var snapshots = new SqliteConnectionStringBuilder(journal.ConnectionString)
        {
            DataSource = Path.Combine(folder, file == "journal.db" ? "snapshots.db" : Path.GetFileNameWithoutExtension(file) + ".snapshots.db"),
        };
        return new JournalDatabase(true, journal.ConnectionString, snapshots.ConnectionString);
    }

    private static void Create(string connectionString)
    {
        var path = Path.GetFullPath(new SqliteConnectionStringBuilder(connectionString).DataSource);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=WAL";
            if (command.ExecuteScalar() is not "wal")
                throw new IOException($"Guardian:Persistence: {path} does not take write-ahead mode; it must be on a local disk, not on a network share");
        }
        catch (Exception e) when (e is SqliteException or UnauthorizedAccessException)
        {
            throw new IOException($"Guardian:Persistence: {path} cannot be written ({e.Message}); is another process holding it?", e);
        }
    }
}
