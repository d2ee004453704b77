using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Http.Security;

/// <summary>
/// The configured keys, of which only SHA-256 hashes are known. Immutable; a reload makes a new one. Every key is
/// compared, in constant time, so that the answer's time tells nothing about which came close.
/// </summary>
internal sealed class ApiKeyRing
{
    private sealed record Entry(string Id, byte[] Hash, Caller Caller, DateTimeOffset? Expires);

    private readonly Entry[] _entries;

    public ApiKeyRing(IEnumerable<ApiKeyOptions> keys)
    {
        // An entry that cannot be read matches nothing; the validator names it at start.
        _entries = [.. keys.Select(Read).OfType<Entry>()];
        Configured = keys.Any();
    }

    /// <summary>True where at least one key is configured, usable or not: a mistyped key must not open the node.</summary>
    public bool Configured { get; }

    public static byte[] Hash(ReadOnlySpan<char> key)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        Span<byte> utf8 = stackalloc byte[512];
        // A key is 43 characters; whatever is longer is no key, but is hashed too.
        if (Encoding.UTF8.GetByteCount(key) <= utf8.Length) SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(key, utf8)], hash);
        else SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString()), hash);
        return hash;
    }

    /// <summary>Who has this key now; null where nobody has or it has expired.</summary>
    public Caller? Find(ReadOnlySpan<byte> hash, DateTimeOffset now)
    {
        Entry? found = null;
        foreach (var entry in _entries)
        {
            if (CryptographicOperations.FixedTimeEquals(entry.Hash, hash)) found = entry;
        }

        return found is null || found.Expires <= now ? null : found.Caller;
    }

    public static Rights RightsOf(IEnumerable<string> roles) => roles.Aggregate(Rights.None, (all, role) => all | role switch
    {
        "viewer" => Rights.Read,
        "publisher" => Rights.Bus,
        "operator" => Rights.Operate | Rights.Read,
        "admin" => Rights.Administer | Rights.Operate | Rights.Read,
        _ => Rights.None,
    });

    private static Entry? Read(ApiKeyOptions key)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        return key.KeySha256.Length == 2 * hash.Length
            && Convert.FromHexString(key.KeySha256, hash, out _, out _) == OperationStatus.Done
            && key.Principal.Length > 0
            ? new Entry(key.Id, hash, new Caller(key.Principal, RightsOf(key.Roles)), key.Expires)
            : null;
    }
}
