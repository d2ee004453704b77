using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Guardian.Actors.Bus;

namespace Guardian.Benchmarks;

/// <summary>A million denied publishes: how many digests a second, and do the totals arrive exactly.</summary>
internal static class ViolationFlood
{
    private const int Publishes = 1_000_000;

    public static async Task RunAsync()
    {
        await RunAsync("one principal", _ => ("rogue", "system.control"));
        var random = new Random(42);
        await RunAsync("100,000 random principals on random topics", _ => ($"p{random.Next(100_000)}", $"t{random.Next(1_000_000)}.x"));
    }

    private static async Task RunAsync(string name, Func<int, (string Principal, string Topic)> next)
    {
        await using var rig = new BusRig();
        var consumer = new Consumer();
        await rig.Mediator.Ask<SubscribeAck>(new Subscribe(ViolationDigest.Topic, rig.System.ActorOf(Props.Create(() => new Receiver(consumer)))));
        var inputs = Enumerable.Range(0, Publishes).Select(next).ToArray();
        var watch = Stopwatch.StartNew();
        foreach (var (principal, topic) in inputs)
        {
            if (rig.Gateway.ClientPort(principal).Publish(topic, default).Outcome != PublishOutcome.AclDenied) throw new InvalidOperationException("not denied");
        }

        var took = watch.Elapsed;
        while (watch.Elapsed < took + TimeSpan.FromMinutes(1) && (consumer.Total != Publishes || consumer.Denied != Publishes)) await Task.Delay(50);
        Console.WriteLine($"{name}: {Publishes:N0} denials in {took.TotalSeconds:F2} s ({Publishes / took.TotalSeconds:N0}/s), {consumer.Digests} digests, "
            + $"at most {consumer.MostInASecond} in any second (25 allowed), rows {rig.State.Violations.Rows:N0}; at the consumer: total {consumer.Denied:N0}, in rows and overflow {consumer.Total:N0}");
    }

    private sealed class Consumer
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<long, long> _rows = [];
        private readonly List<long> _at = [];
        private ViolationDigest? _last;

        public int Digests
        {
            get { lock (_lock) return _at.Count; }
        }

        public long Denied
        {
            get { lock (_lock) return _last?.Denied ?? 0; }
        }

        public long Total
        {
            get { lock (_lock) return _rows.Values.Sum() + (_last?.Overflow ?? 0); }
        }

        public int MostInASecond
        {
            get { lock (_lock) return _at.Max(x => _at.Count(y => y >= x && y < x + Stopwatch.Frequency)); }
        }

        public void Consume(ViolationDigest digest)
        {
            lock (_lock)
            {
                _at.Add(Stopwatch.GetTimestamp());
                _last = digest;
                foreach (var row in digest.Rows) _rows[row.Row] = Math.Max(_rows.GetValueOrDefault(row.Row), row.Denied + row.Blacklisted);
            }
        }
    }

    private sealed class Receiver : ReceiveActor
    {
        public Receiver(Consumer consumer) => Receive<ViolationDigest>(consumer.Consume);
    }
}
