using Guardian.Actors.Kernels;

namespace Guardian.Actors.Replay;

/// <summary>One look at the heartbeats, as the difference to the look before.</summary>
internal sealed record HeartbeatLook
{
    /// <summary>On the board's monotonic clock.</summary>
    public required TimeSpan Now { get; init; }

    /// <summary>Replicas that are new or have beaten since.</summary>
    public IReadOnlyList<HeartbeatSample> Beats { get; init; } = [];

    /// <summary>Replicas that are not expected to beat any more, as kernel/number.</summary>
    public IReadOnlyList<string> Gone { get; init; } = [];
}

/// <summary>Makes looks small for the trace, and whole again for the replay. Pure; not thread-safe.</summary>
internal sealed class HeartbeatTrace
{
    private readonly Dictionary<string, HeartbeatSample> _known = new(StringComparer.Ordinal);

    /// <summary>What has changed since the last look.</summary>
    public HeartbeatLook Difference(IReadOnlyList<HeartbeatSample> samples, TimeSpan now)
    {
        var present = samples.ToDictionary(Key, StringComparer.Ordinal);
        var look = new HeartbeatLook
        {
            Now = now,
            Beats = [.. samples.Where(x => !_known.TryGetValue(Key(x), out var known) || known != x)],
            Gone = [.. _known.Keys.Where(x => !present.ContainsKey(x))],
        };
        Apply(look);
        return look;
    }

    /// <summary>All that beats, after a look was taken in.</summary>
    public IReadOnlyList<HeartbeatSample> Apply(HeartbeatLook look)
    {
        foreach (var gone in look.Gone) _known.Remove(gone);
        foreach (var beat in look.Beats) _known[Key(beat)] = beat;
        return [.. _known.Values];
    }

    private static string Key(HeartbeatSample x) => FormattableString.Invariant($"{x.Kernel}/{x.Replica}");
}
