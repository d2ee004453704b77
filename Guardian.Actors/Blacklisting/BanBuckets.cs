using System.Text;
using Akka.DistributedData;

namespace Guardian.Actors.Blacklisting;

/// <summary>Which bucket a principal's ban lies in. The same on every node and in every version.</summary>
internal static class BanBuckets
{
    /// <summary>At 100,000 bans about 200 to a bucket: one change sends some 40 KB, below the default frame size.</summary>
    public const int Count = 512;

    private static readonly LWWRegisterKey<BanBucket>[] Keys =
        [.. Enumerable.Range(0, Count).Select(x => new LWWRegisterKey<BanBucket>($"guardian-bans-{x}"))];

    private static readonly Dictionary<string, int> ById = Enumerable.Range(0, Count).ToDictionary(x => Keys[x].Id);

    public static LWWRegisterKey<BanBucket> Key(int bucket) => Keys[bucket];

    /// <summary>The bucket of a key of DistributedData; false where it is not one.</summary>
    public static bool TryIndex(IKey key, out int bucket) => ById.TryGetValue(key.Id, out bucket);

    /// <summary>FNV-1a over UTF-8 (Fowler, Noll, Vo): stable, unlike <see cref="string.GetHashCode()"/>.</summary>
    public static int Of(string principal)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var bytes = Encoding.UTF8.GetMaxByteCount(principal.Length) <= buffer.Length
            ? buffer[..Encoding.UTF8.GetBytes(principal, buffer)]
            : Encoding.UTF8.GetBytes(principal);
        var hash = 2166136261u;
        foreach (var b in bytes) hash = (hash ^ b) * 16777619u;
        return (int)((hash ^ (hash >> 16)) % Count);
    }
}
