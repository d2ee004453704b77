using System.Diagnostics;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Actions.Probes;
using Guardian.Actors.Kernels;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Model;
using Guardian.Tests.Monitoring;

namespace Guardian.Tests.Actions;

public sealed class ResourceActionTests : IDisposable
{
    private static readonly ActionContext Run = new("run-1/step", "run-1", "resource/cpu/n", "i-1", "p");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-clean-");
    private readonly List<Process> _children = [];
    private readonly CleanOptions _clean = new();
    private readonly KernelDirectory _directory = new();
    private IReadOnlyList<KernelTree> _kernels = [];
    private Func<IResourceSampler> _sampler = () => ResourceSamplers.Create([], TimeProvider.System);

    public void Dispose()
    {
        foreach (var child in _children)
        {
            if (!child.HasExited) child.Kill(entireProcessTree: true);
            child.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private GuardianRegistry Registry()
    {
        var dependencies = new ActionDependencies
        {
            Blacklist = ActorRefs.Nobody, Bus = ActorRefs.Nobody, Outbox = ActorRefs.Nobody, Time = TimeProvider.System, CountViolations = (_, _, _) => Task.FromResult(0L),
            Resources = new ResourceMeter { Sampler = () => _sampler(), Processes = ResourceSamplers.Processes(TimeProvider.System), Time = TimeProvider.System, Kernels = () => _kernels },
            Clean = _clean, Kernels = _directory,
        };
        return new GuardianRegistry([], BuiltInActions.Create(dependencies), BuiltInProbes.Create(dependencies));
    }

    private Task<JsonElement> ExecuteAsync(string name, string input, Func<string?>? held = null)
    {
        Registry().TryGetAction(name, out var action);
        return action!.ExecuteAsync(JsonElement.Parse(input), held is null ? Run : Run with { Held = held }, CancellationToken.None);
    }

    private Task<JsonElement> MeasureAsync(string name, string input)
    {
        Registry().TryGetProbe(name, out var probe);
        return probe!.MeasureAsync(JsonElement.Parse(input), CancellationToken.None);
    }

    /// <summary>A shell with a child; both ignore TERM where asked to. It writes a line when it is up.</summary>
    private async Task<Process> ShellAsync(string script)
    {
        var child = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true })!;
        _children.Add(child);
        (await child.StandardOutput.ReadLineAsync()).Should().Be("up");
        return child;
    }

    private static KernelTree Kernel(string name, bool optedIn, Process leader) => new(name, optedIn, [ProcessIdentity.Of(leader.Id)!]);

    private const string Burner = "echo up; while :; do :; done";

    [Fact]
    public async Task A_runaway_of_a_kernel_that_opted_in_is_killed_with_all_below_it_and_a_bystander_lives()
    {
        if (!OperatingSystem.IsLinux()) return;
        var runaway = await ShellAsync("trap '' TERM; (trap '' TERM; while :; do :; done) & echo up; wait");
        var bystander = await ShellAsync("sleep 100 & echo up; wait");
        _kernels = [Kernel("trainer", true, runaway), Kernel("other", true, bystander)];
        var tree = ProcessUsage.Tree(Reader().Scan().Processes, runaway.Id);
        tree.Should().HaveCountGreaterThan(1);

        var output = await ExecuteAsync("process.kill", """{ "kernel": "trainer", "above": "1%", "over": "500ms", "grace": "200ms" }""");

        output.GetProperty("killed").GetBoolean().Should().BeTrue();
        output.GetProperty("count").GetInt32().Should().BeGreaterThanOrEqualTo(tree.Count);
        output.GetProperty("forced").GetInt32().Should().BeGreaterThan(0, "they ignore TERM");
        var evidence = output.GetProperty("processes").EnumerateArray().Single();
        (evidence.GetProperty("pid").GetInt32(), evidence.GetProperty("kernel").GetString()).Should().Be((runaway.Id, "trainer"));
        evidence.GetProperty("treeCpu").GetDouble().Should().BeGreaterThan(1);
        tree.Should().OnlyContain(x => !new ProcessIdentity(x.Pid, x.StartTicks).Alive);
        bystander.HasExited.Should().BeFalse();
    }

