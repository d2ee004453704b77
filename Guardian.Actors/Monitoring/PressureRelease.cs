using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Kernels;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Scheduling;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Lifts what was shed, stage by stage, as <see cref="StagedRelease"/> says. Asks for the restrictions only while there may be any to give
/// back. Under a hold nothing is lifted early.
/// </summary>
internal sealed class PressureRelease : ReceiveActor
{
    /// <summary>An answer that does not come is asked for with the next sample.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private readonly Links _links;
    private readonly StagedRelease _stages;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Calmness _now = new(TimeSpan.Zero, []);
    private bool _asking;

    /// <summary>Who holds the restrictions of this node.</summary>
    /// <param name="Kernels">Pauses and throttles.</param>
    /// <param name="Scheduler">Modes.</param>
    /// <param name="Api">Limits of the public API.</param>
    /// <param name="Node">This node.</param>
    /// <param name="Held">Reason of the hold in force; null where none.</param>
    internal sealed record Links(IActorRef Kernels, IActorRef Scheduler, ApiLimits Api, string Node, Func<string?> Held);

    public PressureRelease(Links links, StagedRelease stages)
    {
        (_links, _stages) = (links, stages);
        Receive<Calmness>(OnCalmness);
        Receive<InForce>(OnInForce);
        Receive<NotKnown>(x =>
        {
            _asking = false;
            _log.Warning("What is restricted is not known, so nothing is given back early: {0}", x.Reason);
        });
        Receive<SchedulerAnswer>(_ => { });
        Receive<KernelAnswer>(x =>
        {
            if (!x.Done && !x.NotFound) _log.Warning("A kernel's restriction was not lifted early and ends with its lease: {0}", x.Reason);
        });
    }

    /// <param name="links">Who holds the restrictions.</param>
    /// <param name="stages">Kept by the monitor's parent, so that it outlives the actor.</param>
    public static Props Props(Links links, StagedRelease stages) => Akka.Actor.Props.Create(() => new PressureRelease(links, stages));

    private void OnCalmness(Calmness calmness)
    {
        _now = calmness;
        var due = calmness.Resources.Count(x => _stages.IsDue(x, calmness.Clock)); // each one is told of its pressure
        if (due == 0 || _asking || _links.Held() is not null) return;
        _asking = true;
        AskAsync().PipeTo(Self, success: x => x, failure: e => new NotKnown(e.GetBaseException().Message));
    }

    private async Task<InForce> AskAsync()
    {
        var (kernels, scheduler) = (_links.Kernels.Ask<KernelMitigations>(GetKernelMitigations.Instance, AnswerWithin), _links.Scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, AnswerWithin));
        return new InForce([.. (await kernels.ConfigureAwait(false)).Items, .. (await scheduler.ConfigureAwait(false)).Leases, .. _links.Api.Mitigations(_links.Node)]);
    }

    private void OnInForce(InForce inForce)
    {
        _asking = false;
        if (_links.Held() is not null) return;
        foreach (var resource in _now.Resources)
        {
            var stage = _stages.Stage(resource, _now.Clock, inForce.Items);
            if (stage.Count == 0) continue;
            _log.Info("{0}: calm for {1:0} s; given back before its lease's end: {2}", resource.Key, resource.Calm?.TotalSeconds ?? 0, string.Join(", ", stage.Select(x => $"{x.Target} {x.Effect}")));
            foreach (var mitigation in stage) Lift(mitigation, resource.Key);
        }
    }

    private void Lift(Mitigation mitigation, string key)
    {
        if (mitigation.Target == ApiLimits.Target) _links.Api.Lift(mitigation.Owner);
        else if (mitigation.Target == WorkScheduler.Target) _links.Scheduler.Tell(new LiftSchedulerMode(mitigation.Owner));
        else _links.Kernels.Tell(new LiftKernelMitigation { Id = mitigation.Id, By = $"monitor/{key}", Reason = "the pressure is over" });
    }

    private sealed record InForce(IReadOnlyList<Mitigation> Items) : INoSerializationVerificationNeeded;

    private sealed record NotKnown(string Reason) : INoSerializationVerificationNeeded;
}

/// <summary>From the resource monitor, for each sample.</summary>
/// <param name="Clock">Of the sample.</param>
/// <param name="Resources">How calm each one is.</param>
internal sealed record Calmness(TimeSpan Clock, IReadOnlyList<ResourceCalm> Resources) : INoSerializationVerificationNeeded;
