namespace Guardian.Actors.Blacklisting;

/// <summary>Which principals of the book lie in which bucket, so that one bucket is written without a walk over all.</summary>
internal sealed class BucketIndex(BanBook book)
{
    private readonly HashSet<string>[] _names = [.. Enumerable.Range(0, BanBuckets.Count).Select(_ => new HashSet<string>(StringComparer.Ordinal))];

    /// <summary>The book knows something new of this principal.</summary>
    public void Touch(string principal) => _names[BanBuckets.Of(principal)].Add(principal);

    public void Rebuild(IEnumerable<string> principals)
    {
        foreach (var names in _names) names.Clear();
        foreach (var principal in principals) Touch(principal);
    }

    /// <summary>What the nodes shall see; names that neither are banned nor exempt any more are forgotten here.</summary>
    public BanBucket Bucket(int bucket, DateTimeOffset now)
    {
        List<BanEntry> bans = [];
        List<BanExemption> exemptions = [];
        foreach (var name in _names[bucket].Order(StringComparer.Ordinal))
        {
            var (ban, exempt) = (book.Entry(name, now), book.ExemptUntil(name, now));
            if (ban is not null) bans.Add(ban);
            if (exempt is { } until) exemptions.Add(new BanExemption(name, until));
            if (ban is null && exempt is null) _names[bucket].Remove(name);
        }

        return new BanBucket { Bans = bans, Exemptions = exemptions };
    }
}
