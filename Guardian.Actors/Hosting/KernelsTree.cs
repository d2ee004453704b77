using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Resources;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Hosting;

/// <summary>The kernels' part of the tree.</summary>
/// <param name="Supervisor">KernelSupervisor.</param>
/// <param name="Scheduler">WorkScheduler.</param>
/// <param name="Directory">The node's kernels.</param>
/// <param name="Catalog">What is declared.</param>
/// <param name="World">What kernels work with.</param>
internal sealed record KernelsTree(IActorRef Supervisor, IActorRef Scheduler, KernelDirectory Directory, KernelCatalog Catalog, KernelWorld World)
{
    /// <summary>Begins at once with the kernels; each waits by itself for what it depends on.</summary>
    public static KernelsTree Start(IActorContext context, GuardianCore core, IMessageBus bus)
    {
        var world = new KernelWorld
        {
            Time = core.Time, Hearts = new HeartbeatBoard(core.Time), Folder = InstanceFolder.Root(core.Data.FullPath),
            Register = (name, owner) => bus.RegisterAsync(name, owner),
            Node = core.Data.NodeName, Scheduler = new SchedulerBoard(), Leasekeeper = core.Leasekeeper,
        };
        var scheduler = context.ActorOf(WorkScheduler.Props(
            new SchedulerMemory(core.Data.NodeName, world.Scheduler, new LeaseSet<SchedulerMode>(core.Time)), world.Register, core.Time).WithDispatcher(GuardianHocon.Dispatcher), "scheduler");
        var directory = new KernelDirectory();
        var memory = new SupervisorMemory(core.Kernels, directory, new KernelLeases(core.Time, core.Data.NodeName),
            KernelScales.Load(world.Folder, x => context.System.Log.Warning("{0}", x)));
        var supervisor = context.ActorOf(KernelSupervisor.Props(memory, world).WithDispatcher(GuardianHocon.Heartbeats), "kernels");
        if (core.Options.Files.Watch && core.Kernels.Path is not null)
            context.ActorOf(KernelWatcher.Props(core.Kernels, supervisor).WithDispatcher(GuardianHocon.Dispatcher), "kernels-file");
        context.ActorOf(JobsOverBus.Props(supervisor, world.Register).WithDispatcher(GuardianHocon.Dispatcher), "jobs");
        TimeSpan within = core.Options.Kernels.ShutdownWithin;
        CoordinatedShutdown.Get(context.System).AddTask(GuardianHocon.KernelsPhase, "guardian-kernels", async () =>
        {
            await supervisor.Ask<KernelsEnded>(new EndKernels(within), within + TimeSpan.FromSeconds(4));
            return Akka.Done.Instance;
        });
        return new KernelsTree(supervisor, scheduler, directory, core.Kernels, world);
    }

    /// <summary>The processes that lead the kernels, and what may be done to them.</summary>
    public IReadOnlyList<KernelTree> Trees() => [.. Directory.All.Where(x => x.Type == KernelType.Process)
        .Select(x => new KernelTree(x.Name, x.Remediation == OperatingMode.Enforce, [.. x.Instances.Select(y => y.Process).OfType<ProcessIdentity>()], x.Percent))];

    /// <summary>
    /// Every critical kernel runs, or was ended on command; one that was stopped because it crashed in a loop is neither. Others may come later: the
    /// node starts without them.
    /// </summary>
    public Task ContractAsync()
    {
        var missing = Catalog.Current.Kernels.Where(x => x.Criticality == KernelCriticality.Critical)
            .Select(x => (x.Name, View: Directory.Find(x.Name))).Where(x => x.View is not ({ State: KernelState.Running } or { State: KernelState.Stopped, CrashLoops: 0 })).ToList();
        return missing.Count == 0
            ? Task.CompletedTask
            : Task.FromException(new InvalidOperationException(string.Join("; ", missing.Select(x => $"critical kernel '{x.Name}' is not running ({x.View?.State.ToString() ?? "unknown"}{(x.View?.Reason is { } why ? ": " + why : "")})"))));
    }
}
