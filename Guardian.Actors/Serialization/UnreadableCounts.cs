using System.Collections.Concurrent;

namespace Guardian.Actors.Serialization;

/// <summary>
/// Messages and events that this version could not read, by what they claim to be: sent by a newer version during an update, or
/// damaged. Thread-safe; beyond <see cref="MaxManifests"/> kinds the rest is counted together.
/// </summary>
internal sealed class UnreadableCounts
{
    /// <summary>Kinds counted apart: more than all rooms have.</summary>
    public const int MaxManifests = 256;

    private const string Others = "others";

    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>Count by manifest.</summary>
    public IReadOnlyDictionary<string, long> All => _counts.ToDictionary(x => x.Key, x => x.Value, StringComparer.Ordinal);

    /// <summary>True for the first of its kind.</summary>
    public bool Count(string manifest)
    {
        var key = _counts.ContainsKey(manifest) || _counts.Count < MaxManifests ? manifest : Others;
        return _counts.AddOrUpdate(key, 1, static (_, x) => x + 1) == 1;
    }
}
