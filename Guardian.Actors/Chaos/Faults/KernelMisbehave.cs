using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>
/// SIGUSR1 to a kernel whose command misbehaves on it: it burns the processor, or takes memory. The instance that follows it
/// behaves. Only kernels of the drill's own node: a command that does not know the signal is ended by it.
/// </summary>
internal sealed class KernelMisbehave : ChaosFault<KernelMisbehave.Input>
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    internal sealed record Input(
        [property: Description("A process kernel of the scenario's own node.")] string Kernel,
        [property: Description("What is left of that instance then is killed; a healthy one follows.")] Duration For,
        [property: Description("From 0.")] int Replica = 0);

    public override string Name => "kernel.misbehave";

    public override string Summary => "A kernel begins to burn the processor or to take memory, as the scenario's command does on SIGUSR1.";

    public override string UndoText => "the leasekeeper kills that instance of the kernel";

    public override FaultFacts Facts(Input input) => new() { Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) => input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through" : null;

    public override string? Unsupported(Input input, FaultContext context) =>
        Posix.Unsupported ?? (context.Node is null ? "only a kernel of a node that the runner started may be made to misbehave" : null);

    internal override IReadOnlyList<LeaseUndo> Undo(Input input, FaultContext context) => Leader(input, context) is { } leader ? [new KillProcess(leader)] : [];

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var leader = Leader(input, context) ?? throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"replica {input.Replica} of kernel '{input.Kernel}' does not run"));
        context.Host?.Add(leader);
        try
        {
            Posix.Signal(leader, Posix.SIGUSR1);
            var began = context.Clock.Now;
            while (leader.Alive && context.Clock.Now - began < input.For.Value && !withdraw.IsCancellationRequested)
                await Task.Delay(Poll, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Posix.Signal(leader, Posix.SIGKILL);
        }
    }

    private static ProcessIdentity? Leader(Input input, FaultContext context) =>
        context.DataDirectory is { } data && new InstanceFolder(InstanceFolder.Root(data), input.Kernel, input.Replica).Read()?.Process is { Alive: true } process ? process : null;
}
