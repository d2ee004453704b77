using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>Processes that are nobody's kernel burn the processor of this machine.</summary>
internal sealed class CpuBurn : ChaosFault<CpuBurn.Input>
{
    /// <summary>Below 100 % the burners run and rest in turns of this length: shorter than what a reading averages over.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(100);

    /// <summary>Share of the distance to the target that each turn makes up for; small, since a reading is a second old.</summary>
    private const double Gain = 0.02;

    private const int MaxProcesses = 256;

    internal sealed record Input(
        [property: Description("How long.")] Duration For,
        [property: Description("How busy the whole machine becomes, 10 to 100; below 100 the burners leave room for what others use.")] int Percent = 100,
        [property: Description("Burners, 1 to 256; one for each core where missing.")] int? Processes = null)
    {
        public int Count => Processes ?? Environment.ProcessorCount;
    }

    public override string Name => "cpu.burn";

    public override string Summary => "Foreign processes burn this machine's processor; stress-ng where it is installed.";

    public override string UndoText => "the leasekeeper kills the burners; each ends by itself too, when its time is used up or the runner is gone";

    public override FaultFacts Facts(Input input) => new() { Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.Percent is < 10 or > 100 ? "'percent' must be 10 to 100"
        : input.Count is < 1 or > MaxProcesses ? string.Create(CultureInfo.InvariantCulture, $"'processes' must be 1 to {MaxProcesses}")
        : input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through"
        : null;

    public override string? Unsupported(Input input, FaultContext context) =>
        Posix.Unsupported ?? (context.Secure is null ? "burners are started by a runner outside the node only"
            : input.Percent < 100 && context.Host is null ? "how busy this machine is cannot be measured here" : null);

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        using var burners = BurnerCrew.Prepare(input.Count, input.For.Value, whole: input.Percent == 100);
        await context.Secure!([.. burners.Processes.Select(x => new KillProcess(x))]).ConfigureAwait(false);
        foreach (var process in burners.Processes) context.Host?.Add(process);
        burners.Begin();
        var end = context.Clock.Now + input.For.Value;
        if (input.Percent == 100) await context.Clock.UntilAsync(end, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else await RegulateAsync(input.Percent, burners, context, end, withdraw).ConfigureAwait(false);
    }

    private static async Task RegulateAsync(int percent, BurnerCrew burners, FaultContext context, TimeSpan end, CancellationToken withdraw)
    {
        var share = percent / 100.0;
        while (context.Clock.Now < end && !withdraw.IsCancellationRequested)
        {
            if (context.Host?.Latest.Shares is { } now) share = Math.Clamp(share + Gain * (percent - now.Machine) / 100, 0, 1);
            burners.Signal(Posix.SIGCONT);
            await Task.Delay(Turn * share, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (share < 1) burners.Signal(Posix.SIGSTOP);
            await Task.Delay(Turn * (1 - share), context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
