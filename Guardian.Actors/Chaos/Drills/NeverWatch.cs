namespace Guardian.Actors.Chaos.Drills;

/// <summary>What a scenario says must never be; each is kept as it was seen first. What cannot be measured was not seen.</summary>
internal sealed class NeverWatch(IReadOnlyList<ProbeCheck> never)
{
    private readonly Dictionary<ProbeCheck, CheckResult> _seen = [];

    public IReadOnlyList<CheckResult> Seen => [.. _seen.Values];

    public async Task LookAsync(DrillChecks checks, CancellationToken cancellation)
    {
        foreach (var check in never)
        {
            if (_seen.ContainsKey(check)) continue;
            var result = await checks.CheckAsync(check, cancellation).ConfigureAwait(false);
            if (result.Passed) _seen[check] = result;
        }
    }
}
