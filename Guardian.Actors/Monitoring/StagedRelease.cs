using Guardian.Actors.Incidents;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Monitoring;

/// <summary>
/// Gives back what runs restricted because of a pressure, before the leases end: one kind of restriction at a time, those that end first
/// anyhow first. A stage needs calm for the whole dwell and a while since the stage before, so that load which a stage lets in again is
/// seen before the next; then what is left stays until it was calm for the dwell anew, or until its lease ends. A pressure that comes back
/// after stages shows that only the restrictions kept it away: the next dwell is twice as long. Only leases of runs of the resource's own
/// incidents, and only those in force when it had been calm for the dwell: what is asked for later, by whomever, is left alone. No wall
/// clock decides. A new instance knows nothing of a pressure before it and looks once. Pure; not thread-safe.
/// </summary>
internal sealed class StagedRelease(ResourceMonitorOptions options)
{
    /// <summary>Longest dwell in dwells: as long as shipped leases last, so they end by themselves rather than early.</summary>
    private const int MostPatience = 8;

    private readonly Dictionary<string, Stretch> _stretches = new(StringComparer.Ordinal);

    /// <summary>A pressure that begins so long after what was given back, or after the one before, has nothing to do with it.</summary>
    private TimeSpan Relapse => (MostPatience * options.Dwell.Value) + (2 * (options.Cooldown.Value + options.Sustained.Value));

    /// <summary>Whether something of the resource may be given back now, where there is anything. Called for each sample.</summary>
    /// <param name="resource">As it is now.</param>
    /// <param name="clock">Clock of the sample.</param>
    public bool IsDue(ResourceCalm resource, TimeSpan clock)
    {
        var stretch = Of(resource.Key);
        if (resource.Pressed) Press(stretch, clock);
        var calm = !resource.Pressed && resource.Calm >= stretch.Patience * options.Dwell.Value;
        if (!calm) stretch.Due = null;
        return calm && stretch.Open && !(clock - stretch.LastStage < options.ReleaseEvery.Value);
    }

    /// <summary>What is lifted now; after it the next stage waits. Where nothing is left the stretch is over.</summary>
    /// <param name="resource">One that is due.</param>
    /// <param name="clock">Clock of the sample.</param>
    /// <param name="inForce">Everything that is restricted on this node.</param>
    public IReadOnlyList<Mitigation> Stage(ResourceCalm resource, TimeSpan clock, IEnumerable<Mitigation> inForce)
    {
        if (!IsDue(resource, clock)) return [];
        var stretch = Of(resource.Key);
        var own = inForce.Where(x => IncidentKeys.IsRunOf(resource.Key, x.Owner)).ToList();
        var due = stretch.Due ??= own.Select(x => x.Id).ToHashSet(StringComparer.Ordinal);
        var first = own.Where(x => due.Contains(x.Id))
            .GroupBy(Kind, StringComparer.Ordinal).OrderBy(x => x.Max(m => m.Until)).ThenByDescending(x => x.Max(m => m.Since)).FirstOrDefault();
        if (first is null) stretch.Open = false;
        else stretch.LastStage = clock;
        return first?.ToList() ?? [];
    }

    /// <summary>The part of its id that says what it does: kernel-pause, kernel-throttle, scheduler, api-limit.</summary>
    public static string Kind(Mitigation mitigation) => mitigation.Id[..mitigation.Id.IndexOf(':', StringComparison.Ordinal)];

    private void Press(Stretch stretch, TimeSpan clock)
    {
        if (clock - (stretch.LastStage ?? stretch.LastPressed) >= Relapse) stretch.Patience = 1;
        else if (stretch.LastStage is not null) stretch.Patience = Math.Min(2 * stretch.Patience, MostPatience);
        (stretch.Open, stretch.LastStage, stretch.LastPressed) = (true, null, clock);
    }

    private Stretch Of(string key) => _stretches.TryGetValue(key, out var known) ? known : _stretches[key] = new Stretch();

    private sealed class Stretch
    {
        /// <summary>There may be something to be given back.</summary>
        public bool Open { get; set; } = true;

        /// <summary>Dwells of calm before the first stage.</summary>
        public int Patience { get; set; } = 1;

        /// <summary>Clock of the last stage; null where there was none since the pressure.</summary>
        public TimeSpan? LastStage { get; set; }

        public TimeSpan? LastPressed { get; set; }

        /// <summary>Ids of what was in force once it had been calm for the dwell; null before.</summary>
        public HashSet<string>? Due { get; set; }
    }
}
