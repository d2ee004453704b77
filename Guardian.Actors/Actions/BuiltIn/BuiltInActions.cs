namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>The actions that every node has.</summary>
internal static class BuiltInActions
{
    public static IReadOnlyList<IGuardianAction> Create(ActionDependencies dependencies) =>
    [
        new SeverityAssess(),
        new BlacklistAdd(dependencies),
        new BlacklistRemove(dependencies),
        new BusRateLimit(dependencies),
        new BusRestart(dependencies),
        new ApiRateLimit(dependencies),
        new KernelsThrottle(dependencies),
        new KernelsPause(dependencies),
        new KernelsRestart(dependencies),
        new KernelsStop(dependencies),
        new KernelsScale(dependencies),
        new SchedulerModeAction(dependencies),
        new Notify(dependencies),
        new TaskCreate(dependencies),
        new HttpCall(dependencies),
        new Wait(dependencies),
        new ProcessesTop(dependencies),
        new ProcessKill(dependencies),
        new MemoryTrim(),
        new DiskClean(dependencies),
    ];
}
