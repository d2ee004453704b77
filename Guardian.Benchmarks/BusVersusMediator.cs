using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Guardian.Actors.Bus;

namespace Guardian.Benchmarks;

/// <summary>Publish to one local subscriber: through the bus, with all its checks, and through Akka's mediator. Interleaved, median of five.</summary>
internal static class BusVersusMediator
{
    private const int Messages = 300_000;
    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        await using var rig = new BusRig();
        var counter = new Countdown();
        var subscriber = rig.System.ActorOf(Props.Create(() => new Receiver(counter)));
        var port = rig.Gateway.ClientPort("librarian");
        port.Subscribe("library.>", subscriber);
        await rig.Mediator.Ask<SubscribeAck>(new Subscribe("library.books", subscriber));
        var body = new byte[128];

        Task Bus() => Time(() => { if (!port.Publish("library.books", body).Accepted) throw new InvalidOperationException("refused"); });
        Task Mediator() => Time(() => rig.Mediator.Tell(new Publish("library.books", new BusMessage
        {
            Id = "1", Topic = "library.books", Principal = "librarian", Body = body, At = DateTimeOffset.UtcNow,
        })));
        for (var i = 0; i < 5; i++) // until the tiered compiler has settled
        {
            await Bus();
            await Mediator();
        }

        var (bus, mediator) = (new double[Rounds], new double[Rounds]);
        for (var round = 0; round < Rounds; round++)
        {
            bus[round] = await Rate(Bus);
            mediator[round] = await Rate(Mediator);
            Console.WriteLine($"round {round + 1}: bus {bus[round]:N0}/s, mediator {mediator[round]:N0}/s, ratio {bus[round] / mediator[round]:F2}");
        }

        Array.Sort(bus);
        Array.Sort(mediator);
        Console.WriteLine($"median of {Rounds}: bus {bus[Rounds / 2]:N0}/s, mediator {mediator[Rounds / 2]:N0}/s, ratio {bus[Rounds / 2] / mediator[Rounds / 2]:F2} (at least 1 is meant)");

        async Task Time(Action publish)
        {
            var done = counter.Begin(Messages);
            for (var i = 0; i < Messages; i++) publish();
            await done.WaitAsync(TimeSpan.FromMinutes(1));
        }

        static async Task<double> Rate(Func<Task> run)
        {
            GC.Collect();
            var watch = Stopwatch.StartNew();
            await run();
            return Messages / watch.Elapsed.TotalSeconds;
        }
    }

    private sealed class Countdown
    {
        private TaskCompletionSource _done = new();
        private int _left;

        public Task Begin(int messages)
        {
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _left, messages);
            return _done.Task;
        }

        public void One()
        {
            if (--_left == 0) _done.TrySetResult();
        }
    }

    private sealed class Receiver : ReceiveActor
    {
        public Receiver(Countdown counter) => Receive<BusMessage>(_ => counter.One());
    }
}
