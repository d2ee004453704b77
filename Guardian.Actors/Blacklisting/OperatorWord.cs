namespace Guardian.Actors.Blacklisting;

/// <summary>
/// From when a command of an operator counts. It is stamped by the node that took it, whose clock may be seconds away from the authority's.
/// What arrives within <see cref="Prompt"/> of its stamp, or before it, therefore counts from its arrival: a skewed clock neither cuts
/// a ban nor makes an operator's answer to another's word look older than that word. What arrives later has waited: then the stamps decide,
/// so that of two late words given on two nodes within the difference of their clocks either may be taken for the newer one.
/// </summary>
/// <param name="Given">When it was given, UTC; never after its arrival.</param>
/// <param name="Late">It has waited.</param>
internal readonly record struct OperatorWord(DateTimeOffset Given, bool Late)
{
    /// <summary>As long as a node's operator waits for the authority; clocks that differ by more need mending.</summary>
    public static readonly TimeSpan Prompt = WaitingCommands.Patience;

    /// <param name="given">The stamp; null: none.</param>
    /// <param name="now">Its arrival, UTC.</param>
    public static OperatorWord Of(DateTimeOffset? given, DateTimeOffset now) => given is { } at && at < now ? new(at, now - at > Prompt) : new(now, false);

    /// <summary>Lengths count from then.</summary>
    public DateTimeOffset From(DateTimeOffset now) => Late ? Given : now;

    /// <summary>True where a newer word, given at <paramref name="last"/>, holds already.</summary>
    public bool IsBeatenBy(DateTimeOffset? last) => Late && Given < last;
}
