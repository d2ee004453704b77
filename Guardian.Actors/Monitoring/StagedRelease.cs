using Guardian.Actors.Incidents;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Gives back what runs restricted because of a pressure, before the leases end: one kind of restriction at a time, those that end first
/// anyhow first. A stage needs calm for the whole dwell and a while since the stage before, so that load which a stage lets in again is
/// seen before the next; then what is left stays until it was calm for the dwell anew, or until its lease ends. Only leases of runs of the
/// resource's own incidents, and only those asked for before the calm: what was asked for in calm, by whomever, is left alone. A new
/// instance knows nothing of a pressure before it and looks once. Pure; not thread-safe.
/// </summary>
/// <param name="dwell">How long it must be calm.</param>
/// <param name="every">Between two stages.</param>
internal sealed class StagedRelease(TimeSpan dwell, TimeSpan every)
{
    private readonly Dictionary<string, Stretch> _stretches = new(StringComparer.Ordinal);

    /// <summary>Whether something of the resource may be given back now, where there is anything. Called for each sample.</summary>
    /// <param name="resource">As it is now.</param>
    /// <param name="clock">Clock of the sample.</param>
    public bool IsDue(ResourceCalm resource, TimeSpan clock)
    {
        var stretch = Of(resource.Key);
        if (resource.Pressed) (stretch.Open, stretch.Last) = (true, null);
        return !resource.Pressed && stretch.Open && resource.Calm >= dwell && !(clock - stretch.Last < every);
    }

    /// <summary>What is lifted now; after it the next stage waits. Where nothing is left the stretch is over.</summary>
    /// <param name="resource">One that is due.</param>
    /// <param name="clock">Clock of the sample.</param>
    /// <param name="at">When that was, UTC.</param>
    /// <param name="inForce">Everything that is restricted on this node.</param>
    public IReadOnlyList<Mitigation> Stage(ResourceCalm resource, TimeSpan clock, DateTimeOffset at, IEnumerable<Mitigation> inForce)
    {
        if (!IsDue(resource, clock)) return [];
        var calmEnough = at - resource.Calm!.Value + dwell;
        var first = inForce.Where(x => x.Since < calmEnough && IncidentKeys.IsRunOf(resource.Key, x.Owner))
            .GroupBy(Kind, StringComparer.Ordinal).OrderBy(x => x.Max(m => m.Until)).ThenByDescending(x => x.Max(m => m.Since)).FirstOrDefault();
        var stretch = Of(resource.Key);
        (stretch.Open, stretch.Last) = (first is not null, clock);
        return first?.ToList() ?? [];
    }

    /// <summary>The part of its id that says what it does: kernel-pause, kernel-throttle, scheduler, api-limit.</summary>
    public static string Kind(Mitigation mitigation) => mitigation.Id[..mitigation.Id.IndexOf(':', StringComparison.Ordinal)];

    private Stretch Of(string key) => _stretches.TryGetValue(key, out var known) ? known : _stretches[key] = new Stretch();

    private sealed class Stretch
    {
        /// <summary>There may be something to be given back.</summary>
        public bool Open { get; set; } = true;

        /// <summary>Clock of the last stage.</summary>
        public TimeSpan? Last { get; set; }
    }
}
