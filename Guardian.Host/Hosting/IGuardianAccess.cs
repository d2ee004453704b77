using Akka.Actor;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>How HTTP reaches Guardian, which may not have started yet, or may be disabled.</summary>
public interface IGuardianAccess
{
    /// <summary>The running Guardian; null until its supervision tree exists and where it is disabled.</summary>
    GuardianSystem? Current { get; }

    /// <summary>The actor system; null until it exists.</summary>
    ActorSystem? ActorSystem { get; }
}