    [Fact]
    public async Task A_hold_that_comes_while_it_is_measured_stops_the_kill_and_one_before_KILL_too()
    {
        if (!OperatingSystem.IsLinux()) return;
        var runaway = await ShellAsync("trap '' TERM; echo up; while :; do :; done");
        _kernels = [Kernel("trainer", true, runaway)];
        const string Input = """{ "kernel": "trainer", "above": "1%", "over": "300ms", "grace": "100ms" }""";
        var kill = () => ExecuteAsync("process.kill", Input, held: () => "maintenance");
        await kill.Should().ThrowAsync<ActionUnreachableException>().WithMessage("*maintenance*");

        var asked = 0;
        var late = () => ExecuteAsync("process.kill", Input, held: () => ++asked > 1 ? "maintenance" : null);
        await late.Should().ThrowAsync<ActionFailedException>().WithMessage("*held before KILL*");
        runaway.HasExited.Should().BeFalse();
    }

    private static LinuxProcessReader Reader() => new(TimeProvider.System);

    [Fact]
    public async Task What_is_not_a_kernels_has_not_opted_in_or_is_calm_is_never_killed()
    {
        if (!OperatingSystem.IsLinux()) return;
        var child = await ShellAsync("sleep 100 & echo up; wait");
        var foreign = () => ExecuteAsync("process.kill", """{ "kernel": "nobody", "over": "100ms" }""");
        await foreign.Should().ThrowAsync<ActionFailedException>().WithMessage("*no process kernel*");

        _kernels = [Kernel("shy", false, child)];
        var shy = () => ExecuteAsync("process.kill", """{ "kernel": "shy", "above": "0.001%", "over": "100ms" }""");
        await shy.Should().ThrowAsync<ActionFailedException>().WithMessage("*remediation: enforce*");

        Registry().TryGetAction("process.kill", out var kill);
        var approved = await kill!.ExecuteAsync(JsonElement.Parse("""{ "kernel": "shy", "over": "100ms" }"""), Run with { ApprovedBy = "alice" }, CancellationToken.None);
        approved.GetProperty("reason").GetString().Should().Contain("none of 1", "an operator's approval stands for the opt-in");

        _directory.Set(new KernelView
        {
            Name = "shy", Type = KernelType.Process, Criticality = KernelCriticality.Normal, Class = "batch", State = KernelState.Running, Replicas = new ReplicaSpec(), Remediation = OperatingMode.Observe,
        });
        var left = () => kill!.ExecuteAsync(JsonElement.Parse("""{ "kernel": "shy", "above": "0.001%", "over": "100ms" }"""), Run with { ApprovedBy = "alice" }, CancellationToken.None);
        await left.Should().ThrowAsync<ActionFailedException>("an approval is no opt-in of what is left to people").WithMessage("*remediation: observe*");

        _kernels = [Kernel("calm", true, child)];
        var calm = await ExecuteAsync("process.kill", """{ "kernel": "calm", "over": "200ms" }""");
        calm.GetProperty("killed").GetBoolean().Should().BeFalse();
        calm.GetProperty("reason").GetString().Should().Contain("none of 1 living replicas");

        // Its pid belongs to another process by now.
        _kernels = [new KernelTree("gone", true, [new ProcessIdentity(child.Id, 1)])];
        var gone = await ExecuteAsync("process.kill", """{ "kernel": "gone", "above": "0.001%", "over": "100ms" }""");
        gone.GetProperty("reason").GetString().Should().Contain("none of 0 living replicas");
        child.HasExited.Should().BeFalse();
    }

    [Fact]
    public async Task Guardian_never_kills_itself_or_what_it_runs_under()
    {
        if (!OperatingSystem.IsLinux()) return;
        var self = new KernelTree("self", true, [ProcessIdentity.Of(Environment.ProcessId)!]);
        var parent = new KernelTree("parent", true, [ProcessIdentity.Of(Reader().Find(Environment.ProcessId)!.Value.ParentPid)!]);
        foreach (var kernel in (KernelTree[])[self, parent])
        {
            _kernels = [kernel];
            var kill = () => ExecuteAsync("process.kill", $$"""{ "kernel": "{{kernel.Kernel}}", "above": "0.0001%", "by": "memory", "over": "100ms" }""");
            await kill.Should().ThrowAsync<ActionFailedException>().WithMessage("*nothing was killed*");
        }
    }

