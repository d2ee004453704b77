namespace Guardian.Actors.Monitoring;

/// <summary>Trouble that outlasts its incident waits before it is raised again; by key. Pure; not thread-safe.</summary>
internal sealed class OutlastingTrouble
{
    /// <summary>
    /// As rarely as a resource's pressure that lasts is raised again: where each incident is closed at once, as in mode observe, trouble that
    /// stays must not fill the journal, and what a run repaired has time to recover. Nobody should have to change it.
    /// </summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, DateTimeOffset> _over = new(StringComparer.Ordinal);

    /// <summary>The key's incident came to an end while the trouble lasted.</summary>
    public void Over(string key, DateTimeOffset now)
    {
        foreach (var old in _over.Where(x => !IsWithin(x.Value, now)).Select(x => x.Key).ToList()) _over.Remove(old);
        _over[key] = now;
    }

    /// <summary>The trouble is over too: what comes later is new and does not wait.</summary>
    public void Calm(string key) => _over.Remove(key);

    /// <summary>True until <see cref="Pause"/> after the end.</summary>
    public bool Waits(string key, DateTimeOffset now) => _over.TryGetValue(key, out var over) && IsWithin(over, now);

    // A clock that was set back must not silence a key for as long.
    private static bool IsWithin(DateTimeOffset over, DateTimeOffset now) => (now - over).Duration() < Pause;
}
