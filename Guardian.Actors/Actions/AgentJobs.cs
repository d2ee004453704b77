using Akka.Actor;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>Bounds of the agent. Constants: what a node does at once is bounded by its threads, not by taste.</summary>
/// <param name="Concurrent">Actions at once, for effects and for actions without risk each, so that slow notifications never delay a ban.</param>
/// <param name="Queue">Further ones that wait, each; past it the answer is an explicit failure. 1,000 runs at once dispatch one step each.</param>
/// <param name="Hanging">Actions past their deadline that do not end; past it nothing new is started, since each may hold a thread.</param>
/// <param name="Probes">Probes at once; past it the answer is an error.</param>
internal sealed record AgentLimits(int Concurrent = 64, int Queue = 1_000, int Hanging = 64, int Probes = 256);

/// <summary>A key under way, with everyone who waits for its outcome.</summary>
internal sealed class AgentJob(DispatchAction dispatch, ActionBinding binding, bool resolves) : IDisposable
{
    public DispatchAction Dispatch { get; } = dispatch;

    public ActionBinding Binding { get; } = binding;

    /// <summary>True: finds out what became of the key; false: carries it out.</summary>
    public bool Resolves { get; } = resolves;

    public bool Started { get; set; }

    public bool Over { get; set; }

    public CancellationTokenSource Cancellation { get; } = new();

    /// <summary>Epoch and attempt of each asker's latest question.</summary>
    public Dictionary<IActorRef, (long Epoch, int Attempt)> Askers { get; } = [];

    /// <summary>Orders for the key that came while it was being looked up; decided on once that is over.</summary>
    public Dictionary<IActorRef, DispatchAction> Followers { get; } = [];

    /// <summary>False where it may go on during a hold: no risk, an undo, or a question.</summary>
    public bool ObeysHold => !Resolves && IsHeld(Binding, Dispatch);

    public static bool IsHeld(ActionBinding binding, DispatchAction dispatch) => !dispatch.Undo && !dispatch.Compensates && binding.Action.Risk != RiskClass.None;

    public void Dispose() => Cancellation.Dispose();
}

/// <summary>A share of the agent's capacity.</summary>
internal sealed class AgentLane
{
    public int Running { get; set; }

    public Queue<AgentJob> Waiting { get; } = new();
}

/// <summary>What outlives a crash of the agent's actor: it is passed in by its Props.</summary>
internal sealed class AgentMemory
{
    public AgentLedger Ledger { get; } = new();

    public Dictionary<string, AgentJob> Jobs { get; } = new(StringComparer.Ordinal);

    public AgentLane Effects { get; } = new();

    public AgentLane Harmless { get; } = new();

    public int Hanging { get; set; }

    public AgentProbes Probes { get; } = new();

    public long Executed { get; set; }

    public long RefusedFull { get; set; }

    public long DroppedHeld { get; set; }
}
