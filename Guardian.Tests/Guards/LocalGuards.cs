using Akka.Actor;
using Guardian.Actors.Guards;
using Guardian.Actors.Incidents;

namespace Guardian.Tests.Guards;

/// <summary>The region of guards without a cluster: an entity per name, started when it is asked.</summary>
internal sealed class LocalGuards : ReceiveActor
{
    public LocalGuards() => Receive<IGuardMessage>(x =>
    {
        var entity = IncidentKeys.Entity(x.Guard);
        var child = Context.Child(entity);
        (child.IsNobody() ? Context.ActorOf(GuardActor.Props(entity, TimeProvider.System), entity) : child).Forward(x);
    });
}
