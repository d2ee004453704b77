using System.Data.Common;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Hosting;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Backup;

/// <summary>
/// Fills an empty data directory and an empty database from a backup. The node that starts on it is held: what was unfinished when the
/// backup was made is old news, and an operator decides whether it goes on.
/// </summary>
internal static class JournalRestore
{
    private static readonly TimeSpan TablesWithin = TimeSpan.FromSeconds(60);

    /// <summary>What a directory may hold before.</summary>
    private static readonly string[] Harmless = ["admin.key", "node.lock", "schema"];

    /// <exception cref="IOException">Something is there already, a node runs on it, or the backup cannot be read.</exception>
    public static async Task<BackupContent> ReadAsync(string file, GuardianOptions options, TimeProvider time)
    {
        var (backup, content) = JournalBackup.Open(file);
        await using var opened = backup;
        var path = Path.GetFullPath(options.Node.DataDirectory);
        RefuseUsed(path);
        using var directory = DataDirectory.Open(new NodeOptions { DataDirectory = path, Name = options.Node.Name.Length > 0 ? options.Node.Name : content.Node });
        var database = JournalDatabase.From(options.Persistence, path);
        database.Prepare();
        RefuseFilled(database);
        await MakeTablesAsync(options, path);
        using var view = JournalView.Open(backup);
        // First: whatever ends this in between, a node that starts on what is there by then is held.
        await new ModeFile(path).WriteAsync(new ClusterMode
        {
            Mode = Guardian.Playbooks.Model.OperatingMode.Enforce, Hold = true, By = "restore", At = time.GetUtcNow(),
            Reason = $"restored from a backup of {content.MadeAt:O}: what was unfinished then waits for an operator; 'guardian resume' goes on",
        });
        Fill(database, view);
        using (var command = JournalCopy.Command(backup, view.JournalRead, "select name, content from files"))
        using (var reader = command.ExecuteReader())
            while (reader.Read()) await File.WriteAllBytesAsync(Inside(path, reader.GetString(0)), (byte[])reader.GetValue(1));
        return content;
    }

    private static void RefuseUsed(string path)
    {
        if (!Directory.Exists(path)) return;
        var found = Directory.EnumerateFileSystemEntries(path).Select(x => Path.GetFileName(x)!).Except(Harmless, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (found.Count == 0) return;
        try
        {
            if (File.Exists(Path.Combine(path, "node.lock"))) new FileStream(Path.Combine(path, "node.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
        }
        catch (IOException e)
        {
            throw new IOException($"a node is running on {path}; stop it, and restore into another directory (Guardian:Node:DataDirectory)", e);
        }

        throw new IOException($"{path} is not empty ({string.Join(", ", found.Take(5))}); restore into another directory (Guardian:Node:DataDirectory), or move what is there away");
    }

    private static void RefuseFilled(JournalDatabase database)
    {
        using var connection = database.Connect(database.Journal);
        try
        {
            connection.Open();
            if (JournalCopy.Scalar(connection, null, "select count(*) from (select 1 from guardian_journal limit 1) as x") == 0) return;
        }
        catch (DbException e) when (e is Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 1 } or Npgsql.PostgresException { SqlState: Npgsql.PostgresErrorCodes.UndefinedTable })
        {
            return; // no table yet
        }

        throw new IOException("the database already holds a journal; restore into an empty one (Guardian:Persistence:ConnectionString)");
    }

    private static void Fill(JournalDatabase database, JournalView from)
    {
        using var journal = database.Connect(database.Journal);
        journal.Open();
        // Snapshots first: should it end in between, the journal is still empty and a second try is refused by nothing but the files.
        using (var snapshots = database.Connect(database.Snapshots))
        {
            snapshots.Open();
            using var write = snapshots.BeginTransaction();
            JournalCopy.Rows(from.Snapshots, from.SnapshotsRead, snapshots, write, JournalCopy.Snapshots);
            write.Commit();
        }

        using var transaction = journal.BeginTransaction();
        using (var clear = JournalCopy.Command(journal, transaction, "delete from guardian_meta")) clear.ExecuteNonQuery();
        JournalCopy.Rows(from.Journal, from.JournalRead, journal, transaction, JournalCopy.Events);
        JournalCopy.Rows(from.Journal, from.JournalRead, journal, transaction, JournalCopy.Tags);
        JournalCopy.Rows(from.Journal, from.JournalRead, journal, transaction, JournalCopy.Meta);
        if (!database.IsSqlite)
            JournalCopy.Scalar(journal, transaction, "select setval(pg_get_serial_sequence('guardian_journal', 'ordering'), (select coalesce(max(ordering), 0) + 1 from guardian_journal), false)");
        transaction.Commit();
    }

    /// <summary>The journal's plug-in makes its tables itself when it starts; nobody else knows them better.</summary>
    private static async Task MakeTablesAsync(GuardianOptions options, string path)
    {
        var system = ActorSystem.Create("restore", ConfigurationFactory.ParseString("""
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            akka.coordinated-shutdown { run-by-actor-system-terminate = off, run-by-clr-shutdown-hook = off }
            """).WithFallback(GuardianPersistence.Hocon(options.Persistence, path)));
        try
        {
            var maker = system.ActorOf(Props.Create(() => new TableMaker()));
            if (await maker.Ask<object>("made?", TablesWithin).ConfigureAwait(false) is Exception e) throw new IOException($"the journal's tables could not be made: {e.Message}", e);
        }
        catch (AskTimeoutException e)
        {
            throw new IOException($"the journal's tables could not be made within {TablesWithin.TotalSeconds:0} s; is the database there?", e);
        }
        finally
        {
            await system.Terminate().ConfigureAwait(false);
        }
    }

    private static string Inside(string directory, string name)
    {
        var file = Path.GetFullPath(name, directory);
        return file.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? file : throw new IOException($"the backup names a file outside of the data directory: {name}");
    }

    /// <summary>Recovers from both plug-ins, which then are started; writes nothing.</summary>
    private sealed class TableMaker : ReceivePersistentActor
    {
        public TableMaker()
        {
            JournalPluginId = GuardianPersistence.JournalId;
            SnapshotPluginId = GuardianPersistence.SnapshotsId;
            Command<string>(x => Sender.Tell(x));
        }

        public override string PersistenceId => "restore";
    }
}
