using Akka.Actor;
using Akka.Event;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Incidents;

internal sealed partial class IncidentActor
{
    /// <summary>An operator asks for a run: of the incident that is open, or of a new one as described; one run at a time as ever.</summary>
    private void Request(RequestRun x)
    {
        var asker = Sender;
        var playbook = _deps.Playbooks.Current.Playbooks.FirstOrDefault(p => p.Name == x.Playbook);
        if (Refusal(x, playbook) is { } reason)
        {
            asker.Tell(new RunRequested { Done = false, Reason = reason });
            if (!_state.Open) Rest();
            return;
        }

        Timers.Cancel(nameof(ChooseRun));
        if (_state.Open)
        {
            Order();
            return;
        }

        if (IncidentLogic.Raise(_state, x.Raised, _entity, x.Raised.Violations, _deps.Time.GetUtcNow(), _deps.NumberFloor() ?? 0) is not { } opened)
        {
            asker.Tell(new RunRequested { Done = false, Reason = "this request was answered before" });
            return;
        }

        Store(opened, () =>
        {
            _log.Info("Incident {Incident} opened by {By}: {Key}", _state.Id, x.By, x.Key);
            Rest();
            Order();
        });

        void Order()
        {
            var assigned = IncidentLogic.Assigned(_state, playbook!, $"asked for by {x.By}{(x.Reason.Length == 0 ? "" : $": {x.Reason}")}", _deps.Time.GetUtcNow());
            Store(assigned, () =>
            {
                asker.Tell(new RunRequested { Done = true, RunId = assigned.RunId, IncidentId = _state.Id });
                Chosen(assigned, null);
            });
        }
    }

    private string? Refusal(RequestRun x, Playbook? playbook)
    {
        if (playbook is null) return $"no playbook '{x.Playbook}' is in force where the incident is";
        if (_deps.Switches.Of(playbook.Name) is { Enabled: false } off) return $"playbook {playbook.Name} was disabled by {off.By}: {off.Reason}";
        if (_state.Number == 0 && _deps.NumberFloor() is null) return "the journal has not said yet which ids were given; try again in a moment"; // no id twice
        if (_state.Run is { } run) return $"run {run.RunId} of {run.Playbook} is under way; an incident has one run at a time";
        return _state.Open || _deps.Open.TryEnter(x.Key) ? null : _deps.Open.Full(x.Key);
    }
}
