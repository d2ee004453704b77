namespace Guardian.Actors.Monitoring;

/// <summary>
/// When did a subject, a principal or a topic, cause denials lately? Answers the probe <c>bus.violations</c>. Bounded:
/// the least recently violating subject falls out; beyond <see cref="EntriesPerSubject"/> times the two oldest of a
/// subject become one at the later time, so that a flood may be seen as younger than it is, never as over.
/// </summary>
internal sealed class RecentDenials
{
    public const int EntriesPerSubject = 256; // ten digests of 20 times fit: 0.4 s of a flood at full resolution
    public static readonly TimeSpan MaxWindow = TimeSpan.FromSeconds(60);
    private const int Subjects = 8_192; // more than can have an open incident

    private readonly LruTable<string, List<(long At, long Count)>> _subjects = new(Subjects, comparer: StringComparer.Ordinal);

    public void Add(string subject, DateTimeOffset at, long count)
    {
        if (count <= 0) return;
        if (!_subjects.TryUse(subject, out var entries)) _subjects.Set(subject, entries = []);
        var index = entries.Count;
        while (index > 0 && entries[index - 1].At > at.UtcTicks) index--;
        entries.Insert(index, (at.UtcTicks, count));
        var horizon = entries[^1].At - MaxWindow.Ticks;
        while (entries[0].At < horizon) entries.RemoveAt(0);
        if (entries.Count <= EntriesPerSubject) return;
        entries[1] = (entries[1].At, entries[0].Count + entries[1].Count);
        entries.RemoveAt(0);
    }

    /// <summary>Denials after <paramref name="now"/> - <paramref name="window"/>.</summary>
    public long Count(string subject, TimeSpan window, DateTimeOffset now)
    {
        if (!_subjects.TryPeek(subject, out var entries)) return 0;
        var from = now.UtcTicks - Math.Min(window.Ticks, MaxWindow.Ticks);
        long count = 0;
        for (var i = entries.Count - 1; i >= 0 && entries[i].At > from; i--) count += entries[i].Count;
        return count;
    }
}
