using System.Globalization;
using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Planning;

/// <summary>How far Guardian may act where a plan is made.</summary>
/// <param name="Mode">The global mode.</param>
/// <param name="Class">Autonomy of a risk class, without the mode.</param>
/// <param name="Held">Reason of a hold in force; null when none.</param>
public sealed record PlanAutonomy(OperatingMode Mode, Func<RiskClass, OperatingMode> Class, string? Held = null);

/// <summary>Says what a playbook would do for an incident that somebody describes. Pure; what only a run can know stays open.</summary>
public sealed class PlaybookPlanner(Vocabulary vocabulary, PlanAutonomy autonomy)
{
    /// <summary>The plan for an incident of a type that starts the playbook.</summary>
    /// <param name="playbook">A valid one.</param>
    /// <param name="type">The incident's type.</param>
    /// <param name="incident">All its fields, from <see cref="DescribedIncident.Complete"/>.</param>
    public RunPlan Plan(Playbook playbook, IncidentType type, JsonElement incident)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        ArgumentNullException.ThrowIfNull(type);
        var scope = new EvaluationScope
        {
            Incident = incident, Vars = playbook.Vars, Preview = true,
            Node = incident.TryGetProperty("node", out var node) ? node.GetString() : null,
        };
        var clauses = PlaybookMatcher.Clauses(playbook, type.Name, incident);
        return new RunPlan
        {
            Playbook = playbook.Name,
            Version = playbook.Version,
            Hash = playbook.Hash,
            Event = type.Name,
            Incident = incident,
            Starts = clauses.Any(x => x.Holds),
            Because = clauses.FirstOrDefault(x => x.Holds)?.Because ?? string.Join("; ", clauses.Where(x => x.Event == type.Name).Select(x => x.Because)),
            Held = autonomy.Held,
            Guards = Guards(playbook, scope),
            Timeout = new Duration(playbook.Timeout).ToString(),
            Steps = [.. playbook.Steps.Select(x => Plan(playbook, x, scope))],
            Finally = [.. playbook.Finally.Select(x => Plan(playbook, x, scope))],
            Verify = [.. playbook.Verify.Select(x => Plan(x, scope))],
            RollbackOn = [.. playbook.RollbackOn.Select(YamlValues.Snake)],
        };
    }

    private PlannedStep Plan(Playbook playbook, Step step, EvaluationScope scope)
    {
        var action = vocabulary.Actions[step.Action];
        var (input, failure) = Input(step.With, scope);
        var (mode, why) = Autonomy(playbook, step, action.Risk);
        var (decision, because) = Decide(step, scope, mode, why, failure);
        return new PlannedStep
        {
            Id = step.Id,
            Action = step.Action,
            Decision = decision,
            Because = because,
            Input = input,
            Risk = YamlValues.Snake(action.Risk),
            Autonomy = why,
            Target = step.On.ToString(),
            Undo = step.Undo is { } undo ? undo.Action ?? "auto" : "none",
            UndoOn = step.UndoOn,
            Attempts = Attempts(step),
            SkipWhen = step.SkipWhen is { } skip ? $"{skip.Probe}: {skip.Check.Source}, within {new Duration(skip.Within)}; without an answer it runs" : null,
        };
    }

    private static (string Decision, string Because) Decide(Step step, EvaluationScope scope, OperatingMode mode, string why, string? failure)
    {
        var because = "it has no condition";
        if (step.If is { } condition)
        {
            because = condition.Explain(scope);
            if (condition.DependsOnRun) return ("depends", $"on what the run will know: {because}");
            if (!Holds(condition, scope, out var error)) return error is null ? ("skipped", because) : ("fails", error);
        }

        if (failure is not null) return ("fails", failure);
        return mode switch
        {
            OperatingMode.Observe => ("observed", $"{because}; {why}"),
            OperatingMode.Propose => ("awaits_approval", $"{because}; {why}"),
            _ => ("runs", because),
        };
    }

    private static bool Holds(CompiledExpression condition, EvaluationScope scope, out string? error)
    {
        error = null;
        try
        {
            return condition.Test(scope);
        }
        catch (EvaluationException e)
        {
            error = e.Message;
            return false;
        }
    }

    /// <summary>The strictest wins; what has no effect on what is guarded acts unless everything is only observed.</summary>
    private (OperatingMode Mode, string Why) Autonomy(Playbook playbook, Step step, RiskClass risk)
    {
        var of = risk == RiskClass.None ? OperatingMode.Enforce : autonomy.Class(risk);
        var mode = (OperatingMode)Math.Min(Math.Min((int)autonomy.Mode, (int)of), (int)playbook.Mode);
        if (risk == RiskClass.None && mode == OperatingMode.Propose) mode = OperatingMode.Enforce;
        mode = (OperatingMode)Math.Min((int)mode, (int)step.Mode);
        var parts = risk == RiskClass.None
            ? $"mode {YamlValues.Snake(autonomy.Mode)}, no risk, playbook {YamlValues.Snake(playbook.Mode)}"
            : $"mode {YamlValues.Snake(autonomy.Mode)}, class {YamlValues.Snake(risk)} {YamlValues.Snake(of)}, playbook {YamlValues.Snake(playbook.Mode)}";
        if (step.Mode != OperatingMode.Enforce) parts += $", step {YamlValues.Snake(step.Mode)}";
        return (mode, $"{YamlValues.Snake(mode)}: the strictest of {parts}");
    }

    private static (JsonElement? Input, string? Failure) Input(Template with, EvaluationScope scope)
    {
        try
        {
            return (with.Render(scope), null);
        }
        catch (EvaluationException e)
        {
            return (null, e.Message);
        }
    }

    private static PlannedCheck Plan(Verification check, EvaluationScope scope) => new()
    {
        Id = check.Id,
        Probe = check.Probe,
        Input = Input(check.With, scope).Input,
        Check = check.Check.Source,
        Pace = string.Create(CultureInfo.InvariantCulture,
            $"every {new Duration(check.Every)}, {check.SucceedAfter} in a row, within {new Duration(check.Within)}"),
    };

    private static string Attempts(Step step)
    {
        var attempts = step.Retry.Attempts == 1
            ? "1 attempt"
            : string.Create(CultureInfo.InvariantCulture,
                $"{step.Retry.Attempts} attempts, {(step.Retry.Exponential ? "doubling" : "constant")} wait from {new Duration(step.Retry.Initial)} to {new Duration(step.Retry.Max)}");
        return $"{attempts} of at most {new Duration(step.Timeout)}; a failure {(step.ContinueOnError ? "lets the run go on" : "ends the run")}";
    }

    private static string Lock(Template text, EvaluationScope scope)
    {
        try
        {
            return text.RenderText(scope);
        }
        catch (EvaluationException e)
        {
            return $"not known: {e.Message}";
        }
    }

    private static List<string> Guards(Playbook playbook, EvaluationScope scope)
    {
        var guards = new List<string>();
        var declared = playbook.Guards;
        if (playbook.HoldFor > TimeSpan.Zero) guards.Add($"holdFor {new Duration(playbook.HoldFor)}: acts only if the incident still fires then");
        if (declared.Cooldown > TimeSpan.Zero) guards.Add($"cooldown {new Duration(declared.Cooldown)} after a run ended, for its key");
        guards.AddRange(declared.MaxRuns.Select(x => string.Create(CultureInfo.InvariantCulture,
            $"at most {x.Count} runs per {new Duration(x.Per)} and {YamlValues.Snake(x.Scope)}, then containment only")));
        if (declared.Lock is { } text) guards.Add($"lock '{Lock(text, scope)}': of the runs with the same text one acts at a time");
        if (declared.BlastRadius is { Kernels: { } kernels }) guards.Add($"blast radius: at most {kernels} of the declared kernels held at once, at least 1; a step past it fails");
        if (declared.BlastRadius is { Principals: { } principals }) guards.Add(string.Create(CultureInfo.InvariantCulture, $"blast radius: at most {principals} principals held at once; a step past it fails"));
        if (declared.CircuitBreaker is { } breaker)
            guards.Add(string.Create(CultureInfo.InvariantCulture, $"circuit breaker: after {breaker.Failures} escalated runs within {new Duration(breaker.Within)} containment only, until an operator resets it"));
        return guards;
    }
}
