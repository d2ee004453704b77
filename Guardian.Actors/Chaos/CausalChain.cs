namespace Guardian.Actors.Chaos;

/// <summary>
/// fault → incident → run → effect. A recovery counts only with this chain: a node that healed for another reason, or a
/// safeguard that acted on something else, proves nothing.
/// </summary>
internal sealed record CausalChain(SeenIncident? Incident, SeenRun? Run, IReadOnlyList<string> Broken)
{
    public bool Whole => Broken.Count == 0;

    public static CausalChain Of(ScenarioPlan plan, DrillRecord record)
    {
        var expect = plan.Scenario.Expect;
        if (expect.Incident is null) return new(null, null, []);

        var broken = new List<string>();
        var naming = record.Incidents.Where(x => (plan.Subject == ScenarioPlan.AnySubject || x.Subject == plan.Subject) && x.FirstSeen >= (record.Injected ?? TimeSpan.Zero)).OrderBy(x => x.FirstSeen).ToList();
        // The rule that fires first opens the incident; the others join it and stand in its rules.
        var incident = naming.FirstOrDefault(x => x.Type == expect.Incident || x.Rules.Contains(expect.Incident));
        if (incident is null)
        {
            broken.Add(naming.Count > 0
                ? $"the incident about {plan.Subject} is {naming[0].Type}, not {expect.Incident}"
                : record.Incidents.Count > 0
                    ? $"no incident names {plan.Subject}; seen: {string.Join(", ", record.Incidents.Select(x => $"{x.Type} about {x.Subject}"))}"
                    : $"no incident was opened; {expect.Incident} about {plan.Subject} was expected");
            return new(null, null, broken);
        }

        if (expect.Playbook is null) return new(incident, null, broken);
        var runs = record.Runs.Where(x => x.Incident == incident.Id || incident.Runs.Contains(x.Id)).OrderBy(x => x.FirstSeen).ToList();
        var run = runs.Find(x => x.Playbook == expect.Playbook);
        if (run is null)
        {
            broken.Add(runs.Count > 0
                ? $"incident {incident.Id} was answered by {runs[0].Playbook}, not {expect.Playbook}"
                : record.Runs.Any(x => x.Playbook == expect.Playbook)
                    ? $"{expect.Playbook} ran for another incident than {incident.Id}"
                    : $"{expect.Playbook} did not run");
            return new(incident, null, broken);
        }

        if (run.StepsDone is null) broken.Add($"the steps of run {run.Id} did not come to an end");
        if (!run.Steps.Any(x => x.State == "succeeded")) broken.Add($"no step of run {run.Id} had an effect");
        foreach (var step in expect.Steps)
        {
            var state = run.Steps.FirstOrDefault(x => x.Id == step).State;
            if (state != "succeeded") broken.Add($"step {step} of run {run.Id} was expected to succeed, it is {state ?? "missing"}");
        }

        return new(incident, run, broken);
    }
}
