using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Blacklisting;

/// <summary>A ban for the list and, with its monotonic deadline, for the bus.</summary>
internal sealed record Merged(BanEntry Entry, ActiveBan Active)
{
    /// <param name="entry">The ban.</param>
    /// <param name="time">The clock.</param>
    /// <param name="held">
    /// What holds here already. Where its owner is the same, the ban ends as much later as the two say: both ends are of the clock by which
    /// it was given, and the clock may have jumped since.
    /// </param>
    public static Merged Of(BanEntry entry, TimeProvider time, Merged? held = null) => new(entry, new ActiveBan(
        entry.Principal, entry.Until,
        held?.Entry.Owner == entry.Owner ? held.Active.Deadline + time.Ticks(entry.Until - held.Entry.Until) : time.DeadlineOf(entry.Until),
        entry.Reason, entry.Owner));
}

/// <summary>What holds for a principal on this node alone.</summary>
internal sealed record LocalWord
{
    public Merged? Provisional { get; init; }

    /// <summary>A ban that DistributedData has yet to bring.</summary>
    public Merged? Own { get; init; }

    /// <summary>Replicated bans that began by then are lifted.</summary>
    public DateTimeOffset? HideSince { get; init; }

    /// <summary>Monotonic: until then <see cref="Own"/> and <see cref="HideSince"/> hold; maximal while the authority has not spoken.</summary>
    public long Deadline { get; init; }

    public DateTimeOffset? ExemptUntil { get; init; }

    public bool Hides(BanEntry entry, long now) => HideSince >= entry.Since && Deadline > now;

    public IEnumerable<Merged> Bans(long now)
    {
        if (Provisional is not null && Provisional.Active.Deadline > now) yield return Provisional;
        if (Own is not null && Deadline > now && Own.Active.Deadline > now) yield return Own;
    }

    public bool IsOver(long now, DateTimeOffset utc) =>
        !Bans(now).Any() && (HideSince is null || Deadline <= now) && !(ExemptUntil > utc);
}
