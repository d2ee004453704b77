using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Actors.Relay;
using Guardian.Actors.Serialization;
using Guardian.Playbooks;
using Guardian.Tests.Blacklisting;

namespace Guardian.Tests.Serialization;

/// <summary>A newer version, with a message type more and a member more in each, beside this one on a real wire.</summary>
public sealed class VersionSkewTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly ActorSystem _this = Start("Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors");
    private readonly ActorSystem _newer = Start(typeof(NewerSerializer).AssemblyQualifiedName!);

    /// <summary>Unknown to this version.</summary>
    public sealed record Novelty(string Text) : IGuardianMessage;

    public sealed class NewerSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
    {
        private readonly GuardianSerializer _known = new(system);

        public override int Identifier => GuardianSerializer.SerializerId;

        public override string Manifest(object o) => o is Novelty ? "novelty:v1" : _known.Manifest(o);

        public override byte[] ToBinary(object obj)
        {
            if (obj is Novelty novelty) return Encoding.UTF8.GetBytes(novelty.Text);
            var json = JsonNode.Parse(_known.ToBinary(obj))!.AsObject();
            json["addedLater"] = new JsonObject { ["x"] = 1 };
            return Encoding.UTF8.GetBytes(json.ToJsonString());
        }

        public override object FromBinary(byte[] bytes, string manifest) =>
            manifest == "novelty:v1" ? new Novelty(Encoding.UTF8.GetString(bytes)) : _known.FromBinary(bytes, manifest);
    }

    private static ActorSystem Start(string serializer) => ActorSystem.Create("guardian", ConfigurationFactory.ParseString($$"""
        akka.actor.serializers.guardian = "{{serializer.Replace("\\", "\\\\")}}"
        akka.loglevel = ERROR
        """).WithFallback(ClusterHocon.Of()));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => Task.WhenAll(_this.Terminate(), _newer.Terminate());

    [Fact]
    public async Task What_is_new_is_counted_and_reported_and_what_is_known_still_works()
    {
        var echo = _this.ActorOf(Props.Create<Echo>(), "echo");
        var path = new RootActorPath(Akka.Cluster.Cluster.Get(_this).SelfAddress) / "user" / "echo";
        for (var i = 0; i < 100; i++) _newer.ActorSelection(path).Tell(new Novelty($"secret {i}"));

        // Known, with a member that this version has never heard of.
        var answer = await _newer.ActorSelection(path).Ask<BusInterest>(new BusInterest { Incarnation = 7, Version = 8, Patterns = ["a.>"] }, Soon);
        (answer.Incarnation, answer.Version, answer.Patterns!.Single()).Should().Be((7, 8, "a.>"));

        var unreadable = GuardianSystem.Access(_this).Unreadable;
        unreadable.All.Should().Equal(new Dictionary<string, long> { ["novelty:v1"] = 100 });
        (await echo.Ask<int>("starts", Soon)).Should().Be(1, "what it cannot read restarts no actor");
        GuardianSystem.Access(_newer).Unreadable.All.Should().BeEmpty();
    }

    [Fact]
    public void Kinds_without_end_are_counted_together()
    {
        var counts = new UnreadableCounts();
        for (var i = 0; i < 1_000; i++) counts.Count($"kind-{i}:v1").Should().Be(i < UnreadableCounts.MaxManifests || i == UnreadableCounts.MaxManifests, "only the first of a kind is said");
        counts.All.Should().HaveCount(UnreadableCounts.MaxManifests + 1);
        counts.All.Values.Sum().Should().Be(1_000);
    }

    private sealed class Echo : ReceiveActor
    {
        private static int _starts;

        public Echo()
        {
            Interlocked.Increment(ref _starts);
            Receive<string>(_ => Sender.Tell(_starts));
            Receive<BusInterest>(x => Sender.Tell(x));
        }
    }
}
