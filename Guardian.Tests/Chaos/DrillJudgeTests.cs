using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

/// <summary>One record that passes, and for each verdict the one change that turns it red.</summary>
public class DrillJudgeTests
{
    private static readonly ScenarioPlan Plan = new(ChaosTexts.Spam(), 7);

    [Fact]
    public void Healed_in_time_with_the_whole_chain_passes()
    {
        var judgement = DrillJudge.Judge(Plan, Healed());
        judgement.Reasons.Should().BeEmpty();
        judgement.Verdict.Should().Be(Verdict.Pass);
        judgement.Clocks.Should().Be(new DrillClocks(Ms(200), Ms(600), Ms(1100), Ms(2400), Ms(90), Ms(200)));
    }

    [Fact]
    public void Detected_too_late_fails() => Red(Verdict.Fail, "detected after 1.50 s, allowed are 1.00 s",
        Healed() with { Incidents = [Incident() with { FirstSeen = Ms(2500) }] });

    [Fact]
    public void Never_detected_fails() => Red(Verdict.Fail, "no incident was opened", Healed() with { Incidents = [], Runs = [] });

    [Fact]
    public void Not_recovered_fails() => Red(Verdict.Fail, "not recovered within 10.00 s", Healed() with { Recovered = null });

    [Fact]
    public void Recovered_too_late_fails() => Red(Verdict.Fail, "recovered after 14.00 s", Healed() with { Recovered = Ms(15_000) });

    [Fact]
    public void Banned_too_late_fails() => Red(Verdict.Fail, "banned after 1.10 s", Healed() with { Banned = new Dictionary<string, TimeSpan> { ["rogue"] = Ms(2100) } });

    [Fact]
    public void What_never_must_be_is_unsafe() => Red(Verdict.Unsafe, "two of it held, and never must: 2 > 1", Healed() with { Harmed = [new CheckResult("two of it", true, "2 > 1")] });

