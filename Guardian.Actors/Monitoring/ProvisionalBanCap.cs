namespace Guardian.Actors.Monitoring;

/// <summary>How many principals this node's monitor may hold banned by itself at once: a policy mistake must not ban the fleet. Pure.</summary>
internal sealed class ProvisionalBanCap(double percent)
{
    private readonly Dictionary<string, DateTimeOffset> _until = new(StringComparer.Ordinal);

    /// <summary>True when the ban may be given; it is then counted until <paramref name="until"/>.</summary>
    public bool TryTake(string principal, DateTimeOffset now, DateTimeOffset until, int declaredPrincipals)
    {
        foreach (var lapsed in _until.Where(x => x.Value <= now).Select(x => x.Key).ToList()) _until.Remove(lapsed);
        if (!_until.ContainsKey(principal) && _until.Count >= Math.Max(1, (int)(declaredPrincipals * percent / 100))) return false;
        _until[principal] = until;
        return true;
    }

    public void Release(string principal) => _until.Remove(principal);
}
