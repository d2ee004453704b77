using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

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
                if (trigger.Event != incidentType || !Holds(trigger.When, scope)) continue;
                return (playbook, trigger.When is null ? $"event {trigger.Event}" : $"event {trigger.Event} when {trigger.When.Explain(scope)}");
            }
        }

        return null;
    }

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
