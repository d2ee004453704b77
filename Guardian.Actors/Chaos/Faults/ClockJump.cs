using System.ComponentModel;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The node's wall clock is set forward or back, and after a while right again: two jumps.</summary>
internal sealed class ClockJump : ChaosFault<ClockJump.Input>
{
    private static readonly TimeSpan Farthest = TimeSpan.FromDays(1);

    internal sealed record Input(
        [property: Description("How far, up to 1d.")] Duration By,
        [property: Description("Then it is set right.")] Duration For,
        [property: Description("Into the past instead of the future.")] bool Back = false);

    public override string Name => "clock.jump";

    public override string Summary => "The node's wall clock jumps, and after a while back.";

    public override bool InNode => true;

    public override string UndoText => "the node sets its clock right at the fault's end; it never leaves the process";

    public override FaultFacts Facts(Input input) => new() { Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.By.Value > Farthest || input.By.Value <= TimeSpan.Zero ? "'by' must be more than 0 and at most 1d"
        : input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through"
        : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var clock = context.Guardian?.Parts.Time as JumpableTime ?? throw new InvalidOperationException("only a node with Guardian:Chaos:Enabled has a clock that jumps");
        var by = input.Back ? -input.By.Value : input.By.Value;
        clock.Jump(by);
        try
        {
            await Task.Delay(input.For.Value, clock, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            clock.Jump(-by);
        }
    }
}
