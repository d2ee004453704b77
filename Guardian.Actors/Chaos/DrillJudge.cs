using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>Times after t0; null where it did not happen.</summary>
internal sealed record DrillClocks(TimeSpan? Detect, TimeSpan? Act, TimeSpan? Recover, TimeSpan? Resolve, TimeSpan? Banned, TimeSpan? RecoverAfterWithdrawal)
{
    /// <summary>From its detection to the recovery.</summary>
    public TimeSpan? RecoverAfterDetection => Recover is { } back && Detect is { } seen ? back > seen ? back - seen : TimeSpan.Zero : null;

    /// <summary>Until the run had ended as escalated.</summary>
    public TimeSpan? Escalate { get; init; }

    /// <summary>Until another incarnation had taken the run over.</summary>
    public TimeSpan? TakenOver { get; init; }
}

/// <summary>A verdict with its reasons and times.</summary>
internal sealed record DrillJudgement(Verdict Verdict, IReadOnlyList<string> Reasons, DrillClocks Clocks, LatencyResult? Latency, IReadOnlyList<Anomaly> Anomalies, int OperationsInFault);

/// <summary>Decides from what was seen. No clock, no I/O: a record can be judged again at any time.</summary>
internal static class DrillJudge
{
    /// <summary>So many anomalies are listed; the rest is counted.</summary>
    private const int ListedAnomalies = 5;

    /// <summary>A lease ends at most so much early or late.</summary>
    private static readonly TimeSpan LeaseError = TimeSpan.FromSeconds(1);

    public static DrillJudgement Judge(ScenarioPlan plan, DrillRecord record)
    {
        var chain = CausalChain.Of(plan, record);
        // In a drill that was cut short, or whose reader broke, a message under way cannot be told from a lost one.
        var cutShort = record.Aborted is not null || record.HarnessError is not null;
        var anomalies = HistoryChecker.Check(record.Operations, record.Deliveries, record.Blind).Where(x => !cutShort || x.Kind != AnomalyKind.Lost).ToList();
        var latency = plan.Scenario.Expect.Latency is { } bound ? Latency.Compare(bound, record.Windows, record.Operations, record.Deliveries) : null;
        var clocks = Clocks(plan, record, chain);
        var from = record.Injected ?? TimeSpan.Zero;
        var inFault = record.Operations.Count(x => x.SentAt >= from);

        DrillJudgement Say(Verdict verdict, IReadOnlyList<string> reasons) => new(verdict, reasons, clocks, latency, anomalies, inFault);

        var harm = Harm(record, anomalies);
        if (harm.Count > 0) return Say(Verdict.Unsafe, harm);
        if (record.Aborted is { } aborted) return Say(record.UndoProven ? Verdict.Aborted : Verdict.UndoUnproven, [aborted]);
        if (record.HarnessError is { } error) return Say(Verdict.HarnessError, [error]);
        if ((record.Missing ?? record.Inconclusive) is { } why) return Say(Verdict.Inconclusive, [why]);
        if (plan.Scenario.Fault is not null && record.Proven is null)
            return Say(Verdict.Inconclusive, [$"no evidence that the fault was active: {plan.Scenario.Evidence} never held"]);
        if (inFault < ScenarioPlan.MinOperations)
            return Say(Verdict.Inconclusive, [string.Create(CultureInfo.InvariantCulture, $"{inFault} operations inside the fault window, {ScenarioPlan.MinOperations} are needed")]);

        var missed = Missed(plan, record, chain, clocks, latency);
        if (missed.Count > 0 && plan.Scenario.NeedsQuietHost && record.OthersCpu is > ScenarioPlan.QuietOthers and var noise)
            return Say(Verdict.Inconclusive, [string.Create(CultureInfo.InvariantCulture, $"other processes used {noise:0} % of this machine meanwhile, so what was missed says nothing: {missed[0]}")]);
        if (missed.Count > 0) return Say(Verdict.Fail, missed);
        return record.UndoProven
            ? Say(Verdict.Pass, [])
            : Say(Verdict.UndoUnproven, [$"the fault was withdrawn, but its evidence still holds: {plan.Scenario.Evidence}"]);
    }

    private static List<string> Harm(DrillRecord record, List<Anomaly> anomalies)
    {
        var harm = record.JournalAnomalies.Concat(anomalies.Select(x => $"{x.Kind}: {x.OperationId}: {x.Detail}")).Take(ListedAnomalies).ToList();
        if (anomalies.Count > ListedAnomalies) harm.Add(string.Create(CultureInfo.InvariantCulture, $"and {anomalies.Count - ListedAnomalies} more anomalies"));
        if (record.Flood.Accepted > 0) harm.Add(string.Create(CultureInfo.InvariantCulture, $"{record.Flood.Accepted} forbidden messages were accepted"));
        harm.AddRange(record.Harmed.Select(x => $"{x.Check} held, and never must: {x.Explanation}"));
        if (record.Flood.Delivered > 0) harm.Add(string.Create(CultureInfo.InvariantCulture, $"{record.Flood.Delivered} forbidden messages were delivered"));
        return harm;
    }

    private static DrillClocks Clocks(ScenarioPlan plan, DrillRecord record, CausalChain chain)
    {
        TimeSpan? Since(TimeSpan? at) => record.Proven is { } t0 && at is { } moment ? Max(moment - t0, TimeSpan.Zero) : null;
        TimeSpan? banned = plan.FaultPrincipals.Select(x => record.Banned.TryGetValue(x, out var at) ? at : (TimeSpan?)null).Min();
        var resolved = chain.Run is { State: "resolved" } run ? run.EndedSeen : null;
        var after = record.Recovered is { } back && record.Withdrawn is { } gone ? Max(back - gone, TimeSpan.Zero) : (TimeSpan?)null;
        var escalated = chain.Run is { State: "escalated" } over ? over.EndedSeen : null;
        return new DrillClocks(Since(chain.Incident?.FirstSeen), Since(chain.Run?.StepsDone), Since(record.Recovered), Since(resolved), Since(banned), after) { Escalate = Since(escalated), TakenOver = Since(record.TakenOver) };
    }

