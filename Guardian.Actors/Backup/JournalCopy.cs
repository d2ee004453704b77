using System.Data;
using System.Data.Common;
using System.Globalization;
using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Backup;

/// <summary>The tables that a backup holds, in whichever database, and how rows get from one to another.</summary>
internal static class JournalCopy
{
    /// <summary>Version of the backup's own format.</summary>
    public const int Format = 1;

    public static Table Events { get; } = new("guardian_journal", "ordering",
        ["ordering", "created", "deleted", "persistence_id", "sequence_number", "message", "manifest", "identifier", "writer_uuid"]);

    public static Table Tags { get; } = new("guardian_tags", "ordering_id", ["ordering_id", "tag", "sequence_nr", "persistence_id"]);

    public static Table Meta { get; } = new("guardian_meta", "name", ["name", "value"]);

    public static Table Snapshots { get; } = new("guardian_snapshot", "persistence_id, sequence_number",
        ["persistence_id", "sequence_number", "created", "snapshot", "manifest", "serializer_id"]);

    /// <summary>Tables of the backup's file.</summary>
    public const string Schema = """
        create table guardian_journal (ordering integer primary key, created integer not null, deleted integer not null, persistence_id text not null, sequence_number integer not null,
          message blob not null, manifest text, identifier integer, writer_uuid text);
        create unique index guardian_journal_uq on guardian_journal (persistence_id, sequence_number);
        create table guardian_tags (ordering_id integer not null, tag text not null, sequence_nr integer not null, persistence_id text not null, primary key (ordering_id, tag));
        create table guardian_meta (name text primary key, value integer not null);
        create table guardian_snapshot (persistence_id text not null, sequence_number integer not null, created integer not null, snapshot blob, manifest text, serializer_id integer,
          primary key (persistence_id, sequence_number));
        create table backup (format integer not null, made_at text not null, node text not null, source text not null);
        create table files (name text primary key, content blob not null);
        """;

    /// <summary>A table by its key and columns.</summary>
    internal sealed record Table(string Name, string Key, IReadOnlyList<string> Columns);

    /// <summary>Copies all rows. Returns how many.</summary>
    /// <param name="from">Source.</param>
    /// <param name="read">Its transaction: one view of all tables.</param>
    /// <param name="to">Target.</param>
    /// <param name="write">Its transaction: all rows or none.</param>
    /// <param name="table">Which.</param>
    public static long Rows(DbConnection from, DbTransaction? read, DbConnection to, DbTransaction? write, Table table)
    {
        using var select = Command(from, read, $"select {string.Join(", ", table.Columns)} from {table.Name} order by {table.Key}");
        using var insert = Command(to, write, $"insert into {table.Name} ({string.Join(", ", table.Columns)}) {(to is SqliteConnection ? "" : "overriding system value ")}values ({string.Join(", ", table.Columns.Select(x => "@" + x))})");
        foreach (var column in table.Columns)
        {
            var parameter = insert.CreateParameter();
            parameter.ParameterName = "@" + column;
            insert.Parameters.Add(parameter);
        }

        var rows = 0L;
        var toSqlite = to is SqliteConnection;
        using var reader = select.ExecuteReader(CommandBehavior.SequentialAccess);
        while (reader.Read())
        {
            for (var i = 0; i < table.Columns.Count; i++)
            {
                var value = reader.GetValue(i);
                // A flag is a number in one database and a truth in the other.
                insert.Parameters[i].Value = table.Columns[i] != "deleted" ? value : toSqlite ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : Convert.ToBoolean(value, CultureInfo.InvariantCulture);
            }

            insert.ExecuteNonQuery();
            rows++;
        }

        return rows;
    }

    public static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandTimeout = 0; // as long as the data need
#pragma warning disable CA2100 // constants of this room
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    public static long Scalar(DbConnection connection, DbTransaction? transaction, string sql)
    {
        using var command = Command(connection, transaction, sql);
        return command.ExecuteScalar() is { } value and not DBNull ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : 0;
    }
}

/// <summary>The journal and the snapshots, read as they were at one moment while others go on writing.</summary>
internal sealed class JournalView : IDisposable
{
    private JournalView(DbConnection journal, DbTransaction journalRead, DbConnection snapshots, DbTransaction snapshotsRead) =>
        (Journal, JournalRead, Snapshots, SnapshotsRead) = (journal, journalRead, snapshots, snapshotsRead);

    public DbConnection Journal { get; }
    public DbTransaction JournalRead { get; }
    public DbConnection Snapshots { get; }
    public DbTransaction SnapshotsRead { get; }

    /// <summary>
    /// Opens the view. SQLite keeps snapshots in a file of their own: the journal's moment comes first, so that a snapshot never lacks
    /// events before it that the journal has deleted.
    /// </summary>
    /// <exception cref="IOException">There is no journal, or it cannot be read.</exception>
    public static JournalView Open(JournalDatabase database)
    {
        try
        {
            var (journal, journalRead) = Begin(database, database.Journal, JournalCopy.Events.Name);
            if (!database.IsSqlite) return new JournalView(journal, journalRead, journal, journalRead);
            var (snapshots, snapshotsRead) = Begin(database, database.Snapshots, JournalCopy.Snapshots.Name);
            return new JournalView(journal, journalRead, snapshots, snapshotsRead);
        }
        catch (DbException e)
        {
            throw new IOException($"the journal cannot be read: {e.Message}; it is where Guardian:Persistence and Guardian:Node:DataDirectory say", e);
        }
    }

    /// <summary>A backup's file, seen the same way.</summary>
    public static JournalView Open(SqliteConnection backup)
    {
        var read = backup.BeginTransaction(deferred: true);
        return new JournalView(backup, read, backup, read);
    }

    public void Dispose()
    {
        JournalRead.Dispose();
        Journal.Dispose();
        if (ReferenceEquals(Journal, Snapshots)) return;
        SnapshotsRead.Dispose();
        Snapshots.Dispose();
    }

    private static (DbConnection, DbTransaction) Begin(JournalDatabase database, string connectionString, string table)
    {
        if (!database.IsSqlite)
        {
            var connection = database.Connect(connectionString);
            connection.Open();
            return (connection, connection.BeginTransaction(IsolationLevel.RepeatableRead));
        }

        var file = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        file.Open();
        var read = file.BeginTransaction(deferred: true);
        JournalCopy.Scalar(file, read, $"select count(*) from (select 1 from {table} limit 1)"); // from here on it sees this moment
        return (file, read);
    }
}
