using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Hosting;
using Guardian.Actors.Notifications;
using Guardian.Actors.Persistence;
using Guardian.Tests.Persistence;
using Microsoft.Data.Sqlite;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class OutboxTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly JournalSystem _journal = new();
    private Receiver _receiver = null!;

    public async Task InitializeAsync() => _receiver = await Receiver.StartAsync();

    public async Task DisposeAsync()
    {
        _journal.Dispose();
        await _receiver.DisposeAsync();
    }

    private static Task<OutboxAccepted> DeliverAsync(IActorRef outbox, Deliver item) => outbox.Ask<OutboxAccepted>(item, Patience);

    private static Task<OutboxStatus> StatusAsync(IActorRef outbox, string channel = "security") =>
        outbox.Ask<OutboxStatus>(new GetOutboxStatus { Channel = channel }, Patience);

    private static IActorRef Start(ActorSystem system, OutboxDependencies deps, string channel = "security") => system.ActorOf(Outbox.Props(channel, deps), "outbox-" + channel);

    [Fact]
    public async Task Items_are_delivered_in_order_and_each_key_once()
    {
        var deps = Dependencies(_journal.Folder, _receiver.Url);
        var outbox = Start(_journal.Start(), deps);
        for (var i = 0; i < 20; i++)
        {
            (await DeliverAsync(outbox, Item("k" + i))).Accepted.Should().BeTrue();
            (await DeliverAsync(outbox, Item("k" + i))).Accepted.Should().BeTrue("a repeat is answered like the first");
        }

        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.Delivered == 20 && x.Pending == 0 && x.Dead == 0));
        _receiver.Keys.Should().Equal(Enumerable.Range(0, 20).Select(i => "k" + i));
        deps.Board.Channels.Single().Delivered.Should().Be(20);
        (await outbox.Ask<OutboxAccepted>(new AskDelivery { Channel = "security", Key = "k3" }, Patience)).Accepted.Should().BeTrue();
        (await outbox.Ask<OutboxAccepted>(new AskDelivery { Channel = "security", Key = "x" }, Patience)).Accepted.Should().BeFalse();
    }

    [Fact]
    public async Task What_was_accepted_survives_the_process_and_arrives_under_its_key()
    {
        _receiver.Answer = _ => 503;
        var first = _journal.Start();
        var outbox = Start(first, Dependencies(_journal.Folder, _receiver.Url));
        foreach (var key in new[] { "a", "b", "c" }) (await DeliverAsync(outbox, Item(key))).Accepted.Should().BeTrue();
        await Eventually.HoldsAsync(() => _receiver.Requests.Should().NotBeEmpty());
        await JournalSystem.KillAsync(first);
        _receiver.Keys.Should().OnlyContain(x => x == "a", "order is kept: nothing overtakes what is in front");

        _receiver.Answer = _ => 204;
        var again = Start(_journal.Start(), Dependencies(_journal.Folder, _receiver.Url));

        await Eventually.HoldsAsync(async () => (await StatusAsync(again)).Should().Match<OutboxStatus>(x => x.Delivered == 3 && x.Pending == 0));
        _receiver.Keys.Distinct().Should().Equal("a", "b", "c");
        (await DeliverAsync(again, Item("b"))).Accepted.Should().BeTrue();
        (await StatusAsync(again)).Should().Match<OutboxStatus>(x => x.Delivered == 3 && x.Pending == 0, "the key is remembered");
    }

    [Fact]
    public async Task A_crash_between_delivery_and_its_record_repeats_the_same_key()
    {
        // The receiver takes the item; the process dies before it can write that down: the answer never comes.
        var arrived = new TaskCompletionSource();
        var hang = new TaskCompletionSource<int>();
        _receiver.Answer = _ => { arrived.TrySetResult(); return hang.Task.GetAwaiter().GetResult(); };
        var first = _journal.Start();
        await DeliverAsync(Start(first, Dependencies(_journal.Folder, _receiver.Url)), Item("a"));
        await arrived.Task.WaitAsync(Patience);
        await JournalSystem.KillAsync(first);
        hang.SetResult(204);
        _receiver.Answer = _ => 204;

        var again = Start(_journal.Start(), Dependencies(_journal.Folder, _receiver.Url));

        await Eventually.HoldsAsync(async () => (await StatusAsync(again)).Delivered.Should().Be(1));
        _receiver.Keys.Should().Equal("a", "a");
    }

    [Fact]
    public async Task A_refused_item_is_dead_and_those_behind_it_go_on()
    {
        _receiver.Answer = x => x.Key == "bad" ? 400 : 204;
        var outbox = Start(_journal.Start(), Dependencies(_journal.Folder, _receiver.Url));
        foreach (var key in new[] { "bad", "good" }) await DeliverAsync(outbox, Item(key));

        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.Delivered == 1 && x.Dead == 1 && x.Pending == 0));
        _receiver.Keys.Should().Equal("bad", "good");
    }

    [Fact]
    public async Task A_full_outbox_refuses_and_counts()
    {
        _receiver.Answer = _ => 503;
        var outbox = Start(_journal.Start(), Dependencies(_journal.Folder, _receiver.Url, options: new NotificationOptions { MaxPending = 2 }));
        (await DeliverAsync(outbox, Item("a"))).Accepted.Should().BeTrue();
        (await DeliverAsync(outbox, Item("b"))).Accepted.Should().BeTrue();
        (await DeliverAsync(outbox, Item("c"))).Should().Match<OutboxAccepted>(x => !x.Accepted && x.Reason!.Contains("MaxPending"));
        (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.Pending == 2 && x.Refused == 1);
        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.LastFailure!.Contains("503") && x.WaitingSince != null));
    }

    [Fact]
    public async Task A_snapshot_carries_what_waits_and_what_was_delivered()
    {
        var first = _journal.Start();
        var outbox = Start(first, Dependencies(_journal.Folder, _receiver.Url));
        var count = Outbox.SnapshotEvery / 2 + 5;
        for (var i = 0; i < count; i++) await DeliverAsync(outbox, Item("k" + i));
        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Delivered.Should().Be(count));
        await Eventually.HoldsAsync(() => Count("snapshots.db", "select count(*) from guardian_snapshot").Should().Be(1));
        await JournalSystem.KillAsync(first);
        // Recovery must not need what the snapshot covers.
        Count("journal.db", $"delete from guardian_journal where sequence_number <= {Outbox.SnapshotEvery}; select 1");

        var again = Start(_journal.Start(), Dependencies(_journal.Folder, _receiver.Url));
        (await StatusAsync(again)).Should().Match<OutboxStatus>(x => x.Delivered == count && x.Pending == 0);
        await DeliverAsync(again, Item("k0"));
        (await StatusAsync(again)).Delivered.Should().Be(count);
    }

    [Fact]
    public async Task An_unknown_channel_goes_to_the_log_and_says_so()
    {
        using var kit = new TestKit(ConfigurationFactory.ParseString("akka.loggers = [\"Akka.TestKit.TestEventListener, Akka.TestKit\"]"));
        var log = kit.Sys.Log;
        var deps = Dependencies(_journal.Folder);
        INotificationChannel channel = null!;
        await kit.EventFilter.Warning(contains: "Channel nobody is not configured").ExpectOneAsync(() =>
        {
            channel = ChannelFactory.Create("nobody", deps, log);
            return Task.CompletedTask;
        });

        await kit.EventFilter.Error(contains: "notification on channel nobody: rogue was banned. 12 violations on system.control (severity high, incident acl/principal/rogue a-1, run a-1.1, key k)")
            .ExpectOneAsync(async () => (await channel.SendAsync(new Sending(Item("k", "nobody")), default)).Should().Be(ChannelResult.Ok));
    }

    [Fact]
    public async Task The_region_goes_on_after_a_kill_without_anybody_asking()
    {
        _receiver.Answer = _ => 503;
        var first = Cluster();
        var region = OutboxRegion.Start(first, Dependencies(_journal.Folder, _receiver.Url));
        await Eventually.HoldsAsync(async () => (await region.Ask<OutboxAccepted>(Item("a"), TimeSpan.FromSeconds(3))).Accepted.Should().BeTrue(), 60);
        await Eventually.HoldsAsync(() => _receiver.Requests.Should().NotBeEmpty());
        await JournalSystem.KillAsync(first);
        _receiver.Answer = _ => 204;
        var before = _receiver.Requests.Count;

        var deps = Dependencies(_journal.Folder, _receiver.Url);
        OutboxRegion.Start(Cluster(), deps);

        await Eventually.HoldsAsync(() => deps.Board.Channels.Should().ContainSingle(x => x.Channel == "security" && x.Delivered == 1), 60);
        _receiver.Keys.Skip(before).Should().Equal("a");
    }

    private ActorSystem Cluster()
    {
        var system = _journal.Start("""
            akka.actor.provider = cluster
            akka.remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }
            akka.cluster { roles = [guardian], min-nr-of-members = 1 }
            """);
        var cluster = Akka.Cluster.Cluster.Get(system);
        cluster.Join(cluster.SelfAddress);
        return system;
    }

    private long Count(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_journal.Folder, file)};Pooling=False;Default Timeout=5");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
