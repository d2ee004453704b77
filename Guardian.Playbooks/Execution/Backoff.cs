using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Execution;

/// <summary>Waits between attempts. The jitter comes from the run's seed: the same run waits the same, two runs do not march in step.</summary>
internal static class Backoff
{
    /// <summary>Wait after the given attempt (1 is the first).</summary>
    public static TimeSpan Wait(RetryPolicy policy, int attempt, int seed, string step)
    {
        var doublings = policy.Exponential ? Math.Min(attempt - 1, 30) : 0;
        var ms = Math.Min(policy.Initial.TotalMilliseconds * Math.Pow(2, doublings), policy.Max > TimeSpan.Zero ? policy.Max.TotalMilliseconds : double.MaxValue);
        return TimeSpan.FromMilliseconds(policy.Jitter ? ms * (0.5 + (0.5 * Fraction(seed, attempt, step))) : ms);
    }

    /// <summary>FNV-1a with the finalizer of MurmurHash3, to a number in [0, 1). string.GetHashCode differs between processes.</summary>
    private static double Fraction(int seed, int attempt, string step)
    {
        var hash = 2166136261u;
        foreach (var c in step) hash = (hash ^ c) * 16777619u;
        hash = (hash ^ (uint)seed) * 16777619u;
        hash = (hash ^ (uint)attempt) * 16777619u;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
        return (hash ^ (hash >> 16)) / 4294967296d;
    }
}
