using System.Buffers.Binary;
using System.Collections.Concurrent;
using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Persistence;

namespace Guardian.Tests.Scenarios;

/// <summary>Floods from inside the process: no HTTP client paces them.</summary>
public sealed class BurstTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private sealed class Owner : ReceiveActor;

    private sealed class Reader : ReceiveActor
    {
        public Reader(ConcurrentQueue<int> read) => Receive<BusMessage>(x => read.Enqueue(BinaryPrimitives.ReadInt32LittleEndian(x.Body.Span)));
    }

    [Fact]
    public async Task A_burst_of_1000_restarts_the_bus_and_nothing_accepted_is_lost()
    {
        await using var node = await TestNode.StartAsync();
        var owner = node.System.ActorOf(Props.Create(() => new Owner()));
        var rogue = await node.Guardian.Bus.RegisterAsync("rogue", owner);
        var librarian = await node.Guardian.Bus.RegisterAsync("librarian", owner);
        var patron = await node.Guardian.Bus.RegisterAsync("patron", owner);
        var read = new ConcurrentQueue<int>();
        patron.Subscribe("library.>", node.System.ActorOf(Props.Create(() => new Reader(read)))).Accepted.Should().BeTrue();

        for (var i = 0; i < 1_000; i++) rogue.Publish("system.control", default).Accepted.Should().BeFalse();
        var accepted = await PublishAcrossAsync(node, librarian, 10_000);
        var run = await ResolvedAsync(node);

        run.Steps.Single(x => x.Id == "restart_bus").Should().Match<StepDetail>(x => x.State == "succeeded" && x.Output!.Value.GetProperty("restarted").GetBoolean());
        await UntilAsync(() => Task.FromResult(read.Count >= accepted.Count));
        read.Should().Equal(accepted, "each accepted message arrives once and in order, also across the restart");
        var counters = node.Guardian.Parts.Counters();
        counters.Sent.Should().Be(counters.Accepted + counters.Refused);
        (await node.Guardian.Parts.ReadModel.IncidentsAsync(null, 10, null, default)).Should().ContainSingle().Which.Violations.Should().Be(1_000);
    }

    /// <summary>Spreads the messages over the whole run, so that the restart falls among them.</summary>
    private static async Task<List<int>> PublishAcrossAsync(TestNode node, BusPort librarian, int count)
    {
        var accepted = new List<int>(count);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var i = 0; i < count; i++)
        {
            var body = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(body, i);
            if (librarian.Publish("library.books", body).Accepted) accepted.Add(i);
            var restarted = node.Guardian.Parts.Counters().Restarts > 0;
            if (i % 50 == 0 && (i < count / 2 || !restarted)) await timer.WaitForNextTickAsync();
        }

        return accepted;
    }

    private static async Task<RunDetail> ResolvedAsync(TestNode node)
    {
        RunDetail? run = null;
        await UntilAsync(async () =>
        {
            run = (await node.Guardian.Parts.ReadModel.RunsAsync(null, null, 10, null, default)).SingleOrDefault();
            return run?.State == "resolved";
        });
        return run!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition()) await timer.WaitForNextTickAsync(deadline.Token);
    }
}
