using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Planning;

namespace Guardian.Playbooks.Validation;

/// <summary>Finds the playbook for an incident.</summary>
public static class PlaybookMatcher
{
    /// <summary>The first playbook (by name) with a trigger that fits, with the clause and the values it saw; null when none.</summary>
    public static (Playbook Playbook, string Because)? Match(IEnumerable<Playbook> playbooks, string incidentType, JsonElement incident)
    {
        ArgumentNullException.ThrowIfNull(playbooks);
        var scope = new EvaluationScope { Incident = incident };
        foreach (var playbook in playbooks.OrderBy(x => x.Name, StringComparer.Ordinal))
        {
            foreach (var trigger in playbook.Triggers)
            {
                if (trigger.Event == incidentType && Holds(trigger.When, scope)) return (playbook, Because(trigger, scope));
            }
        }

        return null;
    }

    /// <summary>Every playbook, whether it would start, and the verdict of each of its clauses.</summary>
    /// <param name="playbooks">The playbooks.</param>
    /// <param name="incidentType">The incident's type.</param>
    /// <param name="incident">Its fields.</param>
    /// <param name="enabled">Whether operators let a playbook run; null: all may.</param>
    public static IReadOnlyList<PlaybookMatch> Explain(IEnumerable<Playbook> playbooks, string incidentType, JsonElement incident, Func<string, bool>? enabled = null)
    {
        ArgumentNullException.ThrowIfNull(playbooks);
        List<PlaybookMatch> matches = [.. playbooks.OrderBy(x => x.Name, StringComparer.Ordinal).Select(x =>
        {
            var clauses = Clauses(x, incidentType, incident);
            return new PlaybookMatch
            {
                Playbook = x.Name, Version = x.Version, Matches = clauses.Any(c => c.Holds), Chosen = false,
                Enabled = enabled?.Invoke(x.Name) ?? true, Clauses = clauses,
            };
        })];
        var chosen = matches.FindIndex(x => x is { Matches: true, Enabled: true });
        if (chosen >= 0) matches[chosen] = matches[chosen] with { Chosen = true };
        return matches;
    }

    /// <summary>The verdict of each of a playbook's triggers.</summary>
    public static IReadOnlyList<ClauseMatch> Clauses(Playbook playbook, string incidentType, JsonElement incident)
    {
        ArgumentNullException.ThrowIfNull(playbook);
        var scope = new EvaluationScope { Incident = incident };
        return [.. playbook.Triggers.Select(x => x.Event == incidentType
            ? Verdict(x, scope)
            : new ClauseMatch(x.Event, x.When?.Source, false, $"waits for {x.Event}, not {incidentType}"))];
    }

    private static ClauseMatch Verdict(Trigger trigger, EvaluationScope scope)
    {
        var holds = Holds(trigger.When, scope);
        return new ClauseMatch(trigger.Event, trigger.When?.Source, holds, holds ? Because(trigger, scope) : $"does not hold: {trigger.When!.Explain(scope)}");
    }

    private static string Because(Trigger trigger, EvaluationScope scope) =>
        trigger.When is null ? $"event {trigger.Event}" : $"event {trigger.Event} when {trigger.When.Explain(scope)}";

    private static bool Holds(CompiledExpression? when, EvaluationScope scope)
    {
        try
        {
            return when is null || when.Test(scope);
        }
        catch (EvaluationException)
        {
            // A condition without a value is not met: nothing acts on evidence that is not there.
            return false;
        }
    }
}
