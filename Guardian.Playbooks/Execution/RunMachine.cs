using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>
/// Decides what a run of one playbook does next. Pure: no clock, no I/O, no Akka.
/// The shell persists <see cref="RunDecision.Events"/>, folds them, asks again, and carries out commands only after that.
/// </summary>
public sealed class RunMachine(Playbook playbook, Vocabulary vocabulary)
{
    /// <summary>The playbook.</summary>
    public Playbook Playbook { get; } = playbook;

    /// <summary>The vocabulary it was checked against.</summary>
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>The first event of a run.</summary>
    public RunStarted Start(string runId, string incidentId, string incidentKey, string node, int seed, string because, RunView view) => throw new NotImplementedException();

    /// <summary>What follows from the state alone at <see cref="RunView.Now"/>.</summary>
    public RunDecision Decide(RunState state, RunView view) => throw new NotImplementedException();

    /// <summary>The events that an input leads to; none where it is stale or unknown.</summary>
    public IReadOnlyList<RunEvent> Handle(RunState state, RunInput input, RunView view) => throw new NotImplementedException();
}
