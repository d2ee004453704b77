using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Guards;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Runs;

/// <summary>
/// A run's business with its guards: asks them, the lock first so that a run that waits for it uses up no quota; renews what they granted;
/// gives it back at the end. Decides nothing: the guards do, and the machine does with their word what it will.
/// </summary>
internal sealed class RunGuards(IActorRef region, IActorRef self, Playbook playbook, string runId, Func<string, JsonElement, TouchedTargets> touches)
{
    private readonly Dictionary<string, GuardAnswer> _granted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _released = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _lost = new(StringComparer.Ordinal);
    private string? _lock;
    private bool _asked;

    /// <summary>True from a takeover until the lock says that it is still this run's: it may have passed to another meanwhile.</summary>
    public bool Confirming { get; private set; }

    /// <summary>Why the run must not go on: a lease was lost, or may have been. Null while all hold.</summary>
    public string? Lost => _lost.Count > 0 ? string.Join("; ", _lost.Values) : Confirming ? "its lock is asked for again after a takeover" : null;

    /// <summary>The run was taken over.</summary>
    public void TakenOver(RunState state) => Confirming = state.Admission?.Lock is not null;

    /// <summary>Asks all: those that have granted too, so that what was granted does not lapse while another takes its time.</summary>
    public void Ask(string? lockText, long epoch)
    {
        (_lock, _asked) = (lockText, true);
        Ask(epoch, again: true);
    }

    private void Ask(long epoch, bool again)
    {
        foreach (var ask in Asks(epoch))
        {
            var granted = _granted.ContainsKey(ask.Guard);
            if (!granted || again) region.Tell(ask, self);
            if (ask.Exclusive && !granted) return; // the others come once the lock is there
        }
    }

    /// <summary>The word of all, once it is in; null while one is missing or the answer changes nothing.</summary>
    public RunInput.Admitted? Take(GuardAnswer answer, RunState state)
    {
        if (answer.RunId != runId || answer.Epoch != state.Epoch) return null;
        if (state.Admission is not null)
        {
            if (state.Admission.Lock is { } text && answer.Guard == GuardNames.Lock(text)) Confirming = false;
            if (answer.Granted) _lost.Remove(answer.Guard);
            else _lost[answer.Guard] = $"its lease was lost: {answer.Reason}";
            return null;
        }

        if (!answer.Granted)
        {
            _granted.Remove(answer.Guard);
            return new RunInput.Admitted(false, false, answer.Reason);
        }

        var known = !_granted.TryAdd(answer.Guard, answer);
        if (!Asks(state.Epoch).All(x => _granted.ContainsKey(x.Guard)))
        {
            if (!known) Ask(state.Epoch, again: false);
            return null;
        }

        string[] reasons = [.. _granted.Values.Select(x => x.Reason).OfType<string>()];
        return new RunInput.Admitted(true, _granted.Values.Any(x => x.ContainmentOnly), reasons.Length == 0 ? null : string.Join("; ", reasons), _lock);
    }

    public void Reserve(RunCommand.Reserve x, long epoch) => region.Tell(new ReserveTargets
    {
        RunId = runId, Epoch = epoch, StepId = x.StepId, Principals = x.Touched.Principals, Kernels = x.Touched.Kernels, For = x.Touched.For,
        PrincipalLimit = x.PrincipalLimit, KernelLimit = x.KernelLimit,
    }, self);

    /// <summary>
    /// Tells the blast radius when the effects that are there end, where their action says so: a ban is doubled for recidivists and outlasts
    /// what was asked for. Repeated with each renewal and before the release, so that a lost word does not matter.
    /// </summary>
    public void TellEnds(RunState state)
    {
        if (playbook.Guards.BlastRadius is null) return;
        foreach (var step in state.Steps)
        {
            if (step is not { Phase: StepPhase.Succeeded, Nodes: null, Input: { } input } || EndOf(step) is not { } until) continue;
            var touched = touches(step.Action, input);
            if (touched.For is null || touched.Principals.Count + touched.Kernels.Count == 0) continue;
            region.Tell(new ReserveTargets
            {
                RunId = runId, Epoch = state.Epoch, StepId = step.Id, Principals = touched.Principals, Kernels = touched.Kernels, For = touched.For, Until = until,
            }, self);
        }
    }

    /// <summary>Says that the run is alive; after a takeover also that it has a new epoch.</summary>
    public void Renew(RunState state)
    {
        TellEnds(state);
        if (state.Admission is not { } admission) return;
        _lock = admission.Lock;
        foreach (var ask in Asks(state.Epoch)) region.Tell(ask, self);
    }

    /// <summary>Gives everything back; true once every guard has said so.</summary>
    public bool Release(RunState state)
    {
        // What re-applies containment asks nobody at its start, but its bans count in the blast radius.
        var reserved = state.ContainmentOnly && playbook.Guards.BlastRadius is not null;
        if (!playbook.Guards.AskedAtStart || (state.Admission is null && !_asked && !reserved)) return true;
        _lock = state.Admission?.Lock ?? _lock;
        TellEnds(state);
        AskGuard[] open = [.. Asks(state.Epoch).Where(x => !_released.Contains(x.Guard))];
        foreach (var ask in open)
        {
            region.Tell(new ReleaseGuard
            {
                Guard = ask.Guard, RunId = runId, Epoch = state.Epoch, Failed = state.Phase == RunPhase.Escalated, Breaker = ask.Breaker,
                Keeps = [.. state.Steps.Where(x => x.HasEffect).Select(x => x.Id)],
            }, self);
        }

        return open.Length == 0;
    }

    public void Take(GuardReleased released)
    {
        if (released.RunId == runId) _released.Add(released.Guard);
    }

    private static DateTimeOffset? EndOf(StepState step) =>
        step.Output is { ValueKind: JsonValueKind.Object } output && output.TryGetProperty("until", out var until)
        && until.ValueKind == JsonValueKind.String && until.TryGetDateTimeOffset(out var end) ? end : null;

    private List<AskGuard> Asks(long epoch)
    {
        var guards = playbook.Guards;
        List<AskGuard> asks = [];
        AskGuard To(string guard) => new() { Guard = guard, RunId = runId, Epoch = epoch, Playbook = playbook.Name };
        GuardQuota[] Quotas(QuotaScope scope) => [.. guards.MaxRuns.Where(x => x.Scope == scope).Select(x => new GuardQuota(x.Count, x.Per))];
        if (_lock is { } text) asks.Add(To(GuardNames.Lock(text)) with { Exclusive = true });
        var ofPlaybook = Quotas(QuotaScope.Playbook);
        if (ofPlaybook.Length > 0 || guards.CircuitBreaker is not null)
        {
            asks.Add(To(GuardNames.Playbook(playbook.Name)) with
            {
                Quotas = ofPlaybook, Breaker = guards.CircuitBreaker is { } breaker ? new GuardBreaker(breaker.Failures, breaker.Within) : null,
            });
        }

        var ofCluster = Quotas(QuotaScope.Cluster);
        if (ofCluster.Length > 0 || guards.BlastRadius is not null) asks.Add(To(GuardNames.Cluster) with { Quotas = ofCluster });
        return asks;
    }
}