    [Fact]
    public async Task The_top_names_the_kernel_that_runs_away()
    {
        if (!OperatingSystem.IsLinux()) return;
        var burner = await ShellAsync(Burner);
        _kernels = [Kernel("burner", false, burner)];

        var output = await ExecuteAsync("processes.top", """{ "n": 20, "over": "500ms", "runawayAbove": "1%" }""");

        output.GetProperty("runaway").GetString().Should().Be("burner");
        output.GetProperty("runawayPercent").GetDouble().Should().BeInRange(1, 100);
        output.GetProperty("processes").EnumerateArray().Should().Contain(x => x.GetProperty("pid").GetInt32() == burner.Id && x.GetProperty("kernel").GetString() == "burner");
        (await ExecuteAsync("processes.top", """{ "over": "100ms", "runawayAbove": "100%" }""")).TryGetProperty("runaway", out _).Should().BeFalse();
        var found = await MeasureAsync("processes.find", """{ "kernel": "burner" }""");
        found.GetProperty("processes").EnumerateArray().Single().GetProperty("pid").GetInt32().Should().Be(burner.Id);
        (await MeasureAsync("processes.find", """{ "name": "no-such-name" }""")).GetProperty("count").GetInt32().Should().Be(0);
        var all = () => MeasureAsync("processes.find", "{}");
        await all.Should().ThrowAsync<ActionFailedException>();
    }

    [Theory]
    [InlineData(97, 100, 97)]
    [InlineData(48.5, 50, 97)]
    [InlineData(60, 50, 100)] // never more than the whole
    [InlineData(10, 10, 20)] // nor more than twice what it does use
    [InlineData(10, 0, 20)] // paused in between
    [InlineData(130, 100, 130)] // the ticks of a quota may overlap a reading
    public void A_throttled_kernel_counts_as_what_it_would_use_without(double uses, int percent, double counts) =>
        new KernelUse("burner", new ProcessUse(default, uses, uses, 0), percent).Cpu.Should().BeApproximately(counts, 0.001);

    [Fact]
    public async Task The_probe_measures_from_now_on_and_leaves_out_what_it_does_not_know()
    {
        var machine = new ScriptedMachine { Cpu = 42, Memory = null };
        _sampler = () => machine;
        var taken = machine.Taken;
        var result = await MeasureAsync("resources.current", """{ "over": "100ms" }""");
        machine.Taken.Should().Be(taken + 2);
        result.GetProperty("cpu").GetDouble().Should().Be(42);
        result.TryGetProperty("memory", out _).Should().BeFalse();
        result.GetProperty("unknown").GetString().Should().Contain("scripted");
        var forever = () => MeasureAsync("resources.current", """{ "over": "1h" }""");
        await forever.Should().ThrowAsync<ActionFailedException>().WithMessage("*100ms to 1m*");
    }

    [Fact]
    public async Task A_trim_says_what_it_freed()
    {
        var output = await ExecuteAsync("memory.trim", "{}");
        output.GetProperty("afterBytes").GetInt64().Should().BePositive();
        output.GetProperty("freedBytes").GetInt64().Should().Be(Math.Max(0, output.GetProperty("beforeBytes").GetInt64() - output.GetProperty("afterBytes").GetInt64()));
    }

