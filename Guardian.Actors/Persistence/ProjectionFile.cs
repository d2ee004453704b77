using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Guardian.Actors.Serialization;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Persistence;

/// <summary>
/// The projection's SQLite file. It holds nothing that the journal does not: where its schema is another version's, or it is
/// damaged, it is deleted and built again.
/// </summary>
internal static class ProjectionFile
{
    /// <summary>Raise it with every change of the tables or of a fold: each node then rebuilds at its next start.</summary>
    public const int SchemaVersion = 2;

    private const string Schema = """
        create table meta (id integer primary key check (id = 1), position integer not null, unreadable text not null default '');
        insert into meta (id, position) values (1, 0);
        create table incidents (id text primary key, seq integer not null, entity text not null, state text not null, open integer not null, ended integer, view text not null) without rowid;
        create index incidents_seq on incidents (seq);
        create index incidents_open on incidents (seq) where open = 1;
        create index incidents_entity on incidents (entity, seq);
        create index incidents_ended on incidents (ended) where open = 0;
        create index incidents_state on incidents (state, seq);
        create table runs (id text primary key, seq integer not null, playbook text not null, incident text not null, view text not null, fold text not null) without rowid;
        create index runs_seq on runs (seq);
        create index runs_playbook on runs (playbook, seq);
        create index runs_incident on runs (incident, seq);
        create table events (position integer primary key, type text not null, entity text not null, at integer not null, summary text not null);
        """;

    /// <summary>SHA-256 of the manifests that this version reads.</summary>
    public static string Vocabulary { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', GuardianSerializer.Known.Select(x => x.Manifest).Order(StringComparer.Ordinal)))));

    /// <summary>The one connection that writes; creates or rebuilds the file first where it must.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rebuilt">Why it was built again; null where it was fine or did not exist.</param>
    public static SqliteConnection OpenForWriting(string path, out string? rebuilt)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        rebuilt = null;
        try
        {
            if (Open(path, ref rebuilt) is { } connection) return connection;
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            rebuilt = "it was damaged: " + e.Message;
        }

        Delete(path);
        string? ignored = null;
        return Open(path, ref ignored) ?? throw new IOException($"{path} cannot be created");
    }

    /// <summary>A connection for one query, from the pool.</summary>
    public static string ReadConnectionString(string path) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadOnly,
        DefaultTimeout = 2,
    }.ConnectionString;

    /// <summary>SQLITE_CORRUPT and SQLITE_NOTADB; generic errors such as a missing table are damage to what should be there.</summary>
    public static bool IsDamage(SqliteException e) => e.SqliteErrorCode is 1 or 11 or 26;

    /// <summary>Takes the file away, also from readers that hold it in their pool.</summary>
    public static void Delete(string path)
    {
        using (var pooled = new SqliteConnection(ReadConnectionString(path))) SqliteConnection.ClearPool(pooled);
        foreach (var suffix in new[] { "", "-wal", "-shm" }) File.Delete(path + suffix);
    }

    private static SqliteConnection? Open(string path, ref string? rebuilt)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 5 }.ConnectionString);
        try
        {
            connection.Open();
            // NORMAL: a power cut may cost the last transactions, never the file; they come again from the journal.
            Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
            var version = Convert.ToInt32(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
            if (version == SchemaVersion && Scalar(connection, "select unreadable from meta") is string unreadable)
            {
                if (unreadable.Length == 0 || unreadable == Vocabulary) return connection;
                rebuilt = "it passed over events that this version can read";
                connection.Dispose();
                return null;
            }

            if (version == 0 && Scalar(connection, "select count(*) from sqlite_master") is 0L)
            {
                Run(connection, $"begin; {Schema} PRAGMA user_version={SchemaVersion.ToString(CultureInfo.InvariantCulture)}; commit;");
                return connection;
            }

            rebuilt = string.Create(CultureInfo.InvariantCulture, $"its schema is version {version}, this program's {SchemaVersion}");
            connection.Dispose();
            return null;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
