using System.Globalization;
using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Backup;

/// <summary>What a backup holds.</summary>
/// <param name="Events">Events.</param>
/// <param name="Snapshots">Snapshots.</param>
/// <param name="MadeAt">When, UTC.</param>
/// <param name="Node">The node's name.</param>
internal sealed record BackupContent(long Events, long Snapshots, DateTimeOffset MadeAt, string Node);

/// <summary>
/// Writes the journal, its snapshots and the node's tickets into one file while the node runs. The file is SQLite, whichever database
/// it comes from, and can be restored into either. Keys and secrets are not in it.
/// </summary>
internal static class JournalBackup
{
    /// <summary>Files of the data directory besides the journal that a restored node goes on with.</summary>
    public const string NameFile = "node.name";

    /// <exception cref="IOException">The target exists, or something cannot be read or written.</exception>
    public static BackupContent Write(JournalDatabase database, string dataDirectory, string ticketFile, string target, DateTimeOffset now)
    {
        var path = Path.GetFullPath(target);
        if (File.Exists(path)) throw new IOException($"{path} exists; a backup never overwrites another");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = path + ".partial";
        File.Delete(partial);
        try
        {
            var content = WritePartial(database, dataDirectory, ticketFile, partial, now);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(partial, path, overwrite: false);
            return content;
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>Opens a backup for reading.</summary>
    /// <exception cref="IOException">It is none, or of a newer version.</exception>
    public static (SqliteConnection Connection, BackupContent Content) Open(string file)
    {
        if (!File.Exists(file)) throw new IOException($"{Path.GetFullPath(file)} does not exist");
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            using var command = JournalCopy.Command(connection, null, "select format, made_at, node from backup");
            using var reader = command.ExecuteReader();
            if (!reader.Read()) throw new IOException($"{file} is not complete");
            if (reader.GetInt32(0) > JournalCopy.Format) throw new IOException($"{file} was written by a newer Guardian (backup format {reader.GetInt32(0)}; this version reads {JournalCopy.Format})");
            if (JournalMeta.Refusal((int)JournalCopy.Scalar(connection, null, "select value from guardian_meta where name = 'schema'"), file) is { } refusal) throw new IOException(refusal);
            return (connection, new BackupContent(
                JournalCopy.Scalar(connection, null, "select count(*) from guardian_journal"), JournalCopy.Scalar(connection, null, "select count(*) from guardian_snapshot"),
                DateTimeOffset.Parse(reader.GetString(1), CultureInfo.InvariantCulture), reader.GetString(2)));
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new IOException($"{file} is not a backup of Guardian: {e.Message}", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static BackupContent WritePartial(JournalDatabase database, string dataDirectory, string ticketFile, string partial, DateTimeOffset now)
    {
        using var view = JournalView.Open(database);
        using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = partial, Pooling = false }.ConnectionString);
        target.Open();
        using var transaction = target.BeginTransaction();
        using (var schema = JournalCopy.Command(target, transaction, JournalCopy.Schema)) schema.ExecuteNonQuery();
        var events = JournalCopy.Rows(view.Journal, view.JournalRead, target, transaction, JournalCopy.Events);
        JournalCopy.Rows(view.Journal, view.JournalRead, target, transaction, JournalCopy.Tags);
        JournalCopy.Rows(view.Journal, view.JournalRead, target, transaction, JournalCopy.Meta);
        var snapshots = JournalCopy.Rows(view.Snapshots, view.SnapshotsRead, target, transaction, JournalCopy.Snapshots);
        var name = Path.Combine(dataDirectory, NameFile);
        var node = File.Exists(name) ? File.ReadAllText(name).Trim() : "";
        if (ticketFile.Length > 0 && Path.Combine(dataDirectory, ticketFile) is var tickets && File.Exists(tickets))
        {
            using var file = JournalCopy.Command(target, transaction, "insert into files (name, content) values (@name, @content)");
            Add(file, "@name", ticketFile);
            Add(file, "@content", File.ReadAllBytes(tickets));
            file.ExecuteNonQuery();
        }

        using var note = JournalCopy.Command(target, transaction, "insert into backup (format, made_at, node, source) values (@format, @at, @node, @source)");
        Add(note, "@format", JournalCopy.Format);
        Add(note, "@at", now.ToString("O", CultureInfo.InvariantCulture));
        Add(note, "@node", node);
        Add(note, "@source", database.IsSqlite ? "sqlite" : "postgres");
        note.ExecuteNonQuery();
        transaction.Commit();
        return new BackupContent(events, snapshots, now, node);
    }

    private static void Add(System.Data.Common.DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }
}