    private string File(string name, int size, TimeSpan age)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, new byte[size]);
        System.IO.File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);
        return path;
    }

    [Fact]
    public async Task Cleaning_deletes_old_files_inside_the_folder_only_and_never_follows_a_link()
    {
        if (!OperatingSystem.IsLinux()) return;
        var day = TimeSpan.FromDays(1);
        var outside = File("outside/precious.log", 10, 9 * day);
        string[] gone = [File("logs/a.log", 10, 3 * day), File("logs/deep/er/.b.log", 20, 2 * day)];
        string[] kept = [outside, File("logs/new.log", 10, TimeSpan.FromMinutes(5)), File("logs/other.txt", 10, 9 * day), File("logs/empty.log", 0, 9 * day)];
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "logs", "way-out"), Path.Combine(_folder.FullName, "outside"));
        System.IO.File.CreateSymbolicLink(Path.Combine(_folder.FullName, "logs", "link.log"), outside);
        _clean.Folders["logs"] = new CleanFolderOptions { Path = Path.Combine(_folder.FullName, "logs"), Pattern = "*.log" };

        var output = await ExecuteAsync("disk.clean", """{ "folder": "logs" }""");

        (output.GetProperty("files").GetInt32(), output.GetProperty("bytes").GetInt64(), output.GetProperty("failed").GetInt32()).Should().Be((2, 30, 0));
        gone.Should().OnlyContain(x => !System.IO.File.Exists(x));
        kept.Should().OnlyContain(x => System.IO.File.Exists(x));
        new FileInfo(Path.Combine(_folder.FullName, "logs", "link.log")).LinkTarget.Should().NotBeNull();
    }

    [Fact]
    public async Task Cleaning_keeps_what_was_asked_and_the_minimum_age_wins()
    {
        if (!OperatingSystem.IsLinux()) return;
        var oldest = File("logs/1", 100, TimeSpan.FromHours(9));
        File("logs/2", 100, TimeSpan.FromHours(8));
        File("logs/3", 100, TimeSpan.FromHours(1.5));
        _clean.Folders["logs"] = new CleanFolderOptions { Path = Path.Combine(_folder.FullName, "logs"), MinAge = TimeSpan.FromHours(2) };

        (await ExecuteAsync("disk.clean", """{ "olderThan": "1h", "keep": "200B" }""")).GetProperty("files").GetInt32().Should().Be(1);
        System.IO.File.Exists(oldest).Should().BeFalse();
        (await ExecuteAsync("disk.clean", """{ "olderThan": "1h" }""")).GetProperty("files").GetInt32().Should().Be(1, "the third is younger than MinAge");
    }

    [Fact]
    public async Task Without_a_folder_nothing_is_deleted_and_a_linked_root_is_refused()
    {
        if (!OperatingSystem.IsLinux()) return;
        (await ExecuteAsync("disk.clean", "{}")).GetProperty("reason").GetString().Should().Contain("Guardian:Clean:Folders");
        var unknown = () => ExecuteAsync("disk.clean", """{ "folder": "logs" }""");
        await unknown.Should().ThrowAsync<ActionFailedException>().WithMessage("*no folder 'logs'*");

        var file = File("real/a", 10, TimeSpan.FromDays(9));
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "linked"), Path.Combine(_folder.FullName, "real"));
        _clean.Folders["linked"] = new CleanFolderOptions { Path = Path.Combine(_folder.FullName, "linked") };
        (await ExecuteAsync("disk.clean", "{}")).GetProperty("reason").GetString().Should().Contain("link");
        System.IO.File.Exists(file).Should().BeTrue();
    }

    [Fact]
    public void A_folder_exchanged_for_a_link_is_no_way_out()
    {
        if (!OperatingSystem.IsLinux()) return;
        var outside = File("outside/a", 10, TimeSpan.Zero);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "root"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "root", "sub"), Path.Combine(_folder.FullName, "outside"));
        var delete = () => ConfinedDelete.Delete(Path.Combine(_folder.FullName, "root"), ["sub", "a"], DateTimeOffset.MaxValue);
        delete.Should().Throw<System.ComponentModel.Win32Exception>();
        System.IO.File.Exists(outside).Should().BeTrue();
        ConfinedDelete.Delete(_folder.FullName, ["outside", "a"], DateTimeOffset.MaxValue).Should().BeTrue();
        ConfinedDelete.Delete(_folder.FullName, ["outside", "a"], DateTimeOffset.MaxValue).Should().BeFalse("it is gone already");
    }

    [Fact]
    public void What_was_written_since_the_look_is_not_deleted()
    {
        if (!OperatingSystem.IsLinux()) return;
        var file = File("logs/a", 10, TimeSpan.FromDays(2));
        var limit = DateTimeOffset.UtcNow - TimeSpan.FromDays(1);
        System.IO.File.AppendAllText(file, "fresh");
        ConfinedDelete.Delete(_folder.FullName, ["logs", "a"], limit).Should().BeFalse();
        System.IO.File.SetLastWriteTimeUtc(file, limit.UtcDateTime.AddSeconds(-1));
        System.IO.File.CreateSymbolicLink(Path.Combine(_folder.FullName, "logs", "b"), file);
        ConfinedDelete.Delete(_folder.FullName, ["logs", "b"], DateTimeOffset.MaxValue).Should().BeFalse("a link stays");
        ConfinedDelete.Delete(_folder.FullName, ["logs", "a"], limit).Should().BeTrue();
    }

    [Fact]
    public async Task A_hold_stops_cleaning_that_is_under_way()
    {
        if (!OperatingSystem.IsLinux()) return;
        for (var i = 0; i < 5; i++) File($"logs/{i}", 10, TimeSpan.FromDays(9));
        _clean.Folders["logs"] = new CleanFolderOptions { Path = Path.Combine(_folder.FullName, "logs") };
        var asked = 0;
        var clean = () => ExecuteAsync("disk.clean", """{ "folder": "logs" }""", held: () => ++asked > 2 ? "maintenance" : null);
        await clean.Should().ThrowAsync<ActionUnreachableException>().WithMessage("*maintenance*");
        Directory.GetFiles(Path.Combine(_folder.FullName, "logs")).Should().HaveCount(3);
    }
}
