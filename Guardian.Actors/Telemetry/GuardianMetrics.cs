using System.Diagnostics.Metrics;
using Guardian.Actors.Hosting;
using Guardian.Actors.Notifications;

namespace Guardian.Actors.Telemetry;

/// <summary>
/// The meter <c>Guardian</c>: what the node counts already, shown when somebody looks. Nothing is shown before Guardian runs:
/// unknown is not zero.
/// </summary>
internal sealed class GuardianMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Guardian";

    private readonly Meter _meter = new(MeterName);
    private readonly Func<GuardianParts?> _parts;
    private Task<int>? _counting;
    private int? _openIncidents;

    /// <summary>Observes the running Guardian; null until there is one.</summary>
    public GuardianMetrics(Func<GuardianParts?> parts)
    {
        _parts = parts;
        _meter.CreateObservableCounter("guardian.bus.messages", Messages, "{message}", "Messages sent on this node's bus, by outcome.");
        Counter("guardian.bus.delivered", "{message}", "Messages delivered to subscribers.", x => x.Counters().Delivered);
        Counter("guardian.bus.dropped", "{message}", "Messages dropped for slow subscribers, where the policy says so.", x => x.Counters().Dropped);
        Counter("guardian.bus.restarts", "{restart}", "Restarts of the bus.", x => x.Counters().Restarts);
        Gauge("guardian.bus.queued", "{message}", "Messages accepted and not yet delivered.", x => x.Counters().Queued);
        Gauge("guardian.bus.topics", "{topic}", "Topics in memory.", x => x.Counters().Topics);
        Gauge("guardian.bus.subscriptions", "{subscription}", "Subscriptions.", x => x.Counters().Subscriptions);
        Gauge("guardian.bus.parked", "{message}", "Messages parked because they crashed their handler.", x => x.Counters().Parked);
        Counter("guardian.relay.sent", "{message}", "Messages sent to other nodes, once per node.", x => x.Counters().Relay?.Sent ?? 0);
        Counter("guardian.relay.dropped", "{message}", "Messages not sent to a node that takes them too slowly or not at all.", x => x.Counters().Relay?.Dropped ?? 0);
        Counter("guardian.relay.received", "{message}", "Messages from other nodes.", x => x.Counters().Relay?.Received ?? 0);
        Counter("guardian.relay.lost", "{message}", "Gaps in what came from other nodes.", x => x.Counters().Relay?.Lost ?? 0);
        Counter("guardian.relay.refused", "{message}", "Messages from other nodes that no subscriber could take.", x => x.Counters().Relay?.Refused ?? 0);
        Counter("guardian.relay.rejected", "{batch}", "Batches that were not from a member of the cluster.", x => x.Counters().Relay?.Rejected ?? 0);
        Gauge("guardian.blacklist.bans", "{ban}", "Bans in force as this node knows them.", x => x.Bans.Count);
        Gauge("guardian.incidents.open", "{incident}", "Open incidents.", OpenIncidents);
        Gauge("guardian.journal.healthy", "1", "1 while the journal takes writes.", x => x.Journal().Healthy ? 1 : 0);
        Gauge("guardian.parts.not_ready", "{part}", "Parts of the supervision tree that are not ready.", x => x.NotReady().Count);
        Counter("guardian.api.limited", "{request}", "Requests refused by a limit on this node's API.", x => x.ApiLimits.Refused);
        Channels("guardian.outbox.pending", "Items accepted and not delivered yet, by channel.", x => x.Pending);
        Channels("guardian.outbox.delivered", "Items delivered, by channel.", x => x.Delivered);
        Channels("guardian.outbox.dead", "Items given up, by channel.", x => x.Dead);
        Channels("guardian.outbox.digested", "Notifications told by a digest because the channel's rate was used up.", x => x.Digested);
        Channels("guardian.outbox.muted", "Notifications that a silence kept back.", x => x.Muted);
        Counter("guardian.unreadable", "{message}", "Messages and events that this version could not read.", x => x.Unreadable().Values.Sum());
        Counter("guardian.resources.samples", "{sample}", "Samples of the machine.", x => x.Resources.Samples);
        _meter.CreateObservableGauge("guardian.resources.used", Used, "%", "Processor, memory and disks, percent of what may be used; what is not known is missing.");
        Gauge("guardian.resources.pressed", "{resource}", "Resources under pressure.", x => x.Resources.Latest is null ? null : x.Resources.Pressed.Count);
        _meter.CreateObservableGauge("guardian.boot.phase", () => (_parts()?.Phases() ?? []).Where(x => x.Took is not null)
            .Select(x => new Measurement<double>(x.Took!.Value.TotalSeconds, new KeyValuePair<string, object?>("phase", x.Phase))), "s", "Time that each phase of the node's start took.");
        KernelMetrics.Add(_meter, () => _parts()?.Kernels.All ?? []);
        Gauge("guardian.hold", "1", "1 while all acting is held.", x => x.Mode.Held is null ? 0 : 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void Counter(string name, string unit, string description, Func<GuardianParts, long> read) =>
        _meter.CreateObservableCounter(name, () => One(read), unit, description);

    private void Gauge(string name, string unit, string description, Func<GuardianParts, long?> read) =>
        _meter.CreateObservableGauge(name, () => _parts() is { } parts && read(parts) is { } value ? [new Measurement<long>(value)] : Array.Empty<Measurement<long>>(), unit, description);

    /// <summary>The totals come from the journal and move with their channel to another node: gauges, not counters of this process.</summary>
    private void Channels(string name, string description, Func<OutboxStatus, long> read) => _meter.CreateObservableGauge(
        name, () => (_parts()?.Channels() ?? []).Select(x => new Measurement<long>(read(x), new KeyValuePair<string, object?>("channel", x.Channel))), "{item}", description);

    private Measurement<long>[] One(Func<GuardianParts, long> read) => _parts() is { } parts ? [new Measurement<long>(read(parts))] : [];

    private IEnumerable<Measurement<double>> Used()
    {
        if (_parts()?.Resources.Latest is not { } sample) yield break;
        if (sample.Cpu.Value is { } cpu) yield return new(cpu, new KeyValuePair<string, object?>("resource", "cpu"));
        if (sample.Memory.Value is { } memory) yield return new(memory, new KeyValuePair<string, object?>("resource", "memory"));
        foreach (var disk in sample.Disks)
            if (disk.Used.Value is { } used) yield return new(used, new("resource", "disk"), new("mount", disk.Mount));
    }

    private IEnumerable<Measurement<long>> Messages()
    {
        if (_parts() is not { } parts) return [];
        var c = parts.Counters();
        return
        [
            Of(c.Accepted, "accepted"), Of(c.AclDenied, "acl_denied"), Of(c.Blacklisted, "blacklisted"), Of(c.RateLimited, "rate_limited"),
            Of(c.QueueFull, "queue_full"), Of(c.Invalid, "invalid"), Of(c.Draining, "draining"),
        ];
    }

    private static Measurement<long> Of(long value, string outcome) => new(value, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>The count known last; asking anew happens beside the reader, who must not wait for a database.</summary>
    private long? OpenIncidents(GuardianParts parts)
    {
        var counting = _counting;
        if (counting is { IsCompleted: true })
        {
            _openIncidents = counting.IsCompletedSuccessfully ? counting.GetAwaiter().GetResult() : null;
            counting = null;
        }

        _counting = counting ?? parts.ReadModel.OpenIncidentsAsync(CancellationToken.None);
        if (_counting.IsCompletedSuccessfully) _openIncidents = _counting.GetAwaiter().GetResult();
        return _openIncidents;
    }
}
