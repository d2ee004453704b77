using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Guardian.Actors.Access;
using Guardian.Actors.Bus;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Bus;

public sealed class ViolationTests : BusFixture
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_million_denials_cost_25_digests_a_second_and_the_totals_are_exact(int principals)
    {
        var table = new ViolationTable(16_384);
        var digests = new ViolationDigests(table, "n1", 7, Policies, _time);
        var consumer = new Consumer();
        var random = new Random(42);
        var sentAt = new List<long>();
        for (var i = 0; i < 1_000_000; i++)
        {
            table.Denied($"p{random.Next(principals)}", principals == 1 ? "a.sealed.x" : $"t{random.Next(1_000_000)}", BusOperation.Publish, "default/deny", Policies.Current, false, _time.GetUtcNow());
            if (i % 1000 == 0) Advance(TimeSpan.FromMilliseconds(5));
        }

        for (var i = 0; i < 200_000 && digests.Due(_time.GetTimestamp()) is not null; i++) Advance(TimeSpan.FromMilliseconds(20));
        digests.Due(_time.GetTimestamp()).Should().BeNull("nothing is sent while nothing changes");
        table.Rows.Should().BeLessThanOrEqualTo(16_384);
        consumer.Total.Should().Be(1_000_000);
        consumer.Last!.Denied.Should().Be(1_000_000);
        for (var i = 25; i < sentAt.Count; i++)
            _time.GetElapsedTime(sentAt[i - 25], sentAt[i]).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));

        void Advance(TimeSpan by)
        {
            _time.Advance(by);
            var now = _time.GetTimestamp();
            if (digests.Take(now) is not { } digest) return;
            sentAt.Add(now);
            digest.Rows.Should().HaveCountLessThanOrEqualTo(64);
            consumer.Consume(digest);
        }
    }

    [Fact]
    public void A_heavy_hitter_keeps_its_row_under_a_spread_flood()
    {
        var table = new ViolationTable(256);
        for (var i = 0; i < 100_000; i++)
        {
            Deny(table, $"p{i}");
            if (i % 50 == 0) Deny(table, "heavy");
        }

        var rows = table.TakeChanged(64, 1, out _);
        rows.Single(x => x.Principal == "heavy").Denied.Should().Be(2_000);
        rows.Single(x => x.Principal == "heavy").Times.Should().HaveCount(20);
    }

    [Fact]
    public void The_last_digest_is_repeated_once_and_a_lost_one_heals()
    {
        var table = new ViolationTable(256);
        var digests = new ViolationDigests(table, "n1", 7, Policies, _time);
        digests.Take(_time.GetTimestamp()).Should().BeNull();
        for (var i = 0; i < 25; i++) Deny(table, "rogue");
        var first = digests.Take(_time.GetTimestamp())!;
        digests.Take(_time.GetTimestamp()).Should().BeNull();
        _time.Advance(TimeSpan.FromSeconds(1));
        var again = digests.Take(_time.GetTimestamp())!;
        again.Sequence.Should().Be(first.Sequence + 1);
        again.Rows.Should().BeEquivalentTo(first.Rows);
        _time.Advance(TimeSpan.FromHours(1));
        digests.Due(_time.GetTimestamp()).Should().BeNull();
    }

    [Fact]
    public void Attempts_of_the_banned_add_no_times()
    {
        var table = new ViolationTable(256);
        Deny(table, "rogue");
        table.Blacklisted("rogue", "a.x", BusOperation.Publish, Policies.Current);
        var row = table.TakeChanged(64, 1, out _).Single();
        (row.Denied, row.Blacklisted, row.Times.Count).Should().Be((1, 1, 1));
    }

    [Fact]
    public async Task Denials_reach_the_mediator_and_go_through_the_serializer()
    {
        var rogue = Gateway.ClientPort("rogue");
        for (var i = 0; i < 300; i++) Publish(rogue, "control.stop").Outcome.Should().Be(PublishOutcome.AclDenied);
        var consumer = new Consumer();
        await AwaitConditionAsync(() =>
        {
            while (Mediator.HasMessages)
            {
                var publish = (Publish)Mediator.ReceiveOne(TimeSpan.Zero);
                publish.Topic.Should().Be(ViolationDigest.Topic);
                var serializer = new Guardian.Actors.Serialization.GuardianSerializer((ExtendedActorSystem)Sys);
                consumer.Consume((ViolationDigest)serializer.FromBinary(serializer.ToBinary(publish.Message), serializer.Manifest(publish.Message)));
            }

            return Task.FromResult(consumer.Total == 300);
        }, TimeSpan.FromSeconds(10));
        var row = consumer.Last!.Rows.Single();
        (row.Principal, row.Topic, row.Operation, row.Control, row.Times.Count).Should().Be(("rogue", "control.stop", "publish", true, 20));
        consumer.Last.DeclaredPrincipals.Should().Be(3);
    }

    [Fact]
    public void A_denial_of_what_was_allowed_before_the_swap_says_so()
    {
        var strict = Policies.Current.Definition with { Principals = new Dictionary<string, PrincipalDefinition> { ["alice"] = new() } };
        Policies.Swap(AccessPolicy.Compile(strict, "strict"));
        Publish(Gateway.ClientPort("alice"), "a.x").Outcome.Should().Be(PublishOutcome.AclDenied);
        Publish(Gateway.ClientPort("rogue"), "a.x").Outcome.Should().Be(PublishOutcome.AclDenied);
        var table = State.Violations;
        table.TotalDenied.Should().Be(2);
        Policies.AllowedBefore("alice", "a.x", BusOperation.Publish, TimeProvider.System.GetTimestamp()).Should().BeTrue();
        Policies.AllowedBefore("rogue", "a.x", BusOperation.Publish, TimeProvider.System.GetTimestamp()).Should().BeFalse();
    }

    private void Deny(ViolationTable table, string principal) =>
        table.Denied(principal, "a.x", BusOperation.Publish, "default/deny", Policies.Current, false, _time.GetUtcNow());

    private sealed class Consumer
    {
        private readonly Dictionary<long, long> _rows = [];

        public ViolationDigest? Last { get; private set; }

        public long Total => _rows.Values.Sum() + (Last?.Overflow ?? 0);

        public void Consume(ViolationDigest digest)
        {
            Last = digest;
            foreach (var row in digest.Rows) _rows[row.Row] = Math.Max(_rows.GetValueOrDefault(row.Row), row.Denied + row.Blacklisted);
        }
    }
}
