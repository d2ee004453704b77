using Guardian.Actors.Bus;

namespace Guardian.Actors.Kernels;

/// <summary>What an actor kernel gets from Guardian: its heartbeat, its identity on the bus, and how much it may do. Thread-safe.</summary>
public sealed class KernelContext
{
    private volatile KernelSignal _current = new(false, 100);

    private volatile HeartbeatBoard.Heart? _heart;

    internal KernelContext(string name, long epoch, Task<BusPort> bus) => (Name, Epoch, Bus) = (name, epoch, bus);

    /// <summary>The kernel's name, which is its principal on the bus too.</summary>
    public string Name { get; }

    /// <summary>Number of this instance; what an older one does is ignored.</summary>
    public long Epoch { get; }

    /// <summary>Its port on the bus; revoked when the actor terminates.</summary>
    public Task<BusPort> Bus { get; }

    /// <summary>True while nothing should be begun.</summary>
    public bool Paused => _current.Paused;

    /// <summary>Percent of its usual work that it may do. 1 to 100.</summary>
    public int Percent => _current.Percent;

    /// <summary>It lives. Costs a memory write; call it as often as you like.</summary>
    public void Beat() => _heart?.Beat();

    /// <summary>From now on its beats are heard.</summary>
    internal void Give(HeartbeatBoard.Heart? heart) => _heart = heart;

    internal KernelSignal Set(bool paused, int percent) => _current = new KernelSignal(paused, percent);
}

/// <summary>Sent to an actor kernel when a pause or throttle begins, changes or ends.</summary>
/// <param name="Paused">Begin nothing.</param>
/// <param name="Percent">Percent of the usual work. 1 to 100.</param>
public sealed record KernelSignal(bool Paused, int Percent) : Akka.Actor.INoSerializationVerificationNeeded;
