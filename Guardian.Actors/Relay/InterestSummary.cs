namespace Guardian.Actors.Relay;

/// <summary>Subscriptions as other nodes need to know them: few patterns that cover all of them, perhaps more. Pure.</summary>
internal static class InterestSummary
{
    /// <summary>About 100 kB in the worst case, a tenth of a frame.</summary>
    public const int MaxPatterns = 1_000;

    private static readonly string[] Everything = [">"];

    /// <summary>
    /// The patterns themselves, in order; too many are widened to their first segment, and if that is still too many, to everything.
    /// What is relayed for a widened pattern and nobody wants costs the network and is dropped on arrival.
    /// </summary>
    public static IReadOnlyList<string> Of(IReadOnlyCollection<string> patterns, int max = MaxPatterns)
    {
        if (patterns.Contains(">")) return Everything;
        if (patterns.Count <= max) return [.. patterns.Order(StringComparer.Ordinal)];
        var wide = patterns.Select(Widen).Distinct(StringComparer.Ordinal).ToList();
        return wide.Contains(">") || wide.Count > max ? Everything : [.. wide.Order(StringComparer.Ordinal)];
    }

    private static string Widen(string pattern)
    {
        var dot = pattern.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0) return pattern is "*" ? ">" : pattern;
        return pattern[..dot] is "*" or ">" ? ">" : pattern[..dot] + ".>";
    }
}
