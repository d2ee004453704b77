using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>What a scenario means in names, moments and bounds. Deterministic: the same scenario and seed give the same plan.</summary>
internal sealed class ScenarioPlan
{
    /// <summary>Fewer operations inside the fault window prove nothing.</summary>
    public const int MinOperations = 200;

    /// <summary>Where others use more than this of the machine, percent, a missed bound of its processor says nothing: the remedy is verified at 60 %.</summary>
    public const double QuietOthers = 25;

    /// <summary>As an expected subject: whatever the incident is about, where its type says it all.</summary>
    public const string AnySubject = "any";

    public ScenarioPlan(Scenario scenario, int seed)
    {
        Scenario = scenario;
        Seed = seed;
        LoadPrincipals = [.. Enumerable.Range(1, scenario.Load.Principals).Select(n => Numbered("load", n))];
        LoadPeriod = scenario.Load.Rate.Period / scenario.Load.Rate.Count * scenario.Load.Principals;
        Faults = scenario.Fault is { } first ? [first, .. scenario.Also] : [];
        FaultPrincipals = [.. Faults.SelectMany(x => x.Facts.Principals).Distinct()];
        Subject = scenario.Expect.Subject ?? Faults.Select(x => x.Facts.Subject).FirstOrDefault(x => x is not null);
        Forbidden = Faults.Sum(x => x.Facts.Forbidden);
    }

    public Scenario Scenario { get; }
    public int Seed { get; }
    public IReadOnlyList<string> LoadPrincipals { get; }

    /// <summary>Between two operations of one load principal.</summary>
    public TimeSpan LoadPeriod { get; }
    public IReadOnlyList<FaultSpec> Faults { get; }
    public IReadOnlyList<string> FaultPrincipals { get; }

    /// <summary>The node's process ends in between.</summary>
    public bool EndsNode => Faults.Any(x => x.Facts.EndsNode);

    /// <summary>Forbidden messages of all faults together.</summary>
    public int Forbidden { get; }

    /// <summary>What the incident must name: the flooding principal, or the topic where no single one is to blame.</summary>
    public string? Subject { get; }

    /// <summary>Until the last fault is over by itself.</summary>
    public TimeSpan Lasts => Faults.Select(x => x.After + x.Facts.Length).DefaultIfEmpty().Max();

    /// <summary>After so long from the proven fault every bound has been met or missed.</summary>
    public TimeSpan ObserveFor
    {
        get
        {
            var e = Scenario.Expect;
            TimeSpan[] bounds = [e.DetectWithin ?? default, e.BannedWithin ?? default, e.RecoverWithin ?? default, e.ResolveWithin ?? default, e.EscalateWithin ?? default, e.TakenOverWithin ?? default, e.BanLasts ?? default, Lasts, e.RecoverAfterWithdrawal is { } after ? Lasts + after : default,
                e.RecoverAfterDetection is { } later ? (e.DetectWithin ?? default) + later : default];
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

    /// <summary>The start of a load principal's first operation, by seed: each has its own share of the period, so that they do not send at once.</summary>
    public TimeSpan LoadOffset(int principal) => LoadPeriod * ((principal + new Random(unchecked(Seed * 31 + principal)).NextDouble()) / LoadPrincipals.Count);

    /// <summary>
    /// The turn after <paramref name="turn"/> that is still to come. Missed turns are skipped, since catching up would be a flood of its own,
    /// and its place in the period stays: principals that were all held up by one pause would send at once ever after.
    /// </summary>
    public TimeSpan NextTurn(TimeSpan turn, TimeSpan now)
    {
        var next = turn + LoadPeriod;
        return next >= now ? next : next + LoadPeriod * Math.Ceiling((now - next) / LoadPeriod);
    }

    private static string Numbered(string prefix, int n) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{n:00}");
}
