namespace Guardian.Tests.Clustering;

/// <summary>Three processes at once need the machine: these tests run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RealClusters
{
    public const string Name = "real clusters";
}
