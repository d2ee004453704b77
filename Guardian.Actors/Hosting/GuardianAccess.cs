using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Guardian.Actors.Persistence;

namespace Guardian.Actors.Hosting;

/// <summary>Where an actor system keeps its Guardian. Present from the first call of <c>WithGuardian</c>.</summary>
internal sealed class GuardianAccess : IExtension
{
    private readonly TaskCompletionSource<GuardianSystem> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Entities that this version cannot read.</summary>
    public ParkedEntities Parked { get; } = new();

    /// <summary>Messages and events that this version cannot read.</summary>
    public Serialization.UnreadableCounts Unreadable { get; } = new();

    /// <summary>Where this node's API can be asked from this machine, with its prefix; null until it listens, or where the application maps none.</summary>
    public Uri? Http { get; set; }

    /// <summary>Set once the supervision tree exists.</summary>
    public GuardianSystem? Current { get; private set; }

    /// <summary>Why Guardian is disabled in this actor system; null where it is not.</summary>
    public string? Disabled { get; private set; }

    /// <summary>Completes with the system, or faults where Guardian is disabled.</summary>
    public Task<GuardianSystem> Started => _started.Task;

    public void Start(GuardianSystem system)
    {
        Current = system;
        _started.TrySetResult(system);
    }

    public void Disable(string reason)
    {
        Disabled = reason;
        _started.TrySetException(new InvalidOperationException("Guardian is disabled: " + reason));
        _ = _started.Task.Exception; // observed here: whoever awaits sees it again
    }
}

/// <summary>Makes <see cref="GuardianAccess"/>.</summary>
internal sealed class GuardianAccessId : ExtensionIdProvider<GuardianAccess>
{
    public static readonly GuardianAccessId Instance = new();

    [SuppressMessage("Usage", "CA1822:Mark members as static", Justification = "Akka's contract.")]
    public override GuardianAccess CreateExtension(ExtendedActorSystem system) => new();
}
