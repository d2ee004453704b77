using System.Collections.Concurrent;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>One drill under way: steady state, load, fault, observation, withdrawal, latency windows, drain.</summary>
internal sealed class Drill(
    ScenarioPlan plan, IChaosTarget target, DrillClock clock, string name, FloodTally tally, LoadReader reader,
    DrillLog log, Action<string> progress, DrillTiming timing, DrillTools tools)
{
    /// <summary>Between two looks at the guardrails in a window whose latency is measured: seldom enough to cost the load nothing.</summary>
    private static readonly TimeSpan GuardEvery = TimeSpan.FromMilliseconds(500);

    private readonly Scenario _scenario = plan.Scenario;
    private readonly NodeWatch _watch = new();
    private readonly DrillChecks _checks = new(target, tally, clock, tools);
    private readonly LoadGenerator _load = new(plan, target, clock, name);
    private readonly ConcurrentQueue<BlindSpan> _doubtful = new();
    private readonly NeverWatch _never = new(plan.Scenario.Never);
    private readonly StableWindow _stable = new(plan.Scenario.Expect.StableFor);
    private readonly List<LoadWindow> _windows = [];
    private List<CheckResult> _verified = [];
    private string? _error;
    private string? _aborted;
    private string? _unsupported;
    private readonly DrillJournal _journal = new(tools, clock);
    private DrillFaults? _made;
    private TimeSpan? _injected;
    private TimeSpan? _withdrawn;
    private TimeSpan? _proven;
    private bool _undoProven = true;
    private FloodResult? _faultResult;

    public async Task RunAsync(CancellationToken abort)
    {
        try
        {
            if (!await PrepareAsync(abort).ConfigureAwait(false)) return;
            using var stopLoad = new CancellationTokenSource();
            var load = _load.RunAsync(stopLoad.Token);
            try
            {
                await UnderLoadAsync(abort).ConfigureAwait(false);
            }
            finally
            {
                await stopLoad.CancelAsync().ConfigureAwait(false);
                await load.ConfigureAwait(false);
            }

            await SettleAsync(abort).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            _aborted = "stopped by the operator";
        }
        catch (GuardrailException e)
        {
            _aborted = e.Message;
        }
        catch (ChaosTargetException e)
        {
            _error = e.Message;
        }

        log.Write(clock.Now, "ended", durable: true);
    }

    public DrillRecord Record() => new()
    {
        HarnessError = _error,
        Aborted = _aborted,
        Missing = _unsupported,
        Inconclusive = _injected is null ? _watch.Unsettled : null,
        Blind = Blind,
        JournalAnomalies = _journal.Problems,
        TakenOver = _journal.TakenOver(_proven),
        Injected = _injected,
        Withdrawn = _withdrawn,
        UndoProven = _undoProven,
        Proven = _proven,
        Recovered = _stable.Start,
        Incidents = _watch.Incidents,
        Runs = _watch.Runs,
        Banned = _watch.BannedWith(tally.Banned),
        Unbanned = _watch.Unbanned,
        Flood = (_faultResult ?? tally.Result) with { Delivered = tally.Result.Delivered, Witnessed = plan.Faults.Any(x => x.Facts.Witness is not null) },
        Operations = _load.Operations,
        Deliveries = reader.Deliveries,
        Verified = _verified,
        Harmed = _never.Seen,
        Windows = _windows,
        OthersCpu = tools.Host?.Others,
        Ended = clock.Now,
    };

    private IReadOnlyList<BlindSpan> Blind => [.. reader.Blind, .. _doubtful.Select(x => x.WithDrain(_load.Operations, _injected ?? TimeSpan.Zero, LoadReader.UnderWay))];

    private DrillFaults Faults => _made ??= new DrillFaults(plan, target, clock, name, tally, log, tools, Doubtful);

    private void Doubtful(string node) => _doubtful.Enqueue(new BlindSpan(clock.Now - LoadReader.UnderWay, TimeSpan.MaxValue, node));

    private async Task<bool> PrepareAsync(CancellationToken abort)
    {
        if ((_unsupported = Faults.Unsupported()) is not null) return false;
        progress("steady state");
        await _watch.BaselineAsync(target, abort).ConfigureAwait(false);
        var alreadyBanned = plan.FaultPrincipals.Concat(plan.LoadPrincipals).Intersect(_watch.BannedBefore).ToList();
        if (alreadyBanned.Count > 0)
        {
            _error = $"{string.Join(", ", alreadyBanned)} is banned already; lift it with 'guardian blacklist remove', or use a fresh node";
            return false;
        }

        foreach (var pattern in _scenario.Load.Topics) await reader.OpenAsync(target, _scenario.Load.Subscriber, pattern, abort).ConfigureAwait(false);
        foreach (var facts in plan.Faults.Select(x => x.Facts).Where(x => x is { Witness: not null, Topic: not null }))
            await reader.OpenAsync(target, facts.Witness!, facts.Topic!, abort).ConfigureAwait(false);

        var giveUp = clock.Now + timing.SteadyWithin;
        while (true)
        {
            var broken = await _checks.FirstBrokenAsync(_scenario.SteadyState, abort).ConfigureAwait(false);
            if (broken is null)
            {
                await CoolDownAsync(abort).ConfigureAwait(false);
                return true;
            }

            if (clock.Now > giveUp)
            {
                var why = $"no steady state to begin with: {broken.Check} does not hold: {broken.Explanation}";
                // That is this machine, not the node: nothing can be found out here and now.
                if (broken.Check.StartsWith(ChaosProbes.HostCpu, StringComparison.Ordinal)) _unsupported = why;
                else _error = why;
                return false;
            }

            await Task.Delay(timing.Poll, clock.Time, abort).ConfigureAwait(false);
        }
    }

    /// <summary>A playbook that ran a moment ago, since the node was just repaired or a cluster was slow to form, may not run again yet; that is no failure of the drill.</summary>
    private async Task CoolDownAsync(CancellationToken abort)
    {
        if (_watch.EndedAgo(_scenario.Expects, clock.Time.GetUtcNow()) is not { } ago || ago >= timing.CoolDown) return;
        progress("cooling down");
        await Task.Delay(timing.CoolDown - ago, clock.Time, abort).ConfigureAwait(false);
        await _watch.BaselineAsync(target, abort).ConfigureAwait(false);
    }

    private async Task UnderLoadAsync(CancellationToken abort)
    {
        await WatchForAsync(_scenario.Load.WarmUp ?? timing.WarmUp, abort).ConfigureAwait(false);
        if (_watch.Unsettled is not null) return;
        if (_watch.Incidents.Count > 0) throw new ChaosTargetException($"an incident was opened before the fault: {_watch.Incidents[0].Type} about {_watch.Incidents[0].Subject}");
        if (_scenario.Fault is null)
        {
            progress("quiet");
            _injected = clock.Now;
            await WatchForAsync(_scenario.Duration, abort).ConfigureAwait(false);
            return;
        }

        var bound = _scenario.Expect.Latency;
        if (bound is not null) await QuietAsync(bound, abort).ConfigureAwait(false);
        await FaultAsync(bound, abort).ConfigureAwait(false);
        for (var i = 1; bound is not null && i < bound.Windows; i++)
        {
            progress($"latency {i + 1} of {bound.Windows}");
            await QuietAsync(bound, abort).ConfigureAwait(false);
            var from = clock.Now;
            await Faults.AgainAsync(abort).ConfigureAwait(false);
            await WindowAsync(flooded: true, from, bound, abort).ConfigureAwait(false);
        }
    }

    private Task QuietAsync(LatencyBound bound, CancellationToken abort) => WindowAsync(flooded: false, clock.Now, bound, abort);

    /// <summary>Incidents and runs are looked at afterwards only: the looks' own weight would be part of what is measured.</summary>
    private async Task WindowAsync(bool flooded, TimeSpan from, LatencyBound bound, CancellationToken abort)
    {
        var end = from + bound.Length;
        while (clock.Now < end)
        {
            GuardLoad();
            await _never.LookAsync(_checks, abort).ConfigureAwait(false);
            var left = end - clock.Now;
            if (left > TimeSpan.Zero) await Task.Delay(left < GuardEvery ? left : GuardEvery, clock.Time, abort).ConfigureAwait(false);
        }

        _windows.Add(new LoadWindow(flooded, from, clock.Now));
        await LookAsync(abort).ConfigureAwait(false);
    }

    private async Task FaultAsync(LatencyBound? bound, CancellationToken abort)
    {
        await Faults.PlanUndoAsync(abort).ConfigureAwait(false);
        progress("fault");
        using var withdraw = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var from = clock.Now;
        _injected = from;
        log.Write(from, "fault-injected", durable: true);
        Faults.Inject(withdraw.Token);
        try
        {
            await ObserveAsync(from, bound, abort).ConfigureAwait(false);
        }
        finally
        {
            await withdraw.CancelAsync().ConfigureAwait(false);
            if (await Faults.WithdrawnAsync().ConfigureAwait(false) is { } remains)
            {
                _undoProven = false;
                log.Write(clock.Now, "undo-pending", x => x.WriteString("why", remains), durable: true);
            }

            _withdrawn ??= clock.Now;
            _faultResult = tally.Result;
            log.Write(clock.Now, "fault-withdrawn", durable: true);
            await ProveUndoAsync().ConfigureAwait(false);
        }
    }

    private async Task ObserveAsync(TimeSpan from, LatencyBound? bound, CancellationToken abort)
    {
        var said = "fault";
        while (true)
        {
            GuardLoad();
            if (_proven is null && _scenario.Evidence is { } evidence && (await _checks.CheckAsync(evidence, abort).ConfigureAwait(false)).Passed)
            {
                _proven = clock.Now;
                log.Write(clock.Now, "fault-proven");
            }

            // Beside the look: the steady state's probes must not delay the moment of detection.
            var began = clock.Now;
            var steady = _proven is null ? null : _checks.FirstBrokenAsync(_scenario.SteadyState, abort);
            await LookAsync(abort).ConfigureAwait(false);
            if (Faults.First.IsCompleted) _withdrawn ??= clock.Now;
            if (steady is not null)
            {
                var broken = await steady.ConfigureAwait(false);
                _stable.Add(began, clock.Now, broken is null);
            }

            if (bound is not null && _windows.All(x => !x.Flooded) && clock.Now >= from + bound.Length && Faults.Over)
                _windows.Add(new LoadWindow(true, from, clock.Now));

            var phase = DrillPhase.Of(_scenario.Expect, _watch, _proven is not null, _stable.Start is not null);
            if (phase != said) progress(said = phase);
            if (phase == DrillPhase.Healed && Faults.Over) return;
            if (clock.Now > (_proven ?? from) + plan.ObserveFor + timing.Grace) return;
            await Task.Delay(timing.Poll, clock.Time, abort).ConfigureAwait(false);
        }
    }

    private async Task ProveUndoAsync()
    {
        if (_scenario.Evidence is not { } evidence || _proven is null || _scenario.Fault!.Facts.Instant) return;
        using var limit = new CancellationTokenSource(timing.Settle, clock.Time);
        try
        {
            while ((await _checks.CheckAsync(evidence, limit.Token).ConfigureAwait(false)).Passed)
                await Task.Delay(timing.Poll, clock.Time, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _undoProven = false;
        }
    }

    private async Task SettleAsync(CancellationToken abort)
    {
        progress("settling");
        var giveUp = clock.Now + (_scenario.Expect.SettleWithin is { } later && later > timing.Settle ? later : timing.Settle);
        var total = _scenario.Expect.TotalViolations;
        while (true)
        {
            await LookAsync(abort).ConfigureAwait(false);
            _verified = [];
            foreach (var check in _scenario.Verify) _verified.Add(await _checks.CheckAsync(check, abort).ConfigureAwait(false));
            var counted = total is null || _watch.Incidents.Any(x => x.Violations >= total);
            if (counted && _verified.TrueForAll(x => x.Passed) && !HistoryChecker.Check(_load.Operations, reader.Deliveries, Blind).Any(x => x.Kind == AnomalyKind.Lost)) break;
            if (clock.Now > giveUp) break;
            await Task.Delay(timing.Poll, clock.Time, abort).ConfigureAwait(false);
        }

        // A doubled message comes after the first one, and the last check may have seen what the look before it did not: one more look after everything has arrived.
        await Task.Delay(timing.Poll * 5, clock.Time, abort).ConfigureAwait(false);
        await LookAsync(abort).ConfigureAwait(false);
        if (reader.Broken is { } broken) _error = broken;
        await _journal.ReadAsync(abort).ConfigureAwait(false);
    }

    private async Task WatchForAsync(TimeSpan length, CancellationToken abort)
    {
        var end = clock.Now + length;
        while (clock.Now < end)
        {
            GuardLoad();
            await LookAsync(abort).ConfigureAwait(false);
            var left = end - clock.Now;
            if (left > TimeSpan.Zero) await Task.Delay(left < timing.Poll ? left : timing.Poll, clock.Time, abort).ConfigureAwait(false);
        }
    }

    private async Task LookAsync(CancellationToken abort)
    {
        var never = _never.LookAsync(_checks, abort);
        try
        {
            await _watch.LookAsync(target, clock, abort).ConfigureAwait(false);
        }
        catch (ChaosTargetException e)
        {
            // A node under a fault may fail to answer; what it does not say is not seen, and the bounds decide.
            log.Write(clock.Now, "look-failed", x => x.WriteString("why", e.Message));
        }

        await never.ConfigureAwait(false);
    }

    private void GuardLoad()
    {
        if ((_load.Breach ?? tools.Floors?.Breach()) is { } breach) throw new GuardrailException(breach);
    }

    private sealed class GuardrailException(string message) : Exception(message);
}