    [Fact]
    public void Recovered_too_late_after_its_detection_fails()
    {
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("recoverWithin: 10s", "recoverAfterDetection: 800ms", StringComparison.Ordinal)), 7);
        DrillJudge.Judge(plan, Healed()).Reasons.Should().ContainSingle().Which.Should().Be("recovered after its detection after 900 ms, allowed are 800 ms");
    }

    [Fact]
    public void An_escalation_that_is_wanted_passes_and_its_absence_fails()
    {
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("resolveWithin: 10s", "escalateWithin: 10s", StringComparison.Ordinal)), 7);
        DrillJudge.Judge(plan, Healed() with { Runs = [Run() with { State = "escalated" }] }).Verdict.Should().Be(Verdict.Pass);
        DrillJudge.Judge(plan, Healed()).Reasons.Should().ContainSingle().Which.Should().Be("not escalated within 10.00 s");
    }

    [Fact]
    public void Detected_too_early_after_the_injection_fails()
    {
        static ScenarioPlan Plan(string after) => new(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("detectWithin: 1s", $"detectAfter: {after}", StringComparison.Ordinal)), 7);
        DrillJudge.Judge(Plan("300ms"), Healed()).Verdict.Should().Be(Verdict.Pass);
        DrillJudge.Judge(Plan("400ms"), Healed()).Reasons.Should().ContainSingle().Which.Should().Be("detected 300 ms after the injection, before 400 ms");
    }

    [Fact]
    public void On_a_noisy_machine_a_missed_bound_of_its_processor_says_nothing_and_a_pass_is_a_pass()
    {
        var text = ChaosTexts.SpamText.Replace("steadyState:", "steadyState:\n  - { probe: host.cpu, check: result.percent < 60.0 }", StringComparison.Ordinal);
        var plan = new ScenarioPlan(ChaosTexts.Spam(text), 7);
        var late = Healed() with { Recovered = Ms(15_000) };
        DrillJudge.Judge(plan, late with { OthersCpu = 40 }).Verdict.Should().Be(Verdict.Inconclusive);
        DrillJudge.Judge(plan, late with { OthersCpu = 10 }).Verdict.Should().Be(Verdict.Fail);
        DrillJudge.Judge(plan, late with { OthersCpu = null }).Verdict.Should().Be(Verdict.Fail);
        DrillJudge.Judge(plan, Healed() with { OthersCpu = 40 }).Verdict.Should().Be(Verdict.Pass);
        DrillJudge.Judge(Plan, late with { OthersCpu = 40 }).Verdict.Should().Be(Verdict.Fail, "that is not about the processor");
    }

    [Theory]
    [InlineData(10_300, null)]
    [InlineData(9_500, null)]
    [InlineData(8_900, "lasted 8.81 s instead of 10.00 s")]
    [InlineData(11_200, "lasted 11.11 s instead of 10.00 s")]
    [InlineData(null, "did not end")]
    public void A_lease_that_ends_early_or_late_fails(int? endedMs, string? problem)
    {
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("expect:", "expect:\n  banLasts: 10s", StringComparison.Ordinal)), 7);
        var record = Healed();
        if (endedMs is { } ended) record = record with { Unbanned = new Dictionary<string, TimeSpan> { ["rogue"] = Ms(ended) + Ms(1000) } };
        var reasons = DrillJudge.Judge(plan, record).Reasons;
        if (problem is null) reasons.Should().BeEmpty();
        else reasons.Should().ContainSingle().Which.Should().Contain(problem);
    }

    [Fact]
    public void Only_refusals_that_are_allowed_are_forgiven()
    {
        var refused = Healed();
        refused = refused with { Operations = [.. refused.Operations, refused.Operations[0] with { Id = "refused", Sequence = 9_999, Outcome = OperationOutcome.Fail, Answer = "rate-limited", SentAt = Ms(3000), AnsweredAt = Ms(3001) }] };
        DrillJudge.Judge(Plan, refused).Reasons.Should().ContainSingle().Which.Should().Contain("1 legitimate operations were refused");
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("expect:", "expect:\n  mayRefuse: [rate-limited]", StringComparison.Ordinal)), 7);
        DrillJudge.Judge(plan, refused).Verdict.Should().Be(Verdict.Pass);
    }

    [Fact]
    public void An_incident_about_somebody_else_breaks_the_chain() => Red(Verdict.Fail, "no incident names rogue",
        Healed() with { Incidents = [Incident() with { Subject = "librarian" }] });

    [Fact]
    public void An_incident_from_before_the_fault_breaks_the_chain() => Red(Verdict.Fail, "no incident names rogue",
        Healed() with { Incidents = [Incident() with { FirstSeen = Ms(100) }] });

    [Fact]
    public void Another_type_of_incident_breaks_the_chain() => Red(Verdict.Fail, "is policy.regression, not",
        Healed() with { Incidents = [Incident() with { Type = "policy.regression", Rules = ["policy.regression"] }] });

    [Fact]
    public void A_rule_that_joined_the_incident_counts() => DrillJudge.Judge(Plan,
        Healed() with { Incidents = [Incident() with { Type = "message_bus.acl_violation.spam_attack", Rules = ["message_bus.acl_violation.spam_attack", ChaosTexts.Flooded] }] })
        .Verdict.Should().Be(Verdict.Pass);

    [Fact]
    public void The_wrong_playbook_fails() => Red(Verdict.Fail, "was answered by something_else", Healed() with { Runs = [Run() with { Playbook = "something_else" }] });

    [Fact]
    public void A_run_for_another_incident_fails() => Red(Verdict.Fail, "ran for another incident",
        Healed() with { Runs = [Run() with { Incident = "other" }], Incidents = [Incident() with { Runs = [] }] });

    [Fact]
    public void A_run_without_an_effect_fails() => Red(Verdict.Fail, "no step of run run-1 had an effect",
        Healed() with { Runs = [Run() with { Steps = [("blacklist", "skipped"), ("restart_bus", "skipped")] }] });

    [Fact]
    public void A_run_that_escalated_fails() => Red(Verdict.Fail, "ended escalated", Healed() with { Runs = [Run() with { State = "escalated" }] });

    [Fact]
    public void A_playbook_that_must_not_run_fails() => Red(Verdict.Fail, "resource_pressure_cpu must not run",
        Healed() with { Runs = [Run(), Run() with { Id = "run-2", Playbook = "resource_pressure_cpu" }] });

    [Fact]
    public void Detection_before_the_threshold_fails() => Red(Verdict.Fail, "detected at 3 violations",
        Healed() with { Incidents = [Incident() with { FirstViolations = 3 }] });

    [Fact]
    public void An_uncounted_violation_fails() => Red(Verdict.Fail, "99, expected 100", Healed() with { Incidents = [Incident() with { Violations = 99 }] });

    [Fact]
    public void A_second_incident_fails() => Red(Verdict.Fail, "incidents: 2, expected 1", Healed() with { Incidents = [Incident(), Incident() with { Id = "b", Subject = "x" }] });

    [Fact]
    public void A_banned_innocent_fails() => Red(Verdict.Fail, "load-02 is legitimate and was banned",
        Healed() with { Banned = new Dictionary<string, TimeSpan> { ["rogue"] = Ms(1090), ["load-02"] = Ms(1200) } });

    [Fact]
    public void A_refused_legitimate_operation_fails()
    {
        var healed = Healed();
        Red(Verdict.Fail, "1 legitimate operations were refused, the first one rate-limited", healed with
        {
            Operations = [.. healed.Operations, healed.Operations[0] with { Id = "extra", Outcome = OperationOutcome.Fail, Answer = "rate-limited" }],
        });
    }

    [Fact]
    public void Slow_legitimate_traffic_fails()
    {
        var healed = Healed();
        Red(Verdict.Fail, "legitimate p99 is 90 ms under the fault", healed with
        {
            Operations = [.. healed.Operations.Select(x => x.SentAt >= Ms(900) ? x with { AnsweredAt = x.SentAt + Ms(90) } : x)],
        });
    }

    [Fact]
    public void Missing_latency_windows_fail() => Red(Verdict.Fail, "too few windows", Healed() with { Windows = [] });

    [Fact]
    public void A_verification_that_does_not_hold_fails() => Red(Verdict.Fail, "result.banned does not hold",
        Healed() with { Verified = [new CheckResult("result.banned", false, "result.banned = false")] });

    [Fact]
    public void A_delivered_forbidden_message_is_unsafe_whatever_else() => Red(Verdict.Unsafe, "1 forbidden messages were delivered",
        Healed() with { Flood = Healed().Flood with { Delivered = 1 }, Proven = null, Aborted = "stopped" });

    [Fact]
    public void An_accepted_forbidden_message_is_unsafe() => Red(Verdict.Unsafe, "were accepted", Healed() with { Flood = Healed().Flood with { Accepted = 2 } });

    [Fact]
    public void A_lost_message_is_unsafe() => Red(Verdict.Unsafe, "Lost: ", Healed() with { Deliveries = [.. Healed().Deliveries.Skip(1)] });

    [Fact]
    public void A_message_under_way_when_the_drill_was_cut_short_is_not_called_lost() => Red(Verdict.Aborted, "stopped",
        Healed() with { Deliveries = [.. Healed().Deliveries.Skip(1)], Aborted = "stopped by the operator" });

    [Fact]
    public void A_doubled_message_is_unsafe() => Red(Verdict.Unsafe, "Doubled: ", Healed() with { Deliveries = [.. Healed().Deliveries, Healed().Deliveries[^1]] });

    [Fact]
    public void Without_evidence_it_is_inconclusive() => Red(Verdict.Inconclusive, "no evidence", Healed() with { Proven = null });

    [Fact]
    public void Too_few_operations_are_inconclusive()
    {
        var healed = Healed();
        var few = healed.Operations.Take(100 + ScenarioPlan.MinOperations - 1).ToList();
        Red(Verdict.Inconclusive, "199 operations inside the fault window", healed with { Operations = few, Deliveries = [.. healed.Deliveries.Take(few.Count)] });
    }

    [Fact]
    public void A_breached_guardrail_aborts() => Red(Verdict.Aborted, "guardrail", Healed() with { Aborted = "guardrail: half the load went wrong" });

    [Fact]
    public void A_fault_that_may_still_be_active_is_undo_unproven() => Red(Verdict.UndoUnproven, "its evidence still holds", Healed() with { UndoProven = false });

    [Fact]
    public void A_harness_that_could_not_work_is_a_harness_error() => Red(Verdict.HarnessError, "no steady state", Healed() with { HarnessError = "no steady state" });

    [Fact]
    public void The_control_fails_when_anything_acts()
    {
        var control = new ScenarioPlan(ChaosTexts.Control(), 1);
        var quiet = Healed() with { Injected = Ms(500), Proven = null, Incidents = [], Runs = [], Banned = new Dictionary<string, TimeSpan>(), Flood = new FloodResult(), Windows = [] };
        DrillJudge.Judge(control, quiet).Verdict.Should().Be(Verdict.Pass);
        DrillJudge.Judge(control, quiet with { Incidents = [Incident()] }).Verdict.Should().Be(Verdict.Fail);
        DrillJudge.Judge(control, quiet with { Runs = [Run()] }).Verdict.Should().Be(Verdict.Fail);
        DrillJudge.Judge(control, quiet with { Banned = new Dictionary<string, TimeSpan> { ["x"] = Ms(1) } }).Verdict.Should().Be(Verdict.Fail);
    }

    [Fact]
    public void Exit_codes_are_those_promised_and_unsafe_dominates()
    {
        Enum.GetValues<Verdict>().ToDictionary(x => x.Name(), x => x.ExitCode()).Should().BeEquivalentTo(new Dictionary<string, int>
        {
            ["pass"] = 0, ["fail"] = 1, ["unsafe"] = 2, ["inconclusive"] = 3, ["aborted"] = 4, ["undo_unproven"] = 5, ["harness_error"] = 6,
        });
        Verdicts.Worst([.. Enum.GetValues<Verdict>()]).Should().Be(Verdict.Unsafe);
        Verdicts.Worst([Verdict.Pass, Verdict.Inconclusive]).Should().Be(Verdict.Inconclusive);
        Verdicts.Worst([]).Should().Be(Verdict.HarnessError);
    }

    private static void Red(Verdict verdict, string reason, DrillRecord record)
    {
        var judgement = DrillJudge.Judge(Plan, record);
        judgement.Verdict.Should().Be(verdict, string.Join("; ", judgement.Reasons));
        judgement.Reasons.Should().Contain(x => x.Contains(reason, StringComparison.Ordinal));
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private static SeenIncident Incident() => new("a", "acl/principal/rogue", ChaosTexts.Flooded, "rogue", 100, "resolved", default, [ChaosTexts.Flooded], ["run-1"], Ms(1200), 5);

    private static SeenRun Run() => new("run-1", "message_bus_acl_violation_fix", "a", "resolved", [("blacklist", "succeeded"), ("restart_bus", "skipped")], Ms(1250), Ms(1600), Ms(3400));

    /// <summary>Injected at 0.9 s, proven at 1 s; a hundred operations before, three hundred after.</summary>
    private static DrillRecord Healed()
    {
        var operations = Enumerable.Range(0, 400).Select(i =>
        {
            var at = i < 100 ? Ms(i * 8) : Ms(900 + ((i - 100) * 10));
            return new Operation($"op-{i}", "load-01", "library.books.01", i + 1, OperationOutcome.Ok, "accepted", at, at + Ms(2));
        }).ToList();
        return new DrillRecord
        {
            Injected = Ms(900),
            Proven = Ms(1000),
            Withdrawn = Ms(1900),
            Recovered = Ms(2100),
            Incidents = [Incident()],
            Runs = [Run()],
            Banned = new Dictionary<string, TimeSpan> { ["rogue"] = Ms(1090) },
            Flood = new FloodResult { Sent = 100, AclDenied = 9, Blacklisted = 91 },
            Operations = operations,
            Deliveries = [.. operations.Select(x => new Delivery(x.Id, x.Principal, x.Topic, x.AnsweredAt))],
            Verified = [new CheckResult("result.banned", true, "")],
            Windows = [new LoadWindow(false, Ms(0), Ms(800)), new LoadWindow(true, Ms(900), Ms(1900))],
            Ended = Ms(9000),
        };
    }
}
