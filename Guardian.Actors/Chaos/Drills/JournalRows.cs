using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Reads a node's SQLite journal for <see cref="JournalChecker"/>.</summary>
internal static class JournalRows
{
    /// <summary>Empty where there is no SQLite journal.</summary>
    public static async Task<IReadOnlyList<string>> CheckAsync(string dataDirectory, CancellationToken cancellation)
    {
        var path = Path.Combine(dataDirectory, "journal.db");
        if (!File.Exists(path)) return [];
        return await Task.Run(() => JournalChecker.Check(Read(path)), cancellation).ConfigureAwait(false); // SQLite blocks
    }

    private static List<JournalRow> Read(string path)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = JournalHealthCheck.LockTimeoutSeconds }.ConnectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select persistence_id, sequence_number, writer_uuid from guardian_journal";
        using var reader = command.ExecuteReader();
        var rows = new List<JournalRow>();
        while (reader.Read()) rows.Add(new JournalRow(reader.GetString(0), reader.GetInt64(1), reader.IsDBNull(2) ? "" : reader.GetString(2)));
        return rows;
    }
}
