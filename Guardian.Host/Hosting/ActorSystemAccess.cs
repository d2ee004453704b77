using Akka.Actor;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>Finds Guardian in the application's actor system.</summary>
internal sealed class ActorSystemAccess(IServiceProvider services) : IGuardianAccess
{
    private ActorSystem? _system;

    public ActorSystem? ActorSystem => _system ??= services.GetService<ActorSystem>();

    public GuardianSystem? Current => ActorSystem is { } system ? GuardianSystem.TryGet(system) : null;
}
