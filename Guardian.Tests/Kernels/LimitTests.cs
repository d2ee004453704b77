using System.Globalization;
using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;
using Xunit.Abstractions;

namespace Guardian.Tests.Kernels;

/// <summary>What the operating system's control groups do to real processes.</summary>
public sealed class LimitTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly Task Never = new TaskCompletionSource().Task;
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-limits-");
    private readonly string _name = $"guardian-test-{Guid.NewGuid():N}";

    public void Dispose()
    {
        ProcessInstance.SweepAsync(_root.FullName, []).Wait(Soon); // what a failed test has left
        _root.Delete(recursive: true);
        ControlGroup.Find(_name, new LimitSpec())?.Remove();
    }

    private (ProcessInstance Instance, ControlGroup? Group) Start(LimitSpec limits, params string[] command)
    {
        var kernel = new KernelDefinition { Name = "k", Type = KernelType.Process, Process = new ProcessSpec { Command = command, Limits = limits } };
        var group = ControlGroup.Find(_name, limits);
        return (ProcessInstance.Start(new InstanceFolder(_root.FullName, "k", 0), kernel, 0, 1, DateTimeOffset.UtcNow, group), group);
    }

    private static async Task EndAsync(ProcessInstance instance)
    {
        await instance.StopAsync(TimeSpan.Zero, Never);
        await instance.Ended.WaitAsync(Soon);
    }

    [ControlGroupFact]
    public async Task More_memory_than_allowed_ends_the_process_and_says_why()
    {
        var (instance, _) = Start(new LimitSpec(Memory: 32 * 1024 * 1024), "sh", "-c", "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}");
        instance.Unlimited.Should().BeNull();
        (await instance.Ended.WaitAsync(Soon)).Should().Be("signal 9, out of the memory that it may use");
    }

    [ControlGroupFact]
    public async Task More_processes_than_allowed_are_not_started()
    {
        var (instance, _) = Start(new LimitSpec(Processes: 5), "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait");
        await Await.UntilAsync(() => instance.Processes().Count >= 4 || instance.Ended.IsCompleted, Soon);
        instance.Processes().Count.Should().BeLessThanOrEqualTo(5);
        await EndAsync(instance);
    }

    [ControlGroupFact]
    public async Task A_limit_and_a_throttle_of_the_CPU_hold_and_the_end_of_the_throttle_leaves_the_limit()
    {
        var (instance, group) = Start(new LimitSpec(Cpu: 0.8), "sh", "-c", "while :; do :; done");
        var limited = await UsedAsync(instance);
        var keeper = new Undoing();
        var restriction = new ProcessRestriction(keeper, "k", 0, group, groupStays: true);
        await restriction.ApplyAsync(instance, 50, TimeSpan.FromMinutes(1), "test", default);
        var throttled = await UsedAsync(instance);
        await restriction.FreeAsync(default);
        var freed = await UsedAsync(instance);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cores used under a limit of 0.8: {limited:F2}, throttled to 50 %: {throttled:F2}, afterwards: {freed:F2}"));
        (limited, throttled, freed).Should().Match<(double Limited, double Throttled, double Freed)>(x => x.Limited < 0.9 && x.Throttled < 0.6 && x.Freed < 0.9);
        File.ReadAllText(group!.QuotaFile).Trim().Should().Be(group.Unthrottled);
        await EndAsync(instance);
    }

    [LinuxFact]
    public async Task Where_no_group_can_be_made_it_runs_and_says_so()
    {
        var kernel = new KernelDefinition { Name = "k", Type = KernelType.Process, Process = new ProcessSpec { Command = ["sleep", "1000"], Limits = new LimitSpec(Cpu: 1) } };
        var instance = ProcessInstance.Start(new InstanceFolder(_root.FullName, "k", 0), kernel, 0, 1, DateTimeOffset.UtcNow);
        instance.Unlimited.Should().NotBeNullOrEmpty();
        instance.Identity.Alive.Should().BeTrue();
        await EndAsync(instance);
    }

    [Fact]
    public void A_group_is_made_below_the_own_one_or_beside_it_where_it_is_the_subgroup_of_a_delegated_one()
    {
        var root = _root.FullName;
        Directory.CreateDirectory(Path.Combine(root, "system.slice", "guardian.service", "guardian"));
        Directory.CreateDirectory(Path.Combine(root, "docker", "x"));
        string Parent(string path, string controller = "") => ControlGroup.Parent(root, [["4", "memory", "/elsewhere"], ["1", "cpu,cpuacct", path], ["0", "", path]], controller);
        Parent("/system.slice/guardian.service/guardian").Should().Be(Path.Combine(root, "system.slice", "guardian.service"));
        Parent("/docker/x", "cpu").Should().Be(Path.Combine(root, "docker", "x"));
        Parent("/not/seen/from/here", "cpu").Should().Be(root);
        Parent("/docker/x", "memory").Should().Be(root);
    }

    [ControlGroupFact]
    public void A_missing_program_is_said_also_where_it_is_limited()
    {
        var missing = () => Start(new LimitSpec(Cpu: 1), "/no/such/program");
        missing.Should().Throw<ProcessStartException>().WithMessage("*'/no/such/program'*No such file*");
    }

    [ControlGroupFact]
    public async Task Groups_that_nobody_is_in_are_removed_by_any_node_unless_they_are_new()
    {
        var (left, made, entered) = (Group("left"), Group("made"), Group("entered"));
        var (instance, _) = Start(new LimitSpec(), "sleep", "1000");
        entered.Add(instance.Identity);
        foreach (var group in new[] { left, made, entered }) Age(group);
        made.Create(); // about to be entered
        ControlGroup.RemoveUnused();
        Directory.Exists(Folder(left)).Should().BeFalse();
        Directory.Exists(Folder(made)).Should().BeTrue();
        Directory.Exists(Folder(entered)).Should().BeTrue();
        await instance.StopAsync(TimeSpan.Zero, Task.CompletedTask);
        made.Remove();
        entered.Remove();

        ControlGroup Group(string name)
        {
            var group = ControlGroup.Find($"{_name}-{name}", new LimitSpec())!;
            group.Create();
            return group;
        }

        static string Folder(ControlGroup group) => Path.GetDirectoryName(group.Doors[0])!;

        static void Age(ControlGroup group)
        {
            foreach (var door in group.Doors) Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(door)!, DateTime.UtcNow.AddMinutes(-2));
        }
    }

    private static Task<double> UsedAsync(ProcessInstance instance) => CpuUse.MeasureAsync(instance.Processes, TimeSpan.FromSeconds(2), default);

    /// <summary>A keeper that undoes at once when it is asked to.</summary>
    private sealed class Undoing : ILeasekeeper
    {
        private readonly Dictionary<string, OsLease> _leases = [];

        public string? Unsupported => null;

        public TimeSpan Longest => TimeSpan.FromHours(1);

        public Task TakeAsync(OsLease lease, CancellationToken cancellation)
        {
            _leases[lease.Id] = lease;
            return Task.CompletedTask;
        }

        public Task<bool> RenewAsync(string id, TimeSpan length, CancellationToken cancellation) => Task.FromResult(_leases.ContainsKey(id));

        public async Task<bool> ReleaseAsync(string id, CancellationToken cancellation)
        {
            if (!_leases.Remove(id, out var lease)) return false;
            using var work = new UndoWork();
            (await work.RunAsync(lease with { Boot = UndoWork.Boot })).Should().BeNull();
            return true;
        }

        public Task<bool> ForgetAsync(string id, CancellationToken cancellation) => Task.FromResult(_leases.Remove(id));

        public Task<IReadOnlyList<OsLease>> ListAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<OsLease>>([.. _leases.Values]);
    }
}

/// <summary>Skips where this process cannot make control groups.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ControlGroupFactAttribute : FactAttribute
{
    /// <summary>Tries it.</summary>
    public ControlGroupFactAttribute()
    {
        try
        {
            var group = ControlGroup.Find($"guardian-try-{Environment.ProcessId}", new LimitSpec(1, 64 * 1024 * 1024, 100));
            if (group is null) Skip = ControlGroup.Unsupported ?? "there are no control groups here";
            else group.Create();
            group?.Remove();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Skip = $"control groups cannot be made here: {e.Message}";
        }
    }
}
