using System.ComponentModel;
using Akka.Actor;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>A kernel that lives is not heard: its heartbeats are swallowed. An instance that replaces it is heard.</summary>
internal sealed class KernelMute : ChaosFault<KernelMute.Input>
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5); // a tenth of the shortest interval

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5); // a supervisor that does not answer is a failure of its own

    internal sealed record Input(
        [property: Description("The kernel; it must run.")] string Kernel,
        [property: Description("Its heartbeats are not heard for so long.")] Duration For);

    public override string Name => "kernel.mute";

    public override string Summary => "A kernel's heartbeats are not heard, though it lives.";

    public override bool InNode => true;

    public override string UndoText => "it lives in the node's memory and ends with its time, with the node and with the instance";

    public override FaultFacts Facts(Input input) => new() { Subject = input.Kernel, Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) => input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through" : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var parts = (context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts;
        var heart = parts.Kernels.Find(input.Kernel) is { State: KernelState.Running } kernel ? kernel.Instances.Select(x => x.Heart).FirstOrDefault(x => x is not null) : null;
        if (heart is null) throw new InvalidOperationException($"kernel '{input.Kernel}' does not run on this node, or no heartbeat is expected of it");
        await DueAsync(heart, context, withdraw).ConfigureAwait(false);
        await MuteAsync(input.For.Value).ConfigureAwait(false);
        await Task.Delay(input.For.Value, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (withdraw.IsCancellationRequested) await MuteAsync(TimeSpan.Zero).ConfigureAwait(false);

        async Task MuteAsync(TimeSpan length)
        {
            var answer = await parts.KernelsActor.Ask<KernelAnswer>(new MuteKernel { Name = input.Kernel, For = length, By = "chaos/" + context.Drill, Reason = Name }, AnswerWithin, CancellationToken.None).ConfigureAwait(false);
            if (!answer.Done) throw new InvalidOperationException(answer.Reason);
        }
    }

    /// <summary>The pause begins when a beat is nearly due: then the first beat that it swallows is the next one.</summary>
    private static async Task DueAsync(HeartbeatBoard.Heart heart, FaultContext context, CancellationToken withdraw)
    {
        var every = heart.Sample.Every;
        while (heart.Silent < every * 0.8 && !withdraw.IsCancellationRequested)
            await Task.Delay(Poll, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
