using Guardian.Actors.Incidents;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Simulation;

/// <summary>What the incidents of a world share.</summary>
internal sealed record IncidentEnvironment(World World, Vocabulary Vocabulary, Playbook Playbook, SimulatedAgent Agent, Func<string, System.Text.Json.JsonElement, System.Text.Json.JsonElement> Probe);

/// <summary>IncidentActor without Akka: persists, then acts; a crash after any write loses all but the journal.</summary>
internal sealed class SimulatedIncident(IncidentEnvironment env, string key)
{
    private readonly string _entity = IncidentKeys.Entity(key);
    private readonly List<IncidentEvent> _journal = [];
    private readonly Dictionary<string, (SimulatedMonitor Monitor, string Episode)> _raisedBy = [];
    private IncidentState _state = IncidentState.Empty;
    private ViolationCounts _live = ViolationCounts.None;
    private DateTimeOffset _lastSeen;
    private (IncidentState State, long? Total, DateTimeOffset LastSeen, System.Text.Json.JsonElement Json)? _fields;
    private bool _down;
    private int _life;

    private World World => env.World;

    public IncidentState State => _state;
    public IReadOnlyList<IncidentEvent> Journal => _journal;

    /// <summary>All runs there ever were, by their id.</summary>
    public Dictionary<string, SimulatedRun> Runs { get; } = [];

    public void Raise(IncidentRaised raised, SimulatedMonitor monitor)
    {
        if (_down) return;
        var observer = raised.Monitor ?? raised.Node;
        _raisedBy[observer] = (monitor, raised.Episode);
        var opens = !_state.Open && !_state.Knows(raised);
        if (!opens) _live = _live.Seen(observer, raised.Episode, raised.Violations);
        _lastSeen = World.Now;
        if (IncidentLogic.Raise(_state, raised, _entity, _live.Total, World.Now) is { } e)
        {
            if (!Store(e)) return;
            if (opens) _live = _state.Counts;
            Accept(raised, monitor);
            Choose();
            return;
        }

        Accept(raised, monitor);
        if (!_state.Open) Over(monitor, raised.Episode);
    }

    /// <summary>The process dies and is back a while later.</summary>
    public void Crash()
    {
        World.Note("crash", "incident " + key);
        _down = true;
        _life++;
        foreach (var run in Runs.Values) run.Stop();
        World.At(World.Ms(50 + World.Draw(2_000)), Recover);
    }

    private void Recover()
    {
        _down = false;
        _state = _journal.Aggregate(IncidentState.Empty, (s, e) => s.Apply(e));
        _live = _state.Counts;
        _lastSeen = World.Now;
        _raisedBy.Clear();
        if (_state.Run is { } run) Spawn(run);
        else Choose();
    }

    /// <summary>False where the process died right after the write.</summary>
    private bool Store(IncidentEvent e)
    {
        if (e is IncidentOpened && _state.Open) throw new BrokenInvariantException($"{key}: a second incident was opened while one is open");
        if (e is IncidentRunAssigned && _state.Run is not null) throw new BrokenInvariantException($"{key}: a second run was assigned while one is under way");
        _journal.Add(e);
        _state = _state.Apply(e);
        World.Note("wrote", $"{key} {e.GetType().Name} {_state.State}");
        if (!World.Troubled || !World.Chance(World.Options.CrashPerWrite)) return true;
        Crash();
        return false;
    }

    private void Choose()
    {
        if (_down || _state.State is not ("open" or "escalated")) return;
        var choice = IncidentLogic.Choose(_state, Fields(), [env.Playbook], _lastSeen, World.Now);
        if (choice.Event is { } e && !Store(e)) return;
        if (choice.Event is IncidentRunAssigned assigned) Spawn(assigned);
        else if (choice.Event is IncidentSettled) Settled();
        else if (_state.State == "open") Again(choice.RetryAt - World.Now ?? TimeSpan.FromSeconds(30), Choose);
    }

    private void Spawn(IncidentRunAssigned assigned)
    {
        if (!Runs.TryGetValue(assigned.RunId, out var run)) Runs[assigned.RunId] = run = new SimulatedRun(env, assigned.RunId);
        run.Start(assigned, _state.Id, key, Fields, Finished);
    }

    private void Finished(string runId, RunPhase phase, string reason)
    {
        if (_down || _state.Run?.RunId != runId) return;
        if (Store(IncidentLogic.Settle(_state, runId, phase, reason, _live.Total, World.Now))) Settled();
    }

    private void Settled()
    {
        if (_state.Open) return;
        foreach (var (monitor, episode) in _raisedBy.Values) Over(monitor, episode);
        _raisedBy.Clear();
    }

    private void Over(SimulatedMonitor monitor, string episode) => World.Send("over " + key, () => monitor.OnOver(new IncidentOver { Key = key, Episode = episode }));

    private void Accept(IncidentRaised raised, SimulatedMonitor monitor)
    {
        var accepted = new IncidentAccepted { Key = key, IncidentId = _state.Id, Detection = raised.Detection, Episode = raised.Episode, Violations = raised.Violations };
        World.Send("accepted " + key, () => monitor.OnAccepted(accepted));
    }

    /// <summary>Made anew only when something changed: it is what the simulation would spend its time on.</summary>
    private System.Text.Json.JsonElement Fields()
    {
        if (_fields is not { } known || !ReferenceEquals(known.State, _state) || known.Total != _live.Total || known.LastSeen != _lastSeen)
            _fields = known = (_state, _live.Total, _lastSeen, IncidentFields.Of(_state, _live.Total, _lastSeen));
        return known.Json;
    }

    private void Again(TimeSpan after, Action work)
    {
        var life = _life;
        World.At(after, () =>
        {
            if (life == _life) work();
        });
    }
}
