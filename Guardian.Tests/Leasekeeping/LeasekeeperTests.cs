using Guardian.Actors.Leasekeeping;
using static Guardian.Tests.Leasekeeping.LeasekeeperFixture;

namespace Guardian.Tests.Leasekeeping;

/// <summary>A real keeper process, real signals, a real disk.</summary>
public sealed class LeasekeeperTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [LinuxFact]
    public async Task It_undoes_at_the_deadline_by_itself()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("pause", TimeSpan.FromSeconds(3), new ResumeProcess(victim.Identity)), default);
        fixture.OnDisk.Should().ContainSingle("it is on disk when it is answered");
        await victim.StopAsync();
        await Eventually.HoldsAsync(() => !victim.Stopped);
        await Eventually.HoldsAsync(() => fixture.OnDisk.Count == 0);
        victim.Alive.Should().BeTrue();
    }

    [LinuxFact]
    public async Task Released_is_undone_when_it_is_answered_and_forgotten_is_not()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(victim.Identity)), default);
        await victim.StopAsync();
        (await fixture.Keeper.ReleaseAsync("pause", default)).Should().BeTrue();
        await Eventually.HoldsAsync(() => !victim.Stopped);
        (await fixture.Keeper.ReleaseAsync("pause", default)).Should().BeFalse("it is undone already");

        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(victim.Identity)), default);
        await victim.StopAsync();
        (await fixture.Keeper.ForgetAsync("pause", default)).Should().BeTrue();
        fixture.OnDisk.Should().BeEmpty();
        victim.Stopped.Should().BeTrue();
    }

    [LinuxFact]
    public async Task A_renewed_lease_holds_and_a_lapsed_one_is_not_renewed()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("pause", TimeSpan.FromSeconds(20), new ResumeProcess(victim.Identity)), default);
        await victim.StopAsync();
        (await fixture.Keeper.RenewAsync("pause", TimeSpan.FromMilliseconds(200), default)).Should().BeTrue();
        await Eventually.HoldsAsync(() => !victim.Stopped, "renewed to a shorter time", 15);
        await Eventually.HoldsAsync(() => fixture.OnDisk.Count == 0);
        (await fixture.Keeper.RenewAsync("pause", Long, default)).Should().BeFalse();
    }

    [LinuxFact]
    public async Task A_killed_keeper_is_replaced_and_nothing_is_lost()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(victim.Identity)), default);
        await victim.StopAsync();
        var first = fixture.Keeper.ProcessId!.Value;
        await Victim.SignalAsync("KILL", first);

        var lease = (await fixture.Keeper.ListAsync(default)).Should().ContainSingle().Which;
        fixture.Keeper.ProcessId.Should().NotBe(first);
        (lease.Id, lease.Undo.Single()).Should().Be(("pause", new ResumeProcess(victim.Identity)));
        victim.Stopped.Should().BeTrue("the keeper's death alone undoes nothing");
        await fixture.Keeper.ReleaseAsync("pause", default);
        await Eventually.HoldsAsync(() => !victim.Stopped);
    }

    [LinuxFact]
    public async Task A_new_keeper_undoes_what_is_overdue_and_adopts_the_rest()
    {
        using var overdue = Victim.Start();
        using var adopted = Victim.Start();
        await overdue.StopAsync();
        await adopted.StopAsync();
        await using var fixture = new LeasekeeperFixture();
        await fixture.Keeper.ListAsync(default);
        var files = new LeaseFiles(fixture.Directory);
        var now = DateTimeOffset.UtcNow;
        files.Write(Lease("overdue", Long, new ResumeProcess(overdue.Identity)) with { Until = now.AddSeconds(-1), Boot = UndoWork.Boot });
        files.Write(Lease("adopted", Long, new ResumeProcess(adopted.Identity)) with { Until = now.AddMinutes(5), Boot = UndoWork.Boot });
        await Victim.SignalAsync("KILL", fixture.Keeper.ProcessId!.Value);

        await Eventually.HoldsAsync(() => !overdue.Stopped && fixture.OnDisk.Count == 1);
        (await fixture.Keeper.ListAsync(default)).Select(x => x.Id).Should().Equal("adopted");
        adopted.Stopped.Should().BeTrue();
    }

    [LinuxFact]
    public async Task A_storm_of_signals_to_end_does_not_reach_it()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(victim.Identity)), default);
        var pid = fixture.Keeper.ProcessId!.Value;
        ProcessStat.TryRead(pid, out var keeper).Should().BeTrue();
        keeper.Session.Should().Be(pid, "signals to the node's group or terminal do not come here");
        foreach (var signal in (string[])["TERM", "INT", "HUP", "TERM"]) await Victim.SignalAsync(signal, pid);
        (await fixture.Keeper.ListAsync(default)).Should().ContainSingle();
        fixture.Keeper.ProcessId.Should().Be(pid);
    }

    [LinuxFact]
    public async Task Another_process_under_the_same_pid_is_not_touched()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        var former = victim.Identity with { Start = victim.Identity.Start - 1 };
        await Refused(fixture, Lease("kill", Long, new KillProcess(former)), "is not running");
        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(former)), default);
        (await fixture.Keeper.ReleaseAsync("pause", default)).Should().BeTrue("there is nothing to resume");

        // As after a crash: the lease is on disk, and its process's pid is somebody else's by now.
        await victim.StopAsync();
        new LeaseFiles(fixture.Directory).Write(Lease("stale", Long, new ResumeProcess(former), new KillProcess(former)) with { Until = DateTimeOffset.UtcNow.AddSeconds(-1), Boot = UndoWork.Boot });
        await Victim.SignalAsync("KILL", fixture.Keeper.ProcessId!.Value);
        await fixture.Keeper.ListAsync(default);
        await Eventually.HoldsAsync(() => fixture.OnDisk.Count == 0);
        (victim.Alive, victim.Stopped).Should().Be((true, true));
    }

    [LinuxFact]
    public async Task It_kills_only_what_this_node_started()
    {
        await using var fixture = new LeasekeeperFixture();
        using var own = Victim.Start();
        await fixture.Keeper.TakeAsync(Lease("burner", Long, new KillProcess(own.Identity)), default);
        await Refused(fixture, Lease("init", Long, new KillProcess(ProcessIdentity.Of(1)!)), "was not started by this node");
        await fixture.Keeper.ReleaseAsync("burner", default);
        own.Alive.Should().BeFalse();
    }

    [LinuxFact]
    public async Task Files_folders_and_nice_values_are_given_back()
    {
        await using var fixture = new LeasekeeperFixture();
        using var victim = Victim.Start();
        var file = Path.Combine(fixture.Scratch, "cpu.max");
        var folder = Path.Combine(fixture.Scratch, "guardian-fill");
        await File.WriteAllTextAsync(file, "max 100000");
        List<LeaseUndo> undo = [new RestoreFile(file, "max 100000"), new DeletePath(folder)];
        if (Posix.IsRoot) undo.Add(new ReniceProcess(victim.Identity, victim.Nice));
        await fixture.Keeper.TakeAsync(Lease("throttle", Long, [.. undo]), default);
        await File.WriteAllTextAsync(file, "50000 100000 and more");
        Directory.CreateDirectory(Path.Combine(folder, "deep"));
        Posix.Renice(victim.Identity, 10);
        victim.Nice.Should().Be(10);

        await fixture.Keeper.ReleaseAsync("throttle", default);
        (await File.ReadAllTextAsync(file)).Should().Be("max 100000");
        Directory.Exists(folder).Should().BeFalse();
        if (Posix.IsRoot) victim.Nice.Should().Be(0);
    }

    [LinuxFact]
    public async Task What_is_gone_together_with_the_folder_around_it_is_deleted()
    {
        await using var fixture = new LeasekeeperFixture();
        var around = Path.Combine(fixture.Scratch, "guardian-drill");
        var node = Path.Combine(around, "guardian-n1");
        Directory.CreateDirectory(node);
        await fixture.Keeper.TakeAsync(Lease("node", Long, new DeletePath(node)), default);
        await fixture.Keeper.TakeAsync(Lease("drill", Long, new DeletePath(around)), default);
        await fixture.Keeper.ReleaseAsync("drill", default);
        Directory.Exists(around).Should().BeFalse();
        await fixture.Keeper.ReleaseAsync("node", default);
    }

    [LinuxFact]
    public async Task An_undo_that_fails_is_said_and_repeated_until_it_succeeds()
    {
        await using var fixture = new LeasekeeperFixture();
        var file = Path.Combine(fixture.Scratch, "cpu.max");
        await File.WriteAllTextAsync(file, "before");
        await fixture.Keeper.TakeAsync(Lease("restore", Long, new RestoreFile(file, "before")), default);
        await File.WriteAllTextAsync(file, "after");
        using (new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None)) // held: nobody else of .NET opens it
        {
            var release = () => fixture.Keeper.ReleaseAsync("restore", default);
            (await release.Should().ThrowAsync<LeaseRefusedException>()).Which.Message.Should().Contain("cpu.max");
        }

        await Eventually.HoldsAsync(() => File.ReadAllText(file) == "before");
        fixture.Said.Should().Contain(x => x.Contains("failed 1 times", StringComparison.Ordinal));
    }

    [LinuxFact]
    public async Task What_it_could_not_or_may_not_undo_is_refused_before_the_effect()
    {
        await using var fixture = new LeasekeeperFixture();
        await Refused(fixture, Lease("none", Long), "1 to 256 undos");
        await Refused(fixture, Lease("long", TimeSpan.FromHours(2), new DeletePath("/tmp/guardian-x")), "at most");
        await Refused(fixture, Lease("delete", Long, new DeletePath("/etc")), "is not Guardian's own");
        await Refused(fixture, Lease("delete", Long, new DeletePath("/tmp/guardian-x/../../etc")), "plain absolute path");
        await Refused(fixture, Lease("unmount", Long, new Unmount("/proc")), "is not Guardian's own");
        await Refused(fixture, Lease("restore", Long, new RestoreFile("/no/such/file", "")), "no file");
        await Refused(fixture, Lease("call", Long, new CallLoopback("DELETE", new Uri("http://192.0.2.1/"))), "loopback");
        fixture.OnDisk.Should().BeEmpty();
    }

    [LinuxFact]
    public async Task When_the_owner_ends_in_order_everything_is_undone_and_the_keeper_ends()
    {
        using var victim = Victim.Start();
        var fixture = new LeasekeeperFixture();
        await fixture.Keeper.TakeAsync(Lease("pause", Long, new ResumeProcess(victim.Identity)), default);
        await victim.StopAsync();
        var keeper = ProcessIdentity.Of(fixture.Keeper.ProcessId!.Value)!;
        await fixture.DisposeAsync();
        (victim.Stopped, keeper.Alive).Should().Be((false, false));
    }

    private static async Task Refused(LeasekeeperFixture fixture, OsLease lease, string reason)
    {
        var take = () => fixture.Keeper.TakeAsync(lease, default);
        (await take.Should().ThrowAsync<LeaseRefusedException>()).Which.Message.Should().Contain(reason);
    }
}
