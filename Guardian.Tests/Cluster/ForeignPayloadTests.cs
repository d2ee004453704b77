using Akka.Actor;
using Akka.Configuration;
using Guardian.Host.Chaos;
using Guardian.Tests.Node;

namespace Guardian.Tests.Clustering;

/// <summary>Who may speak to the remoting port may still not choose what is made of the bytes.</summary>
public sealed class ForeignPayloadTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_Newtonsoft_wrote_is_not_read()
    {
        var port = LoopbackPorts.Free();
        await using var node = await NodeProcess.StartAsync($"--Guardian:Cluster:Port={port}");
        using var other = ActorSystem.Create("guardian", ConfigurationFactory.ParseString("""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = remote
              remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
            }
            """));
        other.Serialization.FindSerializerFor(new Version(6, 6, 6, 6)).Identifier.Should().Be(1, "this is Newtonsoft's");
        var user = other.ActorSelection($"akka.tcp://guardian@127.0.0.1:{port}/user");
        await KnownAsync(user);

        // Nobody is there: had it been read, the node would say that it could not be delivered.
        other.ActorSelection($"akka.tcp://guardian@127.0.0.1:{port}/user/nobody").Tell(new Version(6, 6, 6, 6));
        string[] ends = ["Newtonsoft's serializer is refused", "to [akka://guardian/user/nobody] was not delivered"];
        await node.UntilAsync("refusal or delivery", () => Task.FromResult(ends.Any(x => node.Output.Contains(x, StringComparison.Ordinal))), Soon);
        node.Output.Should().Contain(ends[0]).And.NotContain(ends[1]);
        await KnownAsync(user); // and the port still does its work
    }

    private static async Task KnownAsync(ActorSelection user) => (await user.Ask<ActorIdentity>(new Identify(1), Soon)).Subject.Should().NotBeNull();
}
