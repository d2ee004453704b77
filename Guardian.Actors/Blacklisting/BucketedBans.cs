namespace Guardian.Actors.Blacklisting;

/// <summary>The bus's view of the bans: immutable; a change replaces one bucket's dictionary and copies 512 references.</summary>
internal sealed class BucketedBans : IBanSnapshot
{
    private static readonly Dictionary<string, ActiveBan> None = [];

    private readonly Dictionary<string, ActiveBan>[] _buckets;

    private BucketedBans(Dictionary<string, ActiveBan>[] buckets, int count) => (_buckets, Count) = (buckets, count);

    public static BucketedBans Empty { get; } = new([.. Enumerable.Repeat(None, BanBuckets.Count)], 0);

    public int Count { get; }

    public IEnumerable<ActiveBan> All => _buckets.SelectMany(x => x.Values);

    public IReadOnlyDictionary<string, ActiveBan> Bucket(int bucket) => _buckets[bucket];

    public bool TryGet(string principal, out ActiveBan ban)
    {
        ban = null!;
        return Count > 0 && _buckets[BanBuckets.Of(principal)].TryGetValue(principal, out ban!);
    }

    /// <summary>The same with other contents in some buckets; the dictionaries must not be changed afterwards.</summary>
    public BucketedBans With(IReadOnlyDictionary<int, Dictionary<string, ActiveBan>> changed)
    {
        var buckets = (Dictionary<string, ActiveBan>[])_buckets.Clone();
        var count = Count;
        foreach (var (bucket, bans) in changed)
        {
            count += bans.Count - buckets[bucket].Count;
            buckets[bucket] = bans;
        }

        return new BucketedBans(buckets, count);
    }
}
