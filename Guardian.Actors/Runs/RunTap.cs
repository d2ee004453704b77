using System.Collections.Immutable;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

/// <summary>
/// Tells of each event of the node's runs the moment it is stored and before anything follows from it, on the run's own thread: chaos
/// ends a run, or its node, at an exact point by it. A listener that throws crashes the run, as a defect in it would. Thread-safe.
/// </summary>
internal sealed class RunTap
{
    private ImmutableArray<Action<string, RunEvent>> _listeners = [];

    /// <summary>Listens until it is disposed: the run's id and its event.</summary>
    public IDisposable Listen(Action<string, RunEvent> listener)
    {
        ImmutableInterlocked.Update(ref _listeners, x => x.Add(listener));
        return new Listening(this, listener);
    }

    public void Stored(string run, RunEvent e)
    {
        foreach (var listener in _listeners) listener(run, e);
    }

    private sealed class Listening(RunTap tap, Action<string, RunEvent> listener) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.Update(ref tap._listeners, x => x.Remove(listener));
    }
}
