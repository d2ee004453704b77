using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Access;

/// <summary>How a reload ended.</summary>
/// <param name="Changed">True when another policy is in force now.</param>
/// <param name="Errors">Why the file was not taken; empty where it was, or where nothing changed.</param>
internal sealed record PolicyReload(bool Changed, IReadOnlyList<FileError> Errors);

/// <summary>The first policy could not be loaded, so there is no last good one to keep.</summary>
internal sealed class AccessPolicyException(IReadOnlyList<FileError> errors)
    : Exception("the access policy is not valid:" + Environment.NewLine + string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<FileError> Errors { get; } = errors;
}

/// <summary>
/// The policy in force. It is swapped whole: a reader sees the old one or the new one; a file with errors changes nothing.
/// Policies that were replaced are remembered for the guard time, so that a mistake in a file is told from an attack.
/// </summary>
internal sealed class PolicyStore
{
    // A file saved again and again within the guard time keeps the oldest of these, which is the one before the mistake.
    private const int MaxReplaced = 8;

    private readonly TimeProvider _time;
    private readonly TimeSpan _guard;
    private readonly int _decisionCache;
    private readonly Lock _swapping = new();
    private volatile AccessPolicy _current;
    private volatile IReadOnlyList<FileError> _errors = [];
    private volatile object _replaced = ImmutableArray<Replaced>.Empty;

    /// <param name="initial">The policy in force until the first swap.</param>
    /// <param name="time">Clock.</param>
    /// <param name="guard">How long a replaced policy is remembered.</param>
    /// <param name="path">The file to reload from; null: none, policies are only swapped in code.</param>
    /// <param name="decisionCache">Decisions kept ready per policy.</param>
    public PolicyStore(AccessPolicy initial, TimeProvider time, TimeSpan guard, string? path = null, int decisionCache = 65_536)
    {
        _current = initial;
        _time = time;
        _guard = guard;
        _decisionCache = decisionCache;
        Path = path;
    }

    /// <summary>Absolute path of the file; null where there is none.</summary>
    public string? Path { get; }

    public AccessPolicy Current => _current;

    /// <summary>What is wrong with the file as last seen; empty when it is the one in force.</summary>
    public IReadOnlyList<FileError> Errors => _errors;

    /// <summary>The policy before the last swap with the swap's timestamp; null before any swap and after the guard time.</summary>
    public (AccessPolicy Policy, long SwappedAt)? Previous =>
        Remembered is [.., var last] && _time.GetElapsedTime(last.At) <= _guard ? (last.Policy, last.At) : null;

    private ImmutableArray<Replaced> Remembered => (ImmutableArray<Replaced>)_replaced;

    /// <summary>Loads the first policy.</summary>
    /// <exception cref="AccessPolicyException">The file is missing or has errors; all of them are listed.</exception>
    public static PolicyStore Load(string path, TimeProvider time, TimeSpan guard, int decisionCache = 65_536)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (!TryRead(full, out var text, out var errors)) throw new AccessPolicyException(errors);
        return TryCompile(full, text, decisionCache, out var policy, out errors)
            ? new PolicyStore(policy, time, guard, full, decisionCache)
            : throw new AccessPolicyException(errors);
    }

    /// <summary>Compiles a policy text; false with every error of it.</summary>
    public static bool TryCompile(string file, string text, int decisionCache, out AccessPolicy policy, out IReadOnlyList<FileError> errors)
    {
        policy = null!;
        var (definition, found) = AccessPolicyReader.Read(file, text);
        errors = found;
        if (definition is null) return false;
        policy = AccessPolicy.Compile(definition, HashOf(text), decisionCache);
        return true;
    }

    /// <summary>Reads the file again. With errors, or where it is missing, the policy in force stays.</summary>
    public PolicyReload TryReload()
    {
        if (Path is null) return new PolicyReload(false, []);
        if (!TryRead(Path, out var text, out var errors)) return Refuse(errors);
        if (HashOf(text) == _current.Hash)
        {
            _errors = [];
            return new PolicyReload(false, []);
        }

        if (!TryCompile(Path, text, _decisionCache, out var policy, out errors)) return Refuse(errors);
        Swap(policy);
        return new PolicyReload(true, []);
    }

    /// <summary>Puts another policy in force.</summary>
    public void Swap(AccessPolicy policy)
    {
        lock (_swapping)
        {
            var now = _time.GetTimestamp();
            var kept = Remembered.Where(x => _time.GetElapsedTime(x.At, now) <= _guard).Append(new Replaced(_current, now)).ToImmutableArray();
            _replaced = kept.Length > MaxReplaced ? kept.RemoveAt(1) : kept;
            _current = policy;
            _errors = [];
        }
    }

    /// <summary>True when a policy that was replaced less than the guard time before <paramref name="now"/> allowed it.</summary>
    /// <param name="principal">Who.</param>
    /// <param name="topic">Topic or pattern.</param>
    /// <param name="operation">What.</param>
    /// <param name="now">A timestamp of the store's <see cref="TimeProvider"/>.</param>
    public bool AllowedBefore(string principal, string topic, BusOperation operation, long now)
    {
        foreach (var replaced in Remembered)
        {
            if (_time.GetElapsedTime(replaced.At, now) <= _guard && replaced.Policy.Decide(principal, topic, operation).Allowed) return true;
        }

        return false;
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool TryRead(string path, out string text, out IReadOnlyList<FileError> errors)
    {
        try
        {
            text = File.ReadAllText(path);
            errors = [];
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            text = "";
            errors = [new FileError(path, 0, 0, $"cannot be read: {e.Message}")];
            return false;
        }
    }

    private PolicyReload Refuse(IReadOnlyList<FileError> errors)
    {
        _errors = errors;
        return new PolicyReload(false, errors);
    }

    private sealed record Replaced(AccessPolicy Policy, long At);
}
