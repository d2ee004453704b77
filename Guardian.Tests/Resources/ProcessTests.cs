using System.Diagnostics;
using Guardian.Actors.Resources;

namespace Guardian.Tests.Resources;

public sealed class ProcessTests : IDisposable
{
    private readonly MachineFixture _machine = new();

    public void Dispose() => _machine.Dispose();

    private void Process(int pid, int parent, string name, long user, long system = 0, long start = 100, long pages = 10, char state = 'S') =>
        _machine.Write($"proc/{pid}/stat", $"{pid} ({name}) {state} {parent} 1 1 0 -1 4194304 99 0 0 0 {user} {system} 0 0 20 0 1 0 {start} 3133440 {pages} 18446744073709551615 1 1 0 0 0\n");

    [Fact]
    public void A_name_may_hold_anything_and_the_dead_are_left_out()
    {
        Process(10, 1, "a) S (b c)", user: 5, system: 7, start: 42, pages: 3);
        Process(11, 10, "gone", user: 1, state: 'Z');
        _machine.Write("proc/12/stat", "12 (broken");
        var reader = new LinuxProcessReader(_machine.Time, _machine.Root);

        var found = reader.Scan().Processes.Should().ContainSingle().Subject;

        found.Should().Be(new ProcessEntry(10, 1, 42, "a) S (b c)", 12, 3 * Environment.SystemPageSize));
        reader.Find(10).Should().Be(found);
        reader.Find(11).Should().BeNull();
        reader.Find(99).Should().BeNull();
    }

    [Fact]
    public void Use_is_a_share_of_the_capacity_with_its_tree_and_a_reused_id_is_another_process()
    {
        Process(10, 1, "parent", user: 100);
        Process(11, 10, "child", user: 100);
        Process(12, 1, "old", user: 9_000, start: 100);
        var reader = new LinuxProcessReader(_machine.Time, _machine.Root);
        var before = reader.Scan();
        _machine.Time.Advance(TimeSpan.FromSeconds(10));
        Process(10, 1, "parent", user: 200);
        Process(11, 10, "child", user: 1_100, pages: 90);
        Process(12, 1, "new", user: 50, start: 777);

        var use = ProcessUsage.Between(before, reader.Scan(), cores: 2).ToDictionary(x => x.Process.Pid);

        use[10].CpuPercent.Should().BeApproximately(5, 0.001);
        use[11].CpuPercent.Should().BeApproximately(50, 0.001);
        use[10].TreePercent.Should().BeApproximately(55, 0.001);
        use[10].TreeBytes.Should().Be(100L * Environment.SystemPageSize);
        use[12].CpuPercent.Should().BeApproximately(2.5, 0.001, "the old process of this id is not its past");
        ProcessUsage.Top(use.Values, 2, byMemory: false).Select(x => x.Process.Pid).Should().Equal(11, 10);
        ProcessUsage.Top(use.Values, 1, byMemory: true).Single().Process.Pid.Should().Be(11);
    }

    [Fact]
    public void A_tree_is_the_process_and_all_below_it_and_a_loop_ends()
    {
        ProcessEntry At(int pid, int parent) => new(pid, parent, 1, "x", 0, 0);
        ProcessUsage.Tree([At(1, 0), At(2, 1), At(3, 2), At(4, 1), At(9, 0)], 1).Select(x => x.Pid).Should().Equal(1, 2, 4, 3);
        ProcessUsage.Tree([At(1, 2), At(2, 1)], 1).Select(x => x.Pid).Should().Equal(1, 2);
        ProcessUsage.Tree([At(1, 0)], 5).Should().BeEmpty();
        var now = new ProcessSnapshot(default, TimeSpan.FromSeconds(1), [At(1, 2), At(2, 1)]);
        ProcessUsage.Between(now with { Clock = TimeSpan.Zero }, now, 1).Should().HaveCount(2);
        ProcessUsage.Between(now, now, 1).Should().BeEmpty("no time has passed");
    }

    [Fact]
    public void A_real_child_is_seen_with_its_parent_and_group()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var child = System.Diagnostics.Process.Start(new ProcessStartInfo("sleep", ["60"]))!;
        try
        {
            var reader = new LinuxProcessReader(TimeProvider.System);
            var found = reader.Scan().Processes.Single(x => x.Pid == child.Id);
            found.ParentPid.Should().Be(Environment.ProcessId);
            reader.Find(child.Id)!.Value.StartTicks.Should().Be(found.StartTicks);
            reader.CgroupOf(child.Id).Should().StartWith("/");
        }
        finally
        {
            child.Kill();
        }
    }
}
