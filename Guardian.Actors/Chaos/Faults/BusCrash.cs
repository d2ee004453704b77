using System.ComponentModel;
using Akka.Actor;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The bus actor throws, as for a defect in it; its supervisor restarts it.</summary>
internal sealed class BusCrash : ChaosFault<BusCrash.Input>
{
    private static readonly Duration DefaultEvery = TimeSpan.FromMilliseconds(200);

    internal sealed record Input(
        [property: Description("1 to 5; a supervisor gives up at 10 in a minute.")] int Times = 1,
        [property: Description("Between two crashes; 200ms where not given.")] Duration? Every = null);

    public override string Name => "bus.crash";

    public override string Summary => "The bus actor crashes under load.";

    public override bool InNode => true;

    public override string UndoText => "nothing stays: the supervisor restarts the bus";

    public override FaultFacts Facts(Input input) => new() { Subject = Monitoring.BusDetector.Subject, Instant = true, Length = (input.Every ?? DefaultEvery).Value * (input.Times - 1) };

    public override string? Check(Input input, TimeSpan ttl) => input.Times is < 1 or > 5 ? "'times' must be 1 to 5" : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var node = context.Guardian ?? throw new InvalidOperationException("runs inside a node only");
        for (var i = 0; i < input.Times && !withdraw.IsCancellationRequested; i++)
        {
            if (i > 0) await Task.Delay((input.Every ?? DefaultEvery).Value, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            node.Parts.BusActor.Tell(Kill.Instance, ActorRefs.NoSender); // throws inside the actor, and takes the path of every crash
        }
    }
}
