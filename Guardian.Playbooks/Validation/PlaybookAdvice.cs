using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Finds what a playbook may do but hardly means to: warnings, with their place. Valid playbooks only.</summary>
public static class PlaybookAdvice
{
    /// <summary>All warnings about a playbook.</summary>
    /// <param name="playbook">A valid one.</param>
    /// <param name="vocabulary">What it was checked against.</param>
    /// <param name="autonomy">How far each class may act where it will run, mode and class together.</param>
    public static IReadOnlyList<FileError> Of(Playbook playbook, Vocabulary vocabulary, Func<RiskClass, OperatingMode> autonomy)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(autonomy);
        var warnings = new List<FileError>();
        var acts = false;
        foreach (var step in playbook.Steps.Concat(playbook.Finally))
        {
            var action = vocabulary.Actions[step.Action];
            acts |= action.Risk > RiskClass.None;
            if (action is { HasUndo: true, Risk: > RiskClass.None } && step.Undo is null)
                Warn(step.Id, $"step '{step.Id}' has no undo: a cancelled run leaves what {action.Name} did; add 'undo: auto'");
            if (action.Risk == RiskClass.Destroy && step.Mode > OperatingMode.Propose && IsUnguarded(playbook))
                Warn(step.Id, $"step '{step.Id}' can destroy ({action.Name}) without approval or guard; use 'mode: propose', or limit it with 'guards': maxRuns, blastRadius, circuitBreaker or cooldown");
            if (action.Risk > RiskClass.None && autonomy(action.Risk) is var allowed && allowed < playbook.Mode && allowed < OperatingMode.Enforce)
                Warn(step.Id, $"step '{step.Id}' will only be {(allowed == OperatingMode.Propose ? "proposed" : "recorded")}: the configuration lets {YamlValues.Snake(action.Risk)} actions like {action.Name} go as far as {YamlValues.Snake(allowed)} (Guardian:Mode, Guardian:Autonomy:{action.Risk})");
        }

        if (acts && playbook.Verify.Count == 0)
            Warn("", "nothing checks that it helped: without 'verify' a run counts as resolved as soon as its steps are through");
        return [.. warnings.OrderBy(x => x.Line).ThenBy(x => x.Column)];

        void Warn(string id, string message)
        {
            var at = playbook.Places.GetValueOrDefault(id);
            warnings.Add(new FileError(playbook.File, at.Line, at.Column, message));
        }
    }

    /// <summary>A lock alone orders what is destroyed; it does not bound it.</summary>
    private static bool IsUnguarded(Playbook playbook) =>
        playbook.Mode > OperatingMode.Propose && playbook.Guards is { MaxRuns.Count: 0, BlastRadius: null, CircuitBreaker: null } && playbook.Guards.Cooldown == TimeSpan.Zero;
}
