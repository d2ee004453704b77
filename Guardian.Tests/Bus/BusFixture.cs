using Akka.TestKit.Xunit2;
using Akka.Actor;
using Guardian.Actors.Access;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;

namespace Guardian.Tests.Bus;

/// <summary>A bus with one policy: alice and bob use <c>a.&gt;</c> and <c>b.&gt;</c>, <c>a.sealed.&gt;</c> is denied.</summary>
public abstract class BusFixture : TestKit
{
    private protected BusFixture(BusOptions? options = null, string topics = "")
        : base("akka.loglevel = ERROR\nakka.suppress-json-serializer-warning = on")
    {
        PolicyStore.TryCompile("access.yaml", $$"""
            apiVersion: guardian/v1
            kind: AccessPolicy
            controlTopics: ["control.>"]
            roles:
              user:
                publish: { allow: ["a.>", "b.>", "control.>"], deny: ["a.sealed.>"] }
                subscribe: { allow: ["a.>", "b.>"], deny: ["a.sealed.>"] }
            principals:
              alice: { roles: [user] }
              bob: { roles: [user] }
              keeper: { publish: { allow: ["a.>"] } }
            topics:
            {{(topics.Length > 0 ? topics : "  []")}}
            """, 1000, out var policy, out var errors).Should().BeTrue(string.Join('\n', errors));
        Policies = new PolicyStore(policy, TimeProvider.System, TimeSpan.FromMinutes(10));
        Bans = new BanView(TimeProvider.System);
        State = BusState.Create(options ?? new BusOptions { DefaultQueue = 100_000 }, Policies, Bans, TimeProvider.System, "n1", 7);
        Mediator = CreateTestProbe();
        Bus = Sys.ActorOf(MessageBus.Props(State, Mediator.Ref), "bus");
        Gateway = new BusGateway(State, Bus);
    }

    internal PolicyStore Policies { get; }

    internal BanView Bans { get; }

    internal BusState State { get; }

    internal BusGateway Gateway { get; }

    internal Akka.TestKit.TestProbe Mediator { get; }

    internal IActorRef Bus { get; }

    internal static PublishResult Publish(BusPort port, string topic, int number = 0) => port.Publish(topic, BitConverter.GetBytes(number));

    internal static int Number(BusMessage message) => BitConverter.ToInt32(message.Body.Span);

    internal sealed class OneBan(string name) : IBanSnapshot
    {
        public int Count => 1;

        public bool TryGet(string principal, out ActiveBan ban)
        {
            ban = new ActiveBan(name, DateTimeOffset.UtcNow.AddMinutes(1), long.MaxValue, "test", "test");
            return principal == name;
        }
    }
}
