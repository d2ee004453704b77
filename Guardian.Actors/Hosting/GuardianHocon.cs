using Akka.Configuration;

namespace Guardian.Actors.Hosting;

/// <summary>
/// Guardian's own sections. Nothing here changes a setting that the embedding application owns; what a whole node
/// tunes besides (split brain, failure detector, strict serialization) is Guardian.Host's.
/// </summary>
internal static class GuardianHocon
{
    /// <summary>Dispatcher of everything between a message and its answer.</summary>
    public const string Dispatcher = "guardian.dispatcher";

    /// <summary>Dispatcher of kernels, their heartbeats and their watchdog: no other work can delay a beat or its being missed.</summary>
    public const string Heartbeats = "guardian.heartbeats";

    /// <summary>Phase of the shutdown that ends the kernels, once what was accepted is delivered.</summary>
    public const string KernelsPhase = "guardian-kernels";

    /// <summary>
    /// Own threads, so that an application that starves the .NET thread pool does not blind its guardian. Two at least:
    /// one may be held up by a subscriber. The replicator is shared with the application: what is appended here counts only
    /// where the application says nothing. Its bounds were measured: 500 buckets of bans in one gossip message exceed the
    /// frame and are dropped without a word.
    /// </summary>
    public static Config Sections => ConfigurationFactory.ParseString($$"""
        guardian.dispatcher {
          type = ForkJoinDispatcher
          throughput = 64
          dedicated-thread-pool {
            thread-count = {{Math.Max(2, Environment.ProcessorCount)}}
            threadtype = background
          }
        }
        guardian.heartbeats {
          type = ForkJoinDispatcher
          throughput = 64
          dedicated-thread-pool { thread-count = 2, threadtype = background }
        }
        akka.coordinated-shutdown.phases {
          guardian-kernels { depends-on = [service-requests-done], timeout = 30s, recover = on }
          before-cluster-shutdown { depends-on = [service-stop, guardian-kernels] }
        }
        akka.cluster.distributed-data {
          max-delta-elements = 20
          notify-subscribers-interval = 50ms
          gossip-interval = 500ms
        }
        """);
}
