using System.ComponentModel;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>Input of the faults of the SQLite journal.</summary>
internal sealed record JournalOutage([property: Description("How long; 5s where not given.")] Duration? For = null)
{
    public TimeSpan Length => For?.Value ?? TimeSpan.FromSeconds(5);
}

/// <summary>A fault of the SQLite journal in the node's data directory.</summary>
internal abstract class JournalFault : ChaosFault<JournalOutage>
{
    public override FaultFacts Facts(JournalOutage input) => new() { Length = input.Length };

    public override string? Check(JournalOutage input, TimeSpan ttl) =>
        input.Length >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the outage before 'for' ({new Duration(input.Length)}) is through" : null;

    public override string? Unsupported(JournalOutage input, FaultContext context) =>
        context.DataDirectory is null ? "the node's data directory is not known here"
        : File.Exists(Journal(context)) ? null
        : $"there is no SQLite journal at {Journal(context)}";

    protected static string Journal(FaultContext context) => Path.Combine(context.DataDirectory!, "journal.db");

    protected static Task LastAsync(JournalOutage input, FaultContext context, CancellationToken withdraw) =>
        Task.Delay(input.Length, context.Time, withdraw).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}

/// <summary>Another connection holds the journal's write lock: writes wait, then fail.</summary>
internal sealed class JournalLock : JournalFault
{
    public override string Name => "journal.lock";

    public override string Summary => "Somebody else holds the SQLite journal's write lock.";

    public override string UndoText => "the lock belongs to the runner's process and ends with it";

    public override async Task RunAsync(JournalOutage input, FaultContext context, CancellationToken withdraw)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Journal(context), Pooling = false, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = 5 }.ConnectionString);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(withdraw).ConfigureAwait(false);
            var command = connection.CreateCommand();
            await using (command.ConfigureAwait(false))
            {
                command.CommandText = "BEGIN IMMEDIATE";
                await command.ExecuteNonQueryAsync(withdraw).ConfigureAwait(false);
                await LastAsync(input, context, withdraw).ConfigureAwait(false);
                command.CommandText = "ROLLBACK";
                await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>The journal's files become immutable, also for those who have them open.</summary>
internal sealed class JournalReadOnly : JournalFault
{
    private static readonly string[] Suffixes = ["", "-wal"];

    public override string Name => "journal.readonly";

    public override string Summary => "The SQLite journal's files take no writes (immutable; needs root and a file system that can).";

    public override string UndoText => "the leasekeeper takes the immutable flags off";

    public override string? Unsupported(JournalOutage input, FaultContext context)
    {
        if (base.Unsupported(input, context) is { } reason) return reason;
        if (Posix.Unsupported is { } platform) return platform;
        return Posix.IsRoot ? null : "only root can make files immutable";
    }

    internal override IReadOnlyList<LeaseUndo> Undo(JournalOutage input, FaultContext context) => [.. Files(context).Select(x => new ClearImmutable(x))];

    public override async Task RunAsync(JournalOutage input, FaultContext context, CancellationToken withdraw)
    {
        var files = Files(context);
        try
        {
            foreach (var file in files) Posix.SetImmutable(file, true);
            await LastAsync(input, context, withdraw).ConfigureAwait(false);
        }
        finally
        {
            foreach (var file in files) Posix.SetImmutable(file, false);
        }
    }

    private static IReadOnlyList<string> Files(FaultContext context) => [.. Suffixes.Select(x => Journal(context) + x).Where(File.Exists)];
}

/// <summary>The file system of the data directory is filled up. Only where it is a small one of its own.</summary>
internal sealed class JournalFull : JournalFault
{
    /// <summary>A disk larger than this belongs to more than the node.</summary>
    internal const long Largest = 256L * 1024 * 1024;

    private static readonly int[] BlockSizes = [1024 * 1024, 4096]; // coarse, then the last pages

    public override string Name => "journal.full";

    public override string Summary => "No space is left for the journal; needs a scenario whose node has its data on a memory disk.";

    public override string UndoText => "the leasekeeper deletes the filling file";

    public override string? Unsupported(JournalOutage input, FaultContext context)
    {
        if (base.Unsupported(input, context) is { } reason) return reason;
        return new DriveInfo(context.DataDirectory!).TotalSize <= Largest ? null : "the data directory is not on a small disk of its own; 'node: { memoryDiskMiB: 64 }' gives it one, which needs root";
    }

    internal override IReadOnlyList<LeaseUndo> Undo(JournalOutage input, FaultContext context) => [new DeletePath(Filler(context))];

    public override async Task RunAsync(JournalOutage input, FaultContext context, CancellationToken withdraw)
    {
        try
        {
            Fill(Filler(context));
            await LastAsync(input, context, withdraw).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(Filler(context));
        }
    }

    private static void Fill(string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in BlockSizes)
        {
            var block = new byte[size];
            try
            {
                while (true) stream.Write(block);
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    private static string Filler(FaultContext context) => Path.Combine(context.DataDirectory!, "guardian-filler");
}
