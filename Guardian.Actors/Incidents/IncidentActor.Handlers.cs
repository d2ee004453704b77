using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Incidents;

internal sealed partial class IncidentActor
{
    private void Raise(IncidentRaised raised)
    {
        var now = _deps.Time.GetUtcNow();
        if (!_state.Knows(raised) && IncidentLogic.IsCovered(_state, raised, now))
        {
            // Not counted either: whoever tells it late tells again what others have told.
            Accept(raised, Sender);
            Sender.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
            Rest();
            return;
        }

        if (_state.Number == 0 && _deps.NumberFloor() is null)
        {
            Rest(); // the monitor repeats it; an id must not be given twice
            return;
        }

        if (!_state.Open && !_state.Knows(raised) && !Enter(raised.Key))
        {
            if (!_refusing) _log.Warning("Incident for {Key} has to wait: {Reason}", raised.Key, _deps.Open.Full(raised.Key));
            _refusing = true;
            Rest();
            return;
        }

        _refusing = false;
        if (!_state.Knows(raised)) _cleared = false;
        var monitor = Sender;
        if (!monitor.IsNobody()) _raisedBy[raised.Monitor ?? raised.Node] = (monitor, raised.Episode);
        var opens = !_state.Open && !_state.Knows(raised);
        var before = _live.Total;
        if (!opens) _live = _live.Seen(raised.Monitor ?? raised.Node, raised.Episode, raised.Violations);
        if (IncidentLogic.Raise(_state, raised, _entity, _live.Total, now, _deps.NumberFloor() ?? 0) is { } e)
        {
            Store(e, () =>
            {
                _log.Info("Incident {Incident} {What} by {Type}: {Key}", _state.Id, opens ? "opened" : "joined", raised.Type, raised.Key);
                Accept(raised, monitor);
                Timers.Cancel(nameof(WriteCount));
                Tell();
                Choose();
                Rest();
            });
            return;
        }

        if (_live.Total > before)
        {
            _lastSeen = now;
            if (!Timers.IsTimerActive(nameof(WriteCount))) Timers.StartSingleTimer(nameof(WriteCount), WriteCount.Instance, CountEvery);
            Tell();
        }

        Accept(raised, monitor);
        if (!_state.Open)
        {
            monitor.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
            Rest();
        }
    }

    private bool Enter(string key)
    {
        if (!_deps.Open.TryEnter(key)) return false;
        _entered = key;
        return true;
    }

    private void Accept(IncidentRaised raised, IActorRef monitor) => monitor.Tell(new IncidentAccepted
    {
        Key = raised.Key, IncidentId = _state.Id, Detection = raised.Detection, Episode = raised.Episode, Violations = raised.Violations,
    });

    private void PersistCount()
    {
        if (_live.Total is not { } total || total <= (_state.Counts.Total ?? 0)) return;
        Store(new IncidentCounted { At = _deps.Time.GetUtcNow(), IncidentId = _state.Id, Violations = total }, static () => { });
    }

    private void Choose()
    {
        Timers.Cancel(nameof(ChooseRun));
        if (_state.State is not ("open" or "escalated")) return;
        var now = _deps.Time.GetUtcNow();
        var choice = IncidentLogic.Choose(_state, Fields(), _deps.Playbooks.Current.Playbooks, _lastSeen, now, _deps.Switches);
        if (choice.Event is { } e) Store(e, () => Chosen(e, choice.RetryAt));
        else Later(choice.RetryAt);
    }

    private void Chosen(IncidentEvent e, DateTimeOffset? retryAt)
    {
        switch (e)
        {
            case IncidentRunAssigned x:
                _log.Info("Incident {Incident}: run {Run} of {Playbook}, because {Because}", x.IncidentId, x.RunId, x.Playbook, x.Because);
                Spawn();
                break;
            case IncidentRunDeclined x:
                _log.Info("Incident {Incident}: no run, {Reason}", x.IncidentId, x.Reason);
                Later(retryAt);
                LookForQuiet();
                break;
            case IncidentSettled x:
                Settled(x);
                break;
        }
    }

