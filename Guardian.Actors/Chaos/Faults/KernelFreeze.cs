using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The processes of one replica get SIGSTOP. The node's leasekeeper has SIGCONT on disk before.</summary>
internal sealed class KernelFreeze : ChaosFault<KernelFreeze.Input>
{
    internal sealed record Input(
        [property: Description("A process kernel.")] string Kernel,
        [property: Description("What is left of it then goes on.")] Duration For,
        [property: Description("From 0.")] int Replica = 0);

    public override string Name => "kernel.freeze";

    public override string Summary => "SIGSTOP to the processes of a kernel.";

    public override bool InNode => true;

    public override string UndoText => "the node's leasekeeper sends SIGCONT, also when the node is dead";

    public override FaultFacts Facts(Input input) => new() { Subject = input.Kernel, Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) => input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through" : null;

    public override string? Unsupported(Input input, FaultContext context) => Posix.Unsupported;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var parts = (context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts;
        var processes = new InstanceFolder(InstanceFolder.Root(parts.DataDirectory), input.Kernel, input.Replica).Processes();
        if (processes.Count == 0) throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"replica {input.Replica} of kernel '{input.Kernel}' has no process on this node"));
        var lease = new OsLease { Id = $"chaos:{context.Drill}", Owner = "chaos/" + context.Drill, Reason = Name, For = input.For.Value, Undo = [.. processes.Select(x => new ResumeProcess(x))] };
        await parts.Leasekeeper.TakeAsync(lease, withdraw).ConfigureAwait(false);
        foreach (var process in processes) Posix.Signal(process, Posix.SIGSTOP);
        if (!await parts.Leasekeeper.RenewAsync(lease.Id, input.For.Value, CancellationToken.None).ConfigureAwait(false))
            foreach (var process in processes) Posix.Signal(process, Posix.SIGCONT); // it came after its lease's end
        await Task.Delay(input.For.Value, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await parts.Leasekeeper.ReleaseAsync(lease.Id, CancellationToken.None).ConfigureAwait(false);
    }
}
