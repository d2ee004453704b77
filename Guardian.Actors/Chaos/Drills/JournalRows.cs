using System.Data.Common;
using System.Text.Json;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Reads the journal itself for <see cref="JournalChecker"/> and <see cref="RunHistoryChecker"/>.</summary>
/// <param name="Rows">All events, without their contents.</param>
/// <param name="Runs">Those of <see cref="RunHistoryChecker.Kinds"/>.</param>
internal sealed record JournalRows(IReadOnlyList<JournalRow> Rows, IReadOnlyList<RunRow> Runs)
{
    public IReadOnlyList<string> Problems => [.. JournalChecker.Check(Rows), .. RunHistoryChecker.Check(Runs)];

    /// <summary>Null where there is no journal.</summary>
    /// <exception cref="ChaosTargetException">It cannot be read.</exception>
    public static async Task<JournalRows?> ReadAsync(JournalDatabase journal, CancellationToken cancellation)
    {
        if (journal.IsSqlite && !File.Exists(new SqliteConnectionStringBuilder(journal.Journal).DataSource)) return null;
        try
        {
            return await Task.Run(() => Read(journal), cancellation).ConfigureAwait(false); // SQLite blocks
        }
        catch (DbException e)
        {
            throw new ChaosTargetException($"the journal cannot be read: {e.Message}", e);
        }
    }

    private static JournalRows Read(JournalDatabase journal)
    {
        using var connection = Open(journal);
        var rows = new List<JournalRow>();
        using (var command = connection.CreateCommand())
        {
            command.CommandText = "select ordering, persistence_id, sequence_number, writer_uuid from guardian_journal";
            using var reader = command.ExecuteReader();
            while (reader.Read()) rows.Add(new JournalRow(reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2), reader.IsDBNull(3) ? "" : reader.GetString(3)));
        }

        var runs = new List<RunRow>();
        using (var command = connection.CreateCommand())
        {
#pragma warning disable CA2100 // constants
            command.CommandText = $"select ordering, persistence_id, manifest, message from guardian_journal where manifest in ({string.Join(", ", RunHistoryChecker.Kinds.Select(x => $"'{x}'"))}) order by ordering";
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                using var json = JsonDocument.Parse(reader.GetFieldValue<byte[]>(3));
                runs.Add(new RunRow(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), json.RootElement.Clone()));
            }
        }

        return new JournalRows(rows, runs);
    }

    private static DbConnection Open(JournalDatabase journal)
    {
        var connection = journal.Connect(journal.IsSqlite
            ? new SqliteConnectionStringBuilder(journal.Journal) { Pooling = false, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = JournalHealthCheck.LockTimeoutSeconds }.ConnectionString
            : new NpgsqlConnectionStringBuilder(journal.Journal) { Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }
}
