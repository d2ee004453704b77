using Guardian.Actors.Hosting;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// What the monitor knows. It outlives a crash of the actor: a new ledger would take cumulative counts for new
/// violations and blame people for what is long over.
/// </summary>
internal sealed class AclMonitorState(AclMonitorOptions options, string node, DateTimeOffset startedAt)
{
    public AclMonitorOptions Options { get; } = options;

    /// <summary>This node.</summary>
    public string Node { get; } = node;

    /// <summary>Several rows, for topics and operations, per principal watched.</summary>
    public DigestLedger Ledger { get; } = new(options.TableSize * 4, own: startedAt.UtcTicks);

    public AclDetector Detector { get; } = new(options, $"{node}-{startedAt.UtcTicks:x}");

    public RaiseBook Raises { get; } = new();

    public RecentDenials Recent { get; } = new();

    public ProvisionalBanCap Cap { get; } = new(options.ProvisionalBanCapPercent);

    public long BansWithheld { get; set; }
}