    private static List<string> Missed(ScenarioPlan plan, DrillRecord record, CausalChain chain, DrillClocks clocks, LatencyResult? latency)
    {
        var expect = plan.Scenario.Expect;
        var missed = new List<string>();

        void Within(string what, TimeSpan? seen, TimeSpan? limit)
        {
            if (limit is not { } most) return;
            if (seen is null) missed.Add($"not {what} within {Text(most)}");
            else if (seen > most) missed.Add($"{what} after {Text(seen.Value)}, allowed are {Text(most)}");
        }

        void Exactly(string what, long seen, long? wanted)
        {
            if (wanted is { } n && seen != n) missed.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: {seen}, expected {n}"));
        }

        missed.AddRange(chain.Broken);
        Within("detected", clocks.Detect, expect.DetectWithin);
        // From the injection: the proof of a fault comes some time after its begin.
        if (chain.Incident?.FirstSeen - record.Injected is { } early && early < expect.DetectAfter) missed.Add($"detected {Text(early)} after the injection, before {Text(expect.DetectAfter.Value)}");
        Within("banned", clocks.Banned, expect.BannedWithin);
        if (expect.BanLasts is { } length) missed.AddRange(plan.FaultPrincipals.Select(x => Lease(record, x, length)).OfType<string>());
        Within("recovered", clocks.Recover, expect.RecoverWithin);
        Within("taken over", clocks.TakenOver, expect.TakenOverWithin);
        Within("recovered after its detection", clocks.RecoverAfterDetection, expect.RecoverAfterDetection);
        Within("recovered after the withdrawal", clocks.RecoverAfterWithdrawal, expect.RecoverAfterWithdrawal);
        if (chain.Run is not null || expect.Playbook is null) Within("resolved", clocks.Resolve, expect.ResolveWithin);
        if (chain.Run is not null) Within("escalated", clocks.Escalate, expect.EscalateWithin);
        if (expect.EscalateWithin is null && chain.Run is { EndedSeen: not null, State: not "resolved" } run) missed.Add($"run {run.Id} ended {run.State}");

        Exactly("incidents", record.Incidents.Count, expect.Incidents);
        Exactly("runs", record.Runs.Count, expect.Runs);
        foreach (var wrong in record.Runs.Where(x => expect.MustNotRun.Contains(x.Playbook))) missed.Add($"{wrong.Playbook} must not run, it did as {wrong.Id}");
        missed.AddRange(expect.MustRun.Where(x => record.Runs.All(r => r.Playbook != x)).Select(x => $"{x} must run, it did not"));

        if (chain.Incident is { } incident)
        {
            if (expect.MinViolations is { } least && incident.FirstViolations is { } first && first < least)
                missed.Add(string.Create(CultureInfo.InvariantCulture, $"detected at {first} violations, before the {least}th"));
            if (expect.TotalViolations is { } total) Exactly($"violations of incident {incident.Id}", incident.Violations ?? 0, total);
        }

        if (plan.Forbidden > 0)
        {
            Exactly("forbidden messages sent", record.Flood.Sent, plan.Forbidden);
            if (record.Flood.Unknown > 0 && !plan.EndsNode) missed.Add(string.Create(CultureInfo.InvariantCulture, $"{record.Flood.Unknown} forbidden messages got no answer"));
        }

        if (expect.NotBanned && record.Banned.Count > 0) missed.Add($"nobody may be banned, but {string.Join(", ", record.Banned.Keys)} was");
        foreach (var innocent in record.Banned.Keys.Intersect([.. plan.LoadPrincipals, plan.Scenario.Load.Subscriber])) missed.Add($"{innocent} is legitimate and was banned");
        // A node that starts refuses with a reason; only where it was killed on purpose.
        bool Refused(Operation x) => x.Outcome == OperationOutcome.Fail && !expect.MayRefuse.Contains(x.Answer) && !record.Blind.Any(b => b.Covers(x));
        var denied = record.Operations.Count(Refused);
        if (denied > 0)
        {
            var first = record.Operations.First(Refused);
            missed.Add(string.Create(CultureInfo.InvariantCulture, $"{denied} legitimate operations were refused, the first one {first.Answer} for {first.Principal} on {first.Topic}"));
        }

        if (expect.Latency is not null)
        {
            if (latency is null) missed.Add("too few windows to compare the load's latency");
            else if (!latency.Within) missed.Add($"legitimate p99 is {Text(latency.Flooded)} under the fault and {Text(latency.Quiet)} without, allowed are {Text(latency.Limit)}, in the median of {latency.Pairs} windows each");
        }

        missed.AddRange(record.Verified.Where(x => !x.Passed).Select(x => $"{x.Check} does not hold: {x.Explanation}"));
        return missed;
    }

    /// <summary>How a ban missed its length; null where it did not.</summary>
    private static string? Lease(DrillRecord record, string principal, TimeSpan length)
    {
        if (!record.Banned.TryGetValue(principal, out var from)) return $"{principal} was not banned";
        if (!record.Unbanned.TryGetValue(principal, out var to)) return $"the ban of {principal} did not end";
        return (to - from - length).Duration() <= LeaseError ? null : $"the ban of {principal} lasted {Text(to - from)} instead of {Text(length)}";
    }

    /// <summary>Milliseconds below a second, else seconds.</summary>
    internal static string Text(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.#} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