    private void Later(DateTimeOffset? at)
    {
        if (_state.State != "open" && at is null) return;
        var wait = at - _deps.Time.GetUtcNow() ?? LookAgain;
        Timers.StartSingleTimer(nameof(ChooseRun), ChooseRun.Instance, wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    /// <summary>When it was last seen says something where its monitor tells of growth, or has told of its end.</summary>
    private System.Text.Json.JsonElement Fields() => IncidentFields.Of(_state, _live.Total, (_state.Raised!.TellsEnd ? _cleared : _live.Total is not null) ? _lastSeen : null, _recoveredAt);

    private void Tell() => _run?.Tell(new LiveIncident(Fields()));

    private void Spawn()
    {
        if (_state.Run is not { } assigned || _run is not null) return;
        var order = new RunOrder(assigned.RunId, assigned.Playbook, assigned.Definition, assigned.Because, assigned.ContainmentOnly,
            _state.Id, _state.Raised!.Key, _state.Raised.Node, Fields());
        _run = Context.Watch(Context.ActorOf(PlaybookRunActor.Props(order, _deps.Run)));
    }

    private void RunStopped(Terminated stopped)
    {
        if (!stopped.ActorRef.Equals(_run)) return;
        _run = null;
        if (_state.Run is null) return;
        _log.Warning("Run {Run} stopped before its end; it goes on in {Seconds} s", _state.Run.RunId, RunBackoff.TotalSeconds);
        Timers.StartSingleTimer(nameof(StartRun), StartRun.Instance, RunBackoff);
    }

    private void Finished(RunFinished x)
    {
        if (_state.Run?.RunId != x.RunId)
        {
            Context.Stop(Sender);
            return;
        }

        var run = Sender;
        var settled = IncidentLogic.Settle(_state, x.RunId, x.Phase, x.Reason, _live.Total, _deps.Time.GetUtcNow());
        if (x.Told.Count > 0) settled = settled with { Told = x.Told };
        Store(settled, () =>
        {
            _run = null;
            Context.Unwatch(run);
            Context.Stop(run);
            Settled(settled);
        });
    }

    private void Settled(IncidentSettled x)
    {
        _log.Info("Incident {Incident} {State}: {Reason}", x.IncidentId, x.State, x.Reason);
        Timers.Cancel(nameof(WriteCount));
        if (_state.Open)
        {
            Choose();
            LookForQuiet();
            return;
        }

        var key = _state.Raised!.Key;
        _deps.Open.Leave(key);
        foreach (var (monitor, episode) in _raisedBy.Values) monitor.Tell(new IncidentOver { Key = key, Episode = episode });
        _raisedBy.Clear();
        AnnounceOver();
        Rest();
    }

    /// <summary>Ends what nobody works on and is quiet; looks again when that may be so.</summary>
    private void LookForQuiet()
    {
        Timers.Cancel(nameof(LookForQuiet));
        var now = _deps.Time.GetUtcNow();
        var choice = IncidentLogic.Quiet(_state, _lastSeen, _recoveredAt, _live.Total, _deps.QuietAfter, now);
        if (choice.Event is IncidentSettled quiet) Store(quiet, () => Settled(quiet));
        else if (choice.RetryAt is { } at) Timers.StartSingleTimer(nameof(LookForQuiet), QuietNow.Instance, at - now < LongestWait ? at - now : LongestWait);
    }

    private void Clear(IncidentCleared x)
    {
        var monitor = Sender;
        var over = new IncidentOver { Key = x.Key, Episode = x.Episode };
        if (!_state.Open)
        {
            _deps.Open.Leave(x.Key); // where a first write failed
            monitor.Tell(over);
            Rest();
            return;
        }

        if (_state.Run is not null)
        {
            // A run that has not begun to act yet wants to know; one that acts finds out by its checks.
            if (!_cleared)
            {
                _cleared = true;
                Tell();
            }

            return;
        }

        var settled = new IncidentSettled
        {
            At = _deps.Time.GetUtcNow(), IncidentId = _state.Id, State = "resolved", Reason = $"over by itself: {x.Reason}", Violations = _live.Total,
        };
        Store(settled, () =>
        {
            monitor.Tell(over);
            Settled(settled);
        });
    }

    private void Close(CloseIncident x)
    {
        var asker = Sender;
        if (!_state.Open)
        {
            asker.Tell(new IncidentAnswer { Done = false, Reason = "no incident of this key is open" });
            return;
        }

        if (_state.Run is not null)
        {
            // The run takes back what it did first; its end closes the incident.
            if (_run is null) asker.Tell(new IncidentAnswer { Done = false, Reason = "its run is being restarted; try again" });
            else _run.Tell(new RunDirected("cancel", x.By, x.Reason), asker);
            return;
        }

        var settled = new IncidentSettled
        {
            At = _deps.Time.GetUtcNow(), IncidentId = _state.Id, State = "closed", Reason = $"closed by {x.By}: {x.Reason}", Violations = _live.Total,
        };
        Store(settled, () =>
        {
            asker.Tell(new IncidentAnswer { Done = true });
            Settled(settled);
        });
    }

    private void Direct(DirectRun x)
    {
        if (_run is null || _state.Run?.RunId != x.RunId) Sender.Tell(new IncidentAnswer { Done = false, Reason = $"run {x.RunId} is not under way" });
        else _run.Forward(new RunDirected(x.Verb, x.By, x.Reason, x.Step));
    }
}
