using Akka.Actor;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Mitigations;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Kernels;

// What everybody may read

/// <summary>The node's kernels as they are now. Thread-safe; reads cost no message.</summary>
internal interface IKernelDirectory
{
    /// <summary>All kernels, by name.</summary>
    IReadOnlyList<KernelView> All { get; }

    /// <summary>Null where there is none.</summary>
    KernelView? Find(string name);
}

/// <summary>State of a kernel or of one replica.</summary>
internal enum KernelState
{
    /// <summary>Waits for a kernel that it depends on.</summary>
    Waiting,

    /// <summary>Started, not ready yet.</summary>
    Starting,

    Running,

    /// <summary>Ended; it will be started again.</summary>
    BackingOff,

    /// <summary>Being ended.</summary>
    Stopping,

    /// <summary>Ended on command.</summary>
    Stopped,

    /// <summary>Reached the limit of restarts; only a command starts it again.</summary>
    CrashLoop,
}

/// <summary>One kernel.</summary>
internal sealed record KernelView
{
    public required string Name { get; init; }
    public required KernelType Type { get; init; }
    public required KernelCriticality Criticality { get; init; }
    public required string Class { get; init; }

    /// <summary>How far playbooks may act on it; <see cref="OperatingMode.Enforce"/>: it opted in to what destroys too; null: the node's autonomy decides.</summary>
    public OperatingMode? Remediation { get; init; }

    public required KernelState State { get; init; }

    /// <summary>Why, where the state needs a reason.</summary>
    public string? Reason { get; init; }

    /// <summary>Held still by a lease.</summary>
    public bool Paused { get; init; }

    /// <summary>Percent of its workers or of CPU that it may use; 100 where nothing restricts it.</summary>
    public int Percent { get; init; } = 100;

    /// <summary>Replicas wanted now, and the bounds of scaling.</summary>
    public required ReplicaSpec Replicas { get; init; }

    public IReadOnlyList<ReplicaView> Instances { get; init; } = [];

    /// <summary>Times that a replica ended by itself or was replaced, since the node started.</summary>
    public long Restarts { get; init; }

    /// <summary>A pool's jobs; null for others.</summary>
    public JobTotals? Jobs { get; init; }

    /// <summary>Crash loops since the node started; each is one incident.</summary>
    public long CrashLoops { get; init; }
}

/// <summary>A pool's jobs.</summary>
/// <param name="Waiting">In the queue.</param>
/// <param name="Running">Under way.</param>
/// <param name="Workers">That may be under way at once now.</param>
/// <param name="Accepted">Ever.</param>
/// <param name="Over">Ever.</param>
/// <param name="Failed">Of them, without success.</param>
/// <param name="Requeued">Attempts that were followed by another one.</param>
internal sealed record JobTotals(int Waiting, int Running, int Workers, long Accepted, long Over, long Failed, long Requeued);

/// <summary>One replica.</summary>
internal sealed record ReplicaView
{
    /// <summary>From 0.</summary>
    public required int Index { get; init; }

    public required KernelState State { get; init; }

    /// <summary>Grows with each instance; what an older one says is ignored.</summary>
    public required long Epoch { get; init; }

