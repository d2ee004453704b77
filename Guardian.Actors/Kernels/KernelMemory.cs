using Akka.Actor;

namespace Guardian.Actors.Kernels;

/// <summary>What outlives a crash of the kernel's actor.</summary>
internal sealed class KernelMemory(KernelDefinition kernel, long epoch, KernelScales scales)
{
    private readonly Dictionary<int, ReplicaMemory> _replicas = [];

    /// <summary>Replicas wanted now.</summary>
    public int Wanted { get; private set; } = scales.Of(kernel);

    /// <summary>What was changed under a key and may be taken back, the oldest first.</summary>
    public IReadOnlyList<ScaleChange> Changes { get; private set; } = scales.ChangesOf(kernel);

    /// <summary>As many as now, or what is declared where it is stopped.</summary>
    public int AtLeastOne => Wanted > 0 ? Wanted : Math.Max(1, kernel.Replicas.Count);

    /// <summary>What it depends on was ready once.</summary>
    public bool Begun { get; set; }

    /// <summary>It is being ended for good.</summary>
    public bool Retiring { get; private set; }

    public Restriction Restriction { get; set; } = Restriction.None;

    public long CrashLoops { get; set; }

    public SortedDictionary<int, ReplicaView> Views { get; } = [];

    public Dictionary<int, long> Restarts { get; } = [];

    public ReplicaMemory Replica(int index) =>
        _replicas.TryGetValue(index, out var known) ? known : _replicas[index] = new ReplicaMemory(new ReplicaMachine(kernel.Restart, epoch));

    /// <summary>Wants so many from now on, also after the node's next start; the asker is answered once that is on disk.</summary>
    /// <param name="wanted">Replicas.</param>
    /// <param name="changes">What may be taken back from now on.</param>
    /// <param name="asker">Is answered.</param>
    /// <param name="answer">The answer.</param>
    public void Want(int wanted, IReadOnlyList<ScaleChange> changes, IActorRef asker, KernelAnswer answer)
    {
        (Wanted, Changes) = (wanted, changes);
        scales.KeepAsync(kernel, wanted, Changes).PipeTo(asker, success: () => answer,
            failure: e => answer with { Reason = $"it holds until the node's next start only, since it cannot be kept: {e.GetBaseException().Message}" });
    }

    /// <summary>Nothing is wanted any more; that is no scale to be kept.</summary>
    public void Retire() => (Wanted, Retiring) = (0, true);
}
