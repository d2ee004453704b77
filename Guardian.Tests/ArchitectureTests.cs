using ArchUnitNET.Domain;
using ArchUnitNET.Fluent;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Guardian.Tests;

/// <summary>Dependencies point one way: Host ▶ Actors ▶ Playbooks; what decides knows neither Akka nor a clock.</summary>
public sealed class ArchitectureTests
{
    private static readonly Architecture Product = new ArchLoader()
        .LoadAssemblies(
            typeof(Guardian.Playbooks.IGuardianMessage).Assembly,
            typeof(Guardian.Actors.Hosting.GuardianOptions).Assembly,
            typeof(Program).Assembly,
            typeof(Akka.Actor.ActorSystem).Assembly)
        .Build();

    private static readonly IObjectProvider<IType> Playbooks = Types().That().ResideInNamespaceMatching(@"^Guardian\.Playbooks").As("Guardian.Playbooks");
    private static readonly IObjectProvider<IType> Actors = Types().That().ResideInNamespaceMatching(@"^Guardian\.Actors").As("Guardian.Actors");
    private static readonly IObjectProvider<IType> Host = Types().That().ResideInNamespaceMatching(@"^Guardian\.Host").As("Guardian.Host");
    private static readonly IObjectProvider<IType> Akka = Types().That().ResideInNamespaceMatching(@"^Akka").As("Akka");

    [Fact]
    public void Playbooks_know_no_Akka() => Types().That().Are(Playbooks).Should().NotDependOnAny(Akka).Check(Product);

    [Fact]
    public void Playbooks_know_neither_actors_nor_host() =>
        Types().That().Are(Playbooks).Should().NotDependOnAny(Actors).AndShould().NotDependOnAny(Host).Check(Product);

    [Fact]
    public void Actors_do_not_know_the_host() => Types().That().Are(Actors).Should().NotDependOnAny(Host).Check(Product);

    /// <summary>What decides: events and times in, decisions out.</summary>
    public static TheoryData<System.Type> Deciding => new(
        typeof(Guardian.Actors.Access.AccessPolicy), typeof(Guardian.Actors.Actions.AgentLedger), typeof(Guardian.Actors.Blacklisting.BanBook),
        typeof(Guardian.Actors.Chaos.DrillJudge), typeof(Guardian.Actors.Chaos.HistoryChecker),
        typeof(Guardian.Actors.Incidents.IncidentLogic), typeof(Guardian.Actors.Incidents.IncidentState), typeof(Guardian.Actors.Incidents.ViolationCounts),
        typeof(Guardian.Actors.Leasekeeping.LeaseBook), typeof(Guardian.Actors.Monitoring.AclDetector), typeof(Guardian.Actors.Monitoring.ClusterDetector), typeof(Guardian.Actors.Monitoring.BusDetector), typeof(Guardian.Actors.Monitoring.SignalBook), typeof(Guardian.Actors.Relay.RelayLedger), typeof(Guardian.Actors.Monitoring.DigestLedger), typeof(Guardian.Actors.Monitoring.RaiseBook),
        typeof(Guardian.Actors.Monitoring.PressureRule), typeof(Guardian.Actors.Monitoring.SensorRule), typeof(Guardian.Actors.Monitoring.ResourceDetector),
        typeof(Guardian.Actors.Resources.ProcessUsage), typeof(Guardian.Actors.Replay.TraceReplay), typeof(Guardian.Actors.Replay.HeartbeatTrace),
        typeof(Guardian.Actors.Notifications.OutboxLogic), typeof(Guardian.Actors.Notifications.OutboxState), typeof(Guardian.Actors.Notifications.TaskBook),
        typeof(Guardian.Actors.Notifications.IssueText), typeof(Guardian.Actors.Silencing.SilenceMatcher),
        typeof(Guardian.Actors.Kernels.ReplicaMachine), typeof(Guardian.Actors.Kernels.RestartPolicy), typeof(Guardian.Actors.Kernels.KernelScaling), typeof(Guardian.Actors.Kernels.KernelOrder),
        typeof(Guardian.Actors.Kernels.JobBook), typeof(Guardian.Actors.Kernels.JobRules), typeof(Guardian.Actors.Kernels.JobOrders), typeof(Guardian.Actors.Scheduling.JobQueue),
        typeof(Guardian.Actors.Monitoring.HeartbeatDetector),
        typeof(Guardian.Playbooks.Execution.RunMachine), typeof(Guardian.Playbooks.Execution.RunState));

    [Theory]
    [MemberData(nameof(Deciding))]
    public void What_decides_knows_no_Akka_and_no_clock(System.Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        Types().That().HaveFullName(type.FullName).Should().NotDependOnAny(Akka)
            .AndShould().NotDependOnAnyTypesThat().HaveFullName("System.TimeProvider").Check(Product);
    }

    [Fact]
    public void Playbooks_reference_no_Akka_assembly() =>
        typeof(Guardian.Playbooks.IGuardianMessage).Assembly.GetReferencedAssemblies()
            .Should().NotContain(x => x.Name!.StartsWith("Akka", StringComparison.Ordinal));
}