    /// <summary>The process that leads its group; null where there is none.</summary>
    public ProcessIdentity? Process { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Its newest beat; null where none is expected.</summary>
    public HeartbeatBoard.Heart? Heart { get; init; }

    /// <summary>How the instance before ended.</summary>
    public string? LastExit { get; init; }

    /// <summary>Why it runs without the limits that were declared; null where it has them, or none were.</summary>
    public string? Unlimited { get; init; }
}

// Commands from the boot, the shutdown and the file's watcher

/// <summary>Ends all kernels in the reverse order of their start. Answer: <see cref="KernelsEnded"/>.</summary>
/// <param name="Within">Then what has not ended is killed.</param>
internal sealed record EndKernels(TimeSpan Within) : INoSerializationVerificationNeeded;

internal sealed record KernelsEnded : INoSerializationVerificationNeeded
{
    public static readonly KernelsEnded Instance = new();
}

/// <summary>The catalogue has changed.</summary>
internal sealed record KernelsReloaded : INoSerializationVerificationNeeded
{
    public static readonly KernelsReloaded Instance = new();
}

// Commands to the KernelSupervisor

/// <summary>Something to be done to kernels. Answer: <see cref="KernelAnswer"/>.</summary>
internal abstract record KernelCommand : INoSerializationVerificationNeeded
{
    /// <summary>Who asks: a run's id or <c>operator/&lt;name&gt;</c>.</summary>
    public required string By { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>Ends every instance and starts new ones; also out of a crash loop.</summary>
internal sealed record RestartKernel : KernelCommand
{
    public required string Name { get; init; }

    /// <summary>KILL at once, for what does not answer.</summary>
    public bool Force { get; init; }
}

/// <summary>Ends every instance until it is restarted or scaled.</summary>
internal sealed record StopKernel : KernelCommand
{
    public required string Name { get; init; }
}

/// <summary>Changes the number of replicas within the kernel's bounds.</summary>
internal sealed record ScaleKernel : KernelCommand
{
    public required string Name { get; init; }

    /// <summary>More or fewer by so many.</summary>
    public int? Change { get; init; }

    /// <summary>So many.</summary>
    public int? To { get; init; }

    /// <summary>Under it the change is made once, and may be taken back; null: for good.</summary>
    public string? Key { get; init; }

    /// <summary>Takes back what was changed under the key.</summary>
    public bool TakeBack { get; init; }
}

/// <summary>What a scale under the key has changed. Answer: <see cref="KernelAnswer"/>, not found where nothing.</summary>
internal sealed record FindScale : KernelCommand
{
    public required string Name { get; init; }

    public required string Key { get; init; }
}

/// <summary>Restricts kernels until <see cref="Until"/>; one lease per kernel and owner, the strictest holds.</summary>
internal sealed record RestrictKernels : KernelCommand
{
    public required KernelSelector Which { get; init; }

    /// <summary>Percent that they may use; 0 pauses.</summary>
    public required int Percent { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset Until { get; init; }
}

/// <summary>Lifts the owner's pauses or throttles; with <see cref="AnyOwner"/> everybody's.</summary>
internal sealed record LiftKernels : KernelCommand
{
    /// <summary>Null: wherever the owner has one.</summary>
    public string? Name { get; init; }

    /// <summary>True: pauses; false: throttles.</summary>
    public required bool Pauses { get; init; }

    /// <summary>An operator's word.</summary>
    public bool AnyOwner { get; init; }
}

/// <summary>Lifts one lease by its <see cref="Mitigation.Id"/>.</summary>
internal sealed record LiftKernelMitigation : KernelCommand
{
    public required string Id { get; init; }
}

/// <summary>Answer: <see cref="KernelMitigations"/>.</summary>
internal sealed record GetKernelMitigations : INoSerializationVerificationNeeded
{
    public static readonly GetKernelMitigations Instance = new();
}

/// <summary>Chaos: nothing is heard of the kernel for so long, though it lives. Answer: <see cref="KernelAnswer"/>.</summary>
internal sealed record MuteKernel : KernelCommand
{
    public required string Name { get; init; }

    public required TimeSpan For { get; init; }
}

/// <summary>Which kernels are meant: all that fit every part that is given. Critical ones only where named. Pure.</summary>
internal sealed record KernelSelector
{
    public IReadOnlyList<string> Names { get; init; } = [];

    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Leaves out kernels whose own <c>remediation</c> does not let Guardian act by itself.</summary>
    public bool Consenting { get; init; }

    public bool Fits(KernelDefinition kernel) => Covers(kernel.Name, kernel.Class, kernel.Criticality) && Consents(kernel.Remediation);

    public bool Fits(KernelView kernel) => Covers(kernel.Name, kernel.Class, kernel.Criticality) && Consents(kernel.Remediation);

    /// <summary>It would fit, but for its own <c>remediation</c>.</summary>
    public bool Spares(KernelDefinition kernel) => Covers(kernel.Name, kernel.Class, kernel.Criticality) && !Consents(kernel.Remediation);

    /// <inheritdoc cref="Spares(KernelDefinition)"/>
    public bool Spares(KernelView kernel) => Covers(kernel.Name, kernel.Class, kernel.Criticality) && !Consents(kernel.Remediation);

    private bool Covers(string name, string workload, KernelCriticality criticality) =>
        (Names.Count == 0 || Names.Contains(name, StringComparer.Ordinal))
        && (Classes.Count == 0 || Classes.Contains(workload, StringComparer.Ordinal))
        && (criticality != KernelCriticality.Critical || Names.Count > 0);

    private bool Consents(OperatingMode? remediation) => !Consenting || KernelConsent.ActsByItself(remediation);
}

// Replies

/// <summary>What became of a command.</summary>
internal sealed record KernelAnswer : INoSerializationVerificationNeeded
{
    public required bool Done { get; init; }

    /// <summary>Why not.</summary>
    public string? Reason { get; init; }

    /// <summary>True where there is no such kernel.</summary>
    public bool NotFound { get; init; }

    /// <summary>Kernels that it changed.</summary>
    public IReadOnlyList<string> Kernels { get; init; } = [];

    /// <summary>Kernels that fit and were left alone for their own <c>remediation</c>.</summary>
    public IReadOnlyList<string> Spared { get; init; } = [];

    /// <summary>Replicas before and after a scale.</summary>
    public (int Before, int After) Replicas { get; init; }
}

internal sealed record KernelMitigations(IReadOnlyList<Mitigation> Items) : INoSerializationVerificationNeeded;
