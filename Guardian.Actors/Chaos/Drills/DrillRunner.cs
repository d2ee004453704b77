using System.Globalization;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>How long the runner waits for what; tests shorten it.</summary>
internal sealed record DrillTiming
{
    /// <summary>Between two looks at the node: fine enough for clocks in tens of milliseconds, coarse enough not to be a load.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>Load before anything is measured: connections open, code gets compiled.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>For the steady state to hold at the beginning.</summary>
    public TimeSpan SteadyWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Past the end of an earlier run of a playbook that the scenario expects: the longest cool-down of those shipped that a scenario needs, and a margin.</summary>
    public TimeSpan CoolDown { get; init; } = TimeSpan.FromSeconds(65);

    /// <summary>Observation goes on so long past the last bound: a late recovery is worth its figure.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>For the last deliveries, counts and checks at the end.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Runs one scenario against a node and records what is seen. It judges nothing.</summary>
internal sealed class DrillRunner(IChaosTarget target, TimeProvider time, DrillLog log, Action<string> progress, DrillTiming? timing = null, DrillTools? tools = null)
{
    private readonly DrillTiming _timing = timing ?? new DrillTiming();

    /// <summary>Always returns a record; <paramref name="abort"/> ends the drill with its faults withdrawn.</summary>
    public async Task<DrillRecord> RunAsync(ScenarioPlan plan, CancellationToken abort)
    {
        var clock = new DrillClock(time);
        var drill = string.Create(CultureInfo.InvariantCulture, $"{plan.Scenario.Name}-{plan.Seed}-{time.GetUtcNow().ToUnixTimeMilliseconds():x}");
        var tally = new FloodTally(plan.Faults.Select(x => x.Facts.Topic).FirstOrDefault(x => x is not null));
        var reader = new LoadReader(clock, drill, tally, plan.EndsNode);
        await using (reader.ConfigureAwait(false))
        {
            var state = new Drill(plan, target, clock, drill, tally, reader, log, progress, _timing, tools ?? DrillTools.None);
            await state.RunAsync(abort).ConfigureAwait(false);
            var record = state.Record();
            log.WriteHistory(record);
            return record;
        }
    }
}
