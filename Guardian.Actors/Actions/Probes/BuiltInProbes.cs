namespace Guardian.Actors.Actions.Probes;

/// <summary>The probes that every node has.</summary>
internal static class BuiltInProbes
{
    public static IReadOnlyList<IGuardianProbe> Create(ActionDependencies dependencies) =>
    [
        new BusViolations(dependencies),
        new BusHealthProbe(dependencies),
        new BlacklistContains(dependencies),
        new HttpGet(dependencies),
        new KernelsStatus(dependencies),
        new ResourcesCurrent(dependencies),
        new ProcessesFind(dependencies),
        new ClusterMembers(dependencies),
        new ClusterConfig(dependencies),
    ];
}
