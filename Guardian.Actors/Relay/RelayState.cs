using System.Collections.Concurrent;
using Akka.Cluster;

namespace Guardian.Actors.Relay;

/// <summary>What of the relay outlives its actor: sequences must not begin anew, and what arrived must not be taken twice.</summary>
internal sealed class RelayState(RelayOptions options)
{
    public RelayOptions Options => options;

    public RelayMetrics Metrics { get; } = new();

    public ConcurrentDictionary<UniqueAddress, Peer> Peers { get; } = new();

    /// <summary>What this node's subscribers want as it was told last; others compare versions, so it must not begin anew either.</summary>
    public (long Version, IReadOnlyList<string> Patterns) Told { get; set; } = (0, []);

    public RelayCounters Counters() => Metrics.Snapshot(Waiting);

    /// <summary>Messages not yet sent to their node, or sent and not acknowledged.</summary>
    public long Waiting => Peers.Values.Sum(x => (long)x.Subscriber.Waiting + x.Subscriber.UnderWay);
}

/// <summary>A member with Guardian.</summary>
internal sealed class Peer(Member member, PeerSubscriber subscriber)
{
    public Member Member => member;

    public PeerSubscriber Subscriber => subscriber;

    public RelayLedger Arrived { get; } = new();

    /// <summary>Of the interest that is known; null before the first.</summary>
    public (long Incarnation, long Version)? Interest { get; set; }

    public string? PolicyHash { get; set; }

    public string? PlaybooksHash { get; set; }
}
