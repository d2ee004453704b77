using Guardian.Playbooks.Expressions;

namespace Guardian.Playbooks.Model;

/// <summary>What bounds a playbook's acting, <c>guards</c>. A refusal and its reason are in the run's and the incident's explanation.</summary>
public sealed record Guards
{
    /// <summary>None of them.</summary>
    public static Guards None { get; } = new();

    /// <summary>No new run for the key until this long after the last one ended; a recurrence on an escalated incident still contains at once.</summary>
    public TimeSpan Cooldown { get; init; }

    /// <summary>Runs per period. Past one of them a run takes its containment steps alone.</summary>
    public IReadOnlyList<RunQuota> MaxRuns { get; init; } = [];

    /// <summary>Text on <c>incident</c>, <c>vars</c> and <c>node</c>: of the runs in the cluster with the same text one acts at a time, the others wait. Null: none.</summary>
    public Template? Lock { get; init; }

    /// <summary>How much runs may hold at once; null: no bound.</summary>
    public BlastRadius? BlastRadius { get; init; }

    /// <summary>Stops a playbook whose runs fail; null: none.</summary>
    public CircuitBreaker? CircuitBreaker { get; init; }

    /// <summary>True where a run has to ask before it acts.</summary>
    public bool AskedAtStart => Lock is not null || CircuitBreaker is not null || BlastRadius is not null || MaxRuns.Any(x => x.Scope != QuotaScope.Key);
}

/// <summary>At most <paramref name="Count"/> runs within <paramref name="Per"/>.</summary>
/// <param name="Count">1 to 10,000.</param>
/// <param name="Per">Sliding window, at most 7 days.</param>
/// <param name="Scope">Which runs are counted.</param>
public sealed record RunQuota(int Count, TimeSpan Per, QuotaScope Scope = QuotaScope.Key);

/// <summary>Which runs a quota counts.</summary>
public enum QuotaScope
{
    /// <summary>Those of the incident's key.</summary>
    Key,

    /// <summary>Those of the playbook, in the whole cluster.</summary>
    Playbook,

    /// <summary>Those of all playbooks that have such a quota, in the whole cluster.</summary>
    Cluster,
}

/// <summary>How much the runs of all playbooks with a blast radius may hold at once. A step past it is refused.</summary>
/// <param name="Kernels">Share of the declared kernels; null: no bound.</param>
/// <param name="Principals">Number of principals, 1 to 1,000,000; null: no bound.</param>
public sealed record BlastRadius(Percentage? Kernels, int? Principals)
{
    /// <summary>
    /// Kernels that may be held, of so many declared: the share rounded down, but at least 1, so that a guard on a small node
    /// does not forbid everything. 50 % of 5 are 2; 50 % of 1 is 1; 10 % of 9 is 1.
    /// </summary>
    public int? KernelLimit(int declared) => Kernels is { } share ? Math.Max(1, (int)Math.Floor(declared * share.Value / 100)) : null;
}

/// <summary>After <paramref name="Failures"/> escalated runs within <paramref name="Within"/> the playbook's runs take their containment steps alone, until an operator resets it.</summary>
/// <param name="Failures">1 to 1,000.</param>
/// <param name="Within">Sliding window, at most 7 days.</param>
public sealed record CircuitBreaker(int Failures, TimeSpan Within);
