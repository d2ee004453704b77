using Guardian.Actors.Chaos.Targets;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What is new on the node since the drill began, each with the moment it was first seen.</summary>
internal sealed class NodeWatch
{
    private readonly Dictionary<string, SeenIncident> _incidents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SeenRun> _runs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _banned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _unbanned = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _endedBefore = new(StringComparer.Ordinal);

    public IReadOnlyList<SeenIncident> Incidents => [.. _incidents.Values];

    /// <summary>Before anything was broken: why nothing can be told from what comes after. Null where all is calm.</summary>
    public string? Unsettled => _incidents.Values.Any(x => x.Type == BuiltInIncidents.NodeUnreachable)
        ? "this machine is so busy that its nodes lose sight of one another before anything was broken"
        : null;

    public IReadOnlyList<SeenRun> Runs => [.. _runs.Values];

    public IReadOnlyDictionary<string, TimeSpan> Banned => _banned;

    /// <summary>When a ban was first seen to be gone.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Unbanned => _unbanned;

    /// <summary>Who was banned before the drill.</summary>
    public IReadOnlyList<string> BannedBefore { get; private set; } = [];

    /// <summary>Remembers what is there already: none of it belongs to the drill.</summary>
    public async Task BaselineAsync(IChaosTarget target, CancellationToken cancellation)
    {
        foreach (var incident in await target.IncidentsAsync(cancellation).ConfigureAwait(false)) _known.Add(incident.Id);
        foreach (var run in await target.RunsAsync(cancellation).ConfigureAwait(false))
        {
            _known.Add(run.Id);
            if (run.EndedAt is { } ended && (!_endedBefore.TryGetValue(run.Playbook, out var last) || ended > last)) _endedBefore[run.Playbook] = ended;
        }

        BannedBefore = await target.BannedAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>How long ago a run of one of the playbooks ended before the drill; null where none did. Never negative.</summary>
    public TimeSpan? EndedAgo(Func<string, bool> playbook, DateTimeOffset now)
    {
        var ends = _endedBefore.Where(x => playbook(x.Key)).Select(x => now - x.Value).ToList();
        return ends.Count == 0 ? null : ends.Min() is { Ticks: > 0 } ago ? ago : TimeSpan.Zero;
    }

    /// <summary>The three questions at once: under a flood each answer takes its time, and the moment of detection must not wait for the others.</summary>
    public async Task LookAsync(IChaosTarget target, DrillClock clock, CancellationToken cancellation)
    {
        var (incidents, runs, banned) = (target.IncidentsAsync(cancellation), target.RunsAsync(cancellation), target.BannedAsync(cancellation));
        foreach (var x in await incidents.ConfigureAwait(false))
        {
            if (_known.Contains(x.Id)) continue;
            var before = _incidents.GetValueOrDefault(x.Id);
            _incidents[x.Id] = new SeenIncident(x.Id, x.Key, x.Type, x.Subject, x.Violations, x.State, x.OpenedAt, x.Rules, x.Runs,
                before?.FirstSeen ?? clock.Now, before is null ? x.Violations : before.FirstViolations);
        }

        foreach (var x in await runs.ConfigureAwait(false))
        {
            if (_known.Contains(x.Id)) continue;
            var before = _runs.GetValueOrDefault(x.Id);
            var now = clock.Now;
            _runs[x.Id] = new SeenRun(x.Id, x.Playbook, x.Incident, x.State, x.Steps, before?.FirstSeen ?? now,
                before?.StepsDone ?? (x.StepsDone ? now : null), before?.EndedSeen ?? (x.Ended ? now : null));
        }

        var present = await banned.ConfigureAwait(false);
        foreach (var x in present)
        {
            if (!BannedBefore.Contains(x)) _banned.TryAdd(x, clock.Now);
        }

        foreach (var x in _banned.Keys.Except(present)) _unbanned.TryAdd(x, clock.Now);
    }

    /// <summary>What the flood's own answers told about bans, where that was earlier.</summary>
    public IReadOnlyDictionary<string, TimeSpan> BannedWith(IReadOnlyDictionary<string, TimeSpan> answered)
    {
        var all = new Dictionary<string, TimeSpan>(_banned);
        foreach (var (principal, at) in answered)
        {
            if (!all.TryGetValue(principal, out var seen) || at < seen) all[principal] = at;
        }

        return all;
    }
}
