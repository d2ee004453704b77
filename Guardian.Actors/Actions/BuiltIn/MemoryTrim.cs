using System.ComponentModel;
using System.Runtime;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary><c>memory.trim</c> takes no input.</summary>
internal sealed record MemoryTrimInput;

/// <summary>Output of <c>memory.trim</c>.</summary>
internal sealed record MemoryTrimOutput(
    [property: Description("Resident memory of this process before, bytes.")] long BeforeBytes,
    [property: Description("And after.")] long AfterBytes,
    [property: Description("Given back to the system.")] long FreedBytes);

/// <summary>
/// Compacts the managed heap, closes pooled database connections that nobody uses, and gives free pages back to the system.
/// It stops this process's managed threads for as long as that takes, tens to hundreds of milliseconds.
/// </summary>
internal sealed class MemoryTrim : GuardianAction<MemoryTrimInput, MemoryTrimOutput>
{
    public override string Name => "memory.trim";

    public override string Summary => "Compacts this node's heap and gives free memory back to the system.";

    public override RiskClass Risk => RiskClass.Contain;

    public override bool Idempotent => true;

    public override Task<MemoryTrimOutput> ExecuteAsync(MemoryTrimInput input, ActionContext context, CancellationToken cancellation)
    {
        var before = Environment.WorkingSet;
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var after = Environment.WorkingSet;
        return Task.FromResult(new MemoryTrimOutput(before, after, Math.Max(0, before - after)));
    }

    public override Task<(OutcomeKind Kind, MemoryTrimOutput? Output)> ProbeAsync(MemoryTrimInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (MemoryTrimOutput?)null));
}
