using System.ComponentModel;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>kill -9 of a kernel's process, and of each that follows it: once it is a crash, often enough a crash loop.</summary>
internal sealed class KernelCrash : ChaosFault<KernelCrash.Input>
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5); // a start takes some tens of milliseconds

    /// <summary>Longer than any back-off before a crash loop's limit; what has not come back by then does not.</summary>
    private static readonly TimeSpan ComesBackWithin = TimeSpan.FromSeconds(4);

    internal sealed record Input(
        [property: Description("A process kernel.")] string Kernel,
        [property: Description("Instances to kill, 1 to 50; fewer where it does not come back.")] int Times = 1,
        [property: Description("From 0.")] int Replica = 0);

    public override string Name => "kernel.crash";

    public override string Summary => "kill -9 of a kernel's process, as often as it comes back.";

    public override string UndoText => "nothing stays: its supervisor restarts it, or says why not";

    public override FaultFacts Facts(Input input) => new() { Subject = input.Kernel, Instant = true };

    public override string? Check(Input input, TimeSpan ttl) => input.Times is < 1 or > 50 ? "'times' must be 1 to 50" : null;

    public override string? Unsupported(Input input, FaultContext context) =>
        Posix.Unsupported ?? (context.DataDirectory is null ? "the node's data directory is not known here" : null);

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var folder = new InstanceFolder(InstanceFolder.Root(context.DataDirectory!), input.Kernel, input.Replica);
        ProcessIdentity? last = null;
        for (var i = 0; i < input.Times; i++)
        {
            if (await NextAsync(folder, last, context, withdraw).ConfigureAwait(false) is not { } next)
            {
                if (last is null && !withdraw.IsCancellationRequested) throw new InvalidOperationException($"kernel '{input.Kernel}' has no process on this node");
                return;
            }

            Posix.Signal(next, Posix.SIGKILL);
            last = next;
        }
    }

    private static async Task<ProcessIdentity?> NextAsync(InstanceFolder folder, ProcessIdentity? last, FaultContext context, CancellationToken withdraw)
    {
        var began = context.Clock.Now;
        while (context.Clock.Now - began < ComesBackWithin && !withdraw.IsCancellationRequested)
        {
            if (folder.Read()?.Process is { Alive: true } process && process != last) return process;
            await Task.Delay(Poll, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }
}
