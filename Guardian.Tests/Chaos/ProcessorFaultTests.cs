using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Resources;
using Guardian.Tests.Leasekeeping;

namespace Guardian.Tests.Chaos;

/// <summary>Faults of the processor, and how this machine is measured meanwhile.</summary>
public sealed class ProcessorFaultTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [LinuxFact]
    public async Task Burners_wait_until_their_end_is_secured_then_burn_and_are_ended_with_all_that_they_started()
    {
        await using var keeper = new LeasekeeperFixture();
        using var withdraw = new CancellationTokenSource();
        using var host = HostLoad.OfThisMachine(TimeProvider.System);
        IReadOnlyList<ProcessIdentity> burners = [];
        var context = new FaultContext(new ScriptedTarget(), new DrillClock(TimeProvider.System), "drill", 1)
        {
            Host = host,
            Secure = async undo =>
            {
                burners = [.. undo.Cast<KillProcess>().Select(x => x.Process)];
                burners.Should().NotBeEmpty().And.OnlyContain(x => x.Alive);
                burners.Should().OnlyContain(x => Ticks(x) == 0, "nobody burns before the undo is on disk");
                await keeper.Keeper.TakeAsync(LeasekeeperFixture.Lease("burn", TimeSpan.FromMinutes(1), [.. undo]), withdraw.Token);
            },
        };
        var fault = new CpuBurn().RunAsync(new CpuBurn.Input(TimeSpan.FromMinutes(1)), context, withdraw.Token);
        await Await.UntilAsync(() => host.Latest.Shares is { Fault: > 1 } shares && shares.Machine >= shares.Others, Soon);
        keeper.OnDisk.Should().ContainSingle();

        await withdraw.CancelAsync();
        await fault;
        await Await.UntilAsync(() => burners.All(x => !x.Alive), Soon);
        await Await.UntilAsync(() => host.Latest.Shares is { Fault: 0 }, Soon);
    }

    [LinuxFact]
    public async Task The_leasekeeper_ends_burners_whose_runner_is_gone_and_they_go_by_themselves_when_it_dies_before()
    {
        await using var keeper = new LeasekeeperFixture();
        using (var burners = BurnerCrew.Prepare(2, TimeSpan.FromMinutes(1), whole: true))
        {
            await keeper.Keeper.TakeAsync(LeasekeeperFixture.Lease("burn", TimeSpan.FromMinutes(1), [.. burners.Processes.Select(x => new KillProcess(x))]), default);
            burners.Begin();
            var workers = new List<ProcessEntry>();
            await Await.UntilAsync(() => (workers = [.. Tree(burners.Processes)]).Exists(x => x.CpuTicks > 0), Soon);
            (await keeper.Keeper.ReleaseAsync("burn", default)).Should().BeTrue();
            await Await.UntilAsync(() => workers.TrueForAll(x => !new ProcessIdentity(x.Pid, x.StartTicks).Alive), Soon);
        }

        // The end of their input is what a runner's death is to them.
        var held = BurnerCrew.Prepare(2, TimeSpan.FromMinutes(1), whole: false);
        held.Processes.Should().HaveCount(2).And.OnlyContain(x => x.Alive);
        held.Abandon();
        await Await.UntilAsync(() => held.Processes.All(x => !x.Alive), Soon);
        held.Dispose();
    }

    [Fact]
    public void The_faults_share_and_that_of_others_come_from_the_trees()
    {
        ProcessUse Use(int pid, double tree) => new(new ProcessEntry(pid, 1, pid * 10, "x", 0, 0), tree, tree, 0);
        var shares = LoadShares.Of(90, [Use(1, 90), Use(7, 55), Use(8, 40), Use(9, 3)], new HashSet<ProcessIdentity> { new(8, 80), new(9, 1) }, 7);
        shares.Should().Be(new LoadShares(90, 40, 35), "a pid with another start time is another process");
        LoadShares.Of(50, [Use(7, 60)], new HashSet<ProcessIdentity>(), 7).Others.Should().Be(0, "ticks of different moments overlap");
    }

    [Theory]
    [InlineData("kind: cpu.burn, with: { for: 10s, percent: 5 }", "10 to 100")]
    [InlineData("kind: cpu.burn, with: { for: 40s }", "ends the fault before")]
    [InlineData("kind: cpu.burn, with: { for: 10s, processes: 0 }", "1 to 256")]
    [InlineData("kind: kernel.misbehave, with: { kernel: burner, for: 30s }", "ends the fault before")]
    public void A_wrong_input_is_an_error_at_load(string fault, string message)
    {
        var text = ChaosTexts.SpamText.Replace("kind: bus.flood, with: { principal: rogue, topic: system.control, count: 100, over: 400ms }", fault, StringComparison.Ordinal);
        ScenarioLoader.Load([("x.yaml", text)]).Errors.Should().Contain(x => x.Message.Contains(message, StringComparison.Ordinal));
    }

    private static long Ticks(ProcessIdentity process) => new LinuxProcessReader(TimeProvider.System).Find(process.Pid)!.Value.CpuTicks;

    private static IEnumerable<ProcessEntry> Tree(IReadOnlyList<ProcessIdentity> leaders)
    {
        var all = new LinuxProcessReader(TimeProvider.System).Scan().Processes;
        return leaders.SelectMany(x => ProcessUsage.Tree(all, x.Pid));
    }
}
