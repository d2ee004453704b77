using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>severity.assess</c>.</summary>
internal sealed record SeverityAssessInput([property: Description("Violations counted so far, 0 or more.")] long Violations);

/// <summary>Output of <c>severity.assess</c>.</summary>
internal sealed record SeverityAssessOutput(
    [property: Description("low (below 10), medium (10 to 49), high (50 to 200) or critical (above 200).")] [property: AllowedValues("low", "medium", "high", "critical")] string Severity,
    [property: Description("2 points for every 5 violations, 0 to 100.")] int Score);

/// <summary>
/// Grades an incident by its count. The steps follow the detection: 10 is where spam begins, 200 where the bus is restarted.
/// </summary>
internal sealed class SeverityAssess : GuardianAction<SeverityAssessInput, SeverityAssessOutput>
{
    public override string Name => "severity.assess";

    public override string Summary => "Grades the incident from its violations.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool Idempotent => true;

    public static SeverityAssessOutput Grade(long violations) => new(
        violations switch { < 10 => "low", < 50 => "medium", <= 200 => "high", _ => "critical" },
        (int)Math.Min(100, Math.Min(violations, 250) * 2 / 5));

    public override Task<SeverityAssessOutput> ExecuteAsync(SeverityAssessInput input, ActionContext context, CancellationToken cancellation) =>
        input.Violations < 0
            ? throw new ActionFailedException($"{Name}: violations is {input.Violations}, but a count is never negative")
            : Task.FromResult(Grade(input.Violations));

    public override Task<(OutcomeKind Kind, SeverityAssessOutput? Output)> ProbeAsync(SeverityAssessInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (SeverityAssessOutput?)null)); // no effect outside: grading again is free
}
