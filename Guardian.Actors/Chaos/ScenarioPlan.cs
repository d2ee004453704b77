using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>What a scenario means in names, moments and bounds. Deterministic: the same scenario and seed give the same plan.</summary>
internal sealed class ScenarioPlan
{
    /// <summary>Fewer operations inside the fault window prove nothing.</summary>
    public const int MinOperations = 200;

    public ScenarioPlan(Scenario scenario, int seed)
    {
        Scenario = scenario;
        Seed = seed;
        LoadPrincipals = [.. Enumerable.Range(1, scenario.Load.Principals).Select(n => Numbered("load", n))];
        LoadPeriod = scenario.Load.Rate.Period / scenario.Load.Rate.Count * scenario.Load.Principals;
        FaultPrincipals = scenario.Fault switch
        {
            null => [],
            { Principals: 1 } f => [f.Principal],
            { } f => [.. Enumerable.Range(1, f.Principals).Select(n => Numbered(f.Principal, n))],
        };
        Subject = scenario.Fault is null ? null : FaultPrincipals.Count == 1 ? FaultPrincipals[0] : scenario.Fault.Topic;
    }

    public Scenario Scenario { get; }
    public int Seed { get; }
    public IReadOnlyList<string> LoadPrincipals { get; }

    /// <summary>Between two operations of one load principal.</summary>
    public TimeSpan LoadPeriod { get; }
    public IReadOnlyList<string> FaultPrincipals { get; }

    /// <summary>What the incident must name: the flooding principal, or the topic where no single one is to blame.</summary>
    public string? Subject { get; }

    /// <summary>After so long from the proven fault every bound has been met or missed.</summary>
    public TimeSpan ObserveFor
    {
        get
        {
            var e = Scenario.Expect;
            TimeSpan[] bounds = [e.DetectWithin ?? default, e.BannedWithin ?? default, e.RecoverWithin ?? default, e.ResolveWithin ?? default, Scenario.Fault?.Over ?? default];
            return bounds.Max() + e.StableFor;
        }
    }

    /// <summary>The principal's topic: a wildcard at the end becomes its number.</summary>
    public string LoadTopic(int principal)
    {
        var pattern = Scenario.Load.Topics[principal % Scenario.Load.Topics.Count];
        var number = (principal + 1).ToString("00", CultureInfo.InvariantCulture);
        return pattern.EndsWith('>') || pattern.EndsWith('*') ? pattern[..^1] + number : pattern;
    }

    /// <summary>When the flood's message number <paramref name="index"/> is due after the injection, and who sends it.</summary>
    public (TimeSpan Due, string Principal) FloodMessage(int index) =>
        (Scenario.Fault!.Over / Scenario.Fault.Count * index, FaultPrincipals[index % FaultPrincipals.Count]);

    /// <summary>The start of a load principal's first operation: spread over its period, by seed.</summary>
    public TimeSpan LoadOffset(int principal) => LoadPeriod * new Random(unchecked(Seed * 31 + principal)).NextDouble();

    private static string Numbered(string prefix, int n) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{n:00}");
}
