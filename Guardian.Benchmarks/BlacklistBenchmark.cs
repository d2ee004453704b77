using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.DistributedData;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Hosting;

namespace Guardian.Benchmarks;

/// <summary>
/// How long until a ban given on one node holds on an idle replica of another, at 100,000 bans: two actor systems in
/// this process, clustered over loopback, journal in memory (the journal's own time is not what is measured).
/// Arguments: number of bans, number of samples.
/// </summary>
internal static class BlacklistBenchmark
{
    private const double TargetMilliseconds = 250;

    public static async Task<int> RunAsync(string[] args)
    {
        var bans = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 100_000;
        var samples = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 50;
        var (first, second) = (ActorSystem.Create("bans", Config()), ActorSystem.Create("bans", Config()));
        try
        {
            var seed = Cluster.Get(first).SelfAddress;
            await Cluster.Get(first).JoinAsync(seed);
            await Cluster.Get(second).JoinAsync(seed);
            var options = new BlacklistOptions { MaxBans = bans + samples };
            var authority = first.ActorOf(BlacklistAuthority.Props(DistributedData.Get(first).Replicator, options, _ => false, TimeProvider.System));
            var (near, far) = (new BanView(TimeProvider.System), new BanView(TimeProvider.System));
            var here = first.ActorOf(Blacklist.Props(new(DistributedData.Get(first).Replicator, authority, near, _ => false, TimeProvider.System), options));
            second.ActorOf(Blacklist.Props(new(DistributedData.Get(second).Replicator, second.DeadLetters, far, _ => false, TimeProvider.System), options));
            await here.Ask<BlacklistReady>(AwaitBlacklist.Instance);

            var clock = Stopwatch.StartNew();
            for (var i = 0; i < bans; i += 1_000)
                await Task.WhenAll(Enumerable.Range(i, Math.Min(1_000, bans - i)).Select(x => here.Ask<BanResult>(Ban($"fill-{x}"))));
            Console.WriteLine($"{bans:N0} bans given in {clock.Elapsed.TotalSeconds:0.0} s");
            clock.Restart();
            while (far.Count < bans && clock.Elapsed < TimeSpan.FromSeconds(120)) await Task.Delay(50);
            Console.WriteLine($"replica holds {far.Count:N0} of them {clock.Elapsed.TotalSeconds:0.0} s later");
            if (far.Count < bans) return 1;
            await Task.Delay(2_000); // idle

            var measured = new List<double>();
            for (var i = 0; i < samples; i++)
            {
                clock.Restart();
                var answer = here.Ask<BanResult>(Ban($"sample-{i}"));
                while (!far.TryGet($"sample-{i}", out _) && clock.Elapsed < TimeSpan.FromSeconds(10)) await Task.Delay(1);
                measured.Add(clock.Elapsed.TotalMilliseconds);
                if (await answer is { Done: false } refused)
                {
                    Console.WriteLine($"the ban was refused: {refused.Refusal}");
                    return 1;
                }

                await Task.Delay(100);
            }

            measured.Sort();
            var (median, p99) = (measured[measured.Count / 2], measured[(int)(measured.Count * 0.99)]);
            Console.WriteLine($"ban to idle replica: median {median:0} ms, p99 {p99:0} ms, max {measured[^1]:0} ms, {median / TargetMilliseconds:0.00} of the {TargetMilliseconds:0} ms target at the median, {measured[^1] / TargetMilliseconds:0.00} at worst");
            return p99 <= TargetMilliseconds ? 0 : 1;
        }
        finally
        {
            await Task.WhenAll(first.Terminate(), second.Terminate());
        }
    }

    private static BanPrincipal Ban(string name) =>
        new() { Key = name, Principal = name, For = TimeSpan.FromHours(1), Reason = "spam: 10 violations within 1 s by one principal", Owner = "run-benchmark" };

    private static Config Config() => ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          actor {
            provider = cluster
            serializers.guardian = "Guardian.Actors.Serialization.GuardianSerializer, Guardian.Actors"
            serialization-bindings { "Guardian.Playbooks.IGuardianMessage, Guardian.Playbooks" = guardian }
          }
          remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0, maximum-frame-size = 1MiB, send-buffer-size = 1MiB, receive-buffer-size = 1MiB }
          cluster.distributed-data { max-delta-elements = 20, notify-subscribers-interval = 50ms, gossip-interval = 500ms }
        }
        guardian.journal { class = "Akka.Persistence.Journal.MemoryJournal, Akka.Persistence", plugin-dispatcher = "akka.actor.default-dispatcher" }
        guardian.snapshots { class = "Akka.Persistence.Snapshot.MemorySnapshotStore, Akka.Persistence", plugin-dispatcher = "akka.actor.default-dispatcher" }
        """).WithFallback(DistributedData.DefaultConfig());
}
