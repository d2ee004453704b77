namespace Guardian.Actors.Silencing;

/// <summary>
/// The silences in force, read from any thread. The snapshot is swapped whole by the SilenceReplica actor; a silence ends at its
/// deadline even when nobody looks.
/// </summary>
internal sealed class SilenceView(TimeProvider time)
{
    private sealed record Snapshot(IReadOnlyList<ActiveSilence> Silences, string? Unreadable);

    private volatile Snapshot _current = new([], null);

    /// <summary>In force now.</summary>
    public IEnumerable<Silence> Active => InForce().Select(x => x.Silence);

    /// <summary>Why notifications about this incident are muted; null where they are not.</summary>
    public string? Muted(string? type, string? key, string? subject) => Reason(SilenceAction.Mute, type, key, subject);

    /// <summary>Why nothing is done about this incident; null where it is free. Where the silences of before cannot be known, nothing is.</summary>
    public string? Held(string? type, string? key, string? subject) => _current.Unreadable ?? Reason(SilenceAction.Hold, type, key, subject);

    /// <summary>Replaces the snapshot. Called by the SilenceReplica actor alone.</summary>
    public void Swap(IReadOnlyList<ActiveSilence> silences, string? unreadable) => _current = new Snapshot(silences, unreadable);

    private IEnumerable<ActiveSilence> InForce()
    {
        var now = time.GetTimestamp();
        return _current.Silences.Where(x => x.Deadline > now);
    }

    private string? Reason(SilenceAction action, string? type, string? key, string? subject)
    {
        if (_current.Silences.Count == 0) return null;
        var silence = InForce().FirstOrDefault(x => x.Silence.Actions == action && SilenceMatcher.Matches(x.Silence.Match, type, key, subject))?.Silence;
        return silence is null ? null : $"silence {silence.Id} of {silence.By} until {silence.Until:yyyy-MM-dd'T'HH:mm:ss'Z'}: {silence.Reason}";
    }
}
