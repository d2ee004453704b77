using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Kernels;

/// <summary>Real processes that behave badly; whatever they do, nothing of them is left.</summary>
public sealed class ProcessInstanceTests(Xunit.Abstractions.ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly Task Never = new TaskCompletionSource().Task;
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-kernels-");

    private InstanceFolder Folder => new(_root.FullName, "k", 0);

    public void Dispose()
    {
        ProcessInstance.SweepAsync(_root.FullName, []).Wait(Soon); // what a failed test has left
        _root.Delete(recursive: true);
    }

    private static KernelDefinition Shell(string script, OutputSpec? output = null) => new()
    {
        Name = "k", Type = KernelType.Process,
        Process = new ProcessSpec { Command = ["/bin/sh", "-c", script], Output = output ?? new OutputSpec() },
    };

    private ProcessInstance Start(KernelDefinition kernel, long epoch = 1) => ProcessInstance.Start(Folder, kernel, 0, epoch, DateTimeOffset.UtcNow);

    private async Task<string> OutputAsync(Func<string, bool> until, string stream = "stdout")
    {
        var text = "";
        await Await.UntilAsync(() => until(text = File.Exists(Path.Combine(Folder.Full, stream + ".log")) ? File.ReadAllText(Path.Combine(Folder.Full, stream + ".log")) : ""), Soon);
        return text;
    }

    private static void NothingIsLeft(InstanceRecord record)
    {
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, record.Token).Should().BeEmpty();
        ProcessStat.TryRead(record.Process!.Pid, out _).Should().BeFalse("it is reaped");
    }

    [LinuxFact]
    public async Task A_process_gets_its_environment_and_nothing_of_Guardians_own()
    {
        Environment.SetEnvironmentVariable("Guardian__Secret", "s3cret");
        var kernel = Shell("env; echo oops >&2; exit 3");
        kernel = kernel with { Process = kernel.Process! with { Environment = new Dictionary<string, string> { ["MINE"] = "a b" }, WorkingDirectory = _root.FullName } };
        var instance = Start(kernel, epoch: 7);
        (await instance.Ended.WaitAsync(Soon)).Should().Be("exit code 3");
        var output = await OutputAsync(_ => true);
        output.Should().Contain("MINE=a b").And.Contain("GUARDIAN_EPOCH=7").And.Contain($"PWD={_root.FullName}").And.NotContain("s3cret");
        (await OutputAsync(_ => true, "stderr")).Should().Be("oops\n");
        NothingIsLeft(instance.Record);
        Folder.Read().Should().BeNull();
    }

    [LinuxFact]
    public void A_missing_program_or_folder_is_said_and_leaves_nothing()
    {
        var missing = () => Start(Shell("") with { Process = new ProcessSpec { Command = ["/no/such/program"] } });
        missing.Should().Throw<ProcessStartException>().WithMessage("*'/no/such/program'*No such file*");
        var nowhere = () => Start(Shell("") with { Process = new ProcessSpec { Command = ["true"], WorkingDirectory = "/no/such/folder" } });
        nowhere.Should().Throw<ProcessStartException>().WithMessage("*/no/such/folder does not exist*");
        Folder.Read().Should().BeNull();
    }

    [LinuxFact]
    public async Task TERM_is_enough_for_what_obeys_and_KILL_for_what_does_not()
    {
        var obeys = Start(Shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"));
        await OutputAsync(x => x.Contains("up"));
        await obeys.StopAsync(Soon, Never);
        (await obeys.Ended).Should().Be("exit code 0");
        (await OutputAsync(x => x.Contains("bye"))).Should().Contain("bye");
        NothingIsLeft(obeys.Record);

        var ignores = Start(Shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done"));
        await OutputAsync(x => x.Contains("deaf"));
        await ignores.StopAsync(TimeSpan.FromMilliseconds(200), Never);
        (await ignores.Ended).Should().Be("signal 9");
        NothingIsLeft(ignores.Record);
    }

    [LinuxFact]
    public async Task Children_go_with_their_parent_also_those_that_left_its_group()
    {
        var instance = Start(Shell("sleep 1000 & setsid sleep 1001 & (trap '' TERM; sleep 1002) & echo up; wait"));
        await OutputAsync(x => x.Contains("up"));
        await Await.UntilAsync(() => ProcessTable.WithVariable(ProcessInstance.TokenVariable, instance.Record.Token).Count >= 4, Soon);
        Posix.Signal(instance.Identity.Pid, Posix.SIGKILL);
        (await instance.Ended.WaitAsync(Soon)).Should().Be("signal 9");
        NothingIsLeft(instance.Record);
    }

    [LinuxFact]
    public async Task What_is_stopped_is_killed_without_being_woken()
    {
        var instance = Start(Shell($"trap 'touch {_root.FullName}/woken' CONT; echo up; while :; do sleep 0.05; done"));
        await OutputAsync(x => x.Contains("up"));
        instance.Signal(Posix.SIGSTOP);
        await Await.UntilAsync(() => ProcessTable.IsStopped(instance.Identity), Soon);
        await instance.StopAsync(Soon, Never).WaitAsync(Soon);
        NothingIsLeft(instance.Record);
        File.Exists(Path.Combine(_root.FullName, "woken")).Should().BeFalse();
    }

    [LinuxFact]
    public async Task A_flood_of_output_is_bounded_and_the_newest_kept()
    {
        var bytes = Environment.GetEnvironmentVariable("GUARDIAN_KERNELS_FULL") == "1" ? 1_000_000_000 : 100_000_000;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var instance = Start(Shell(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"head -c {bytes} /dev/zero; echo the end"), new OutputSpec(1_000_000, 3)));
        (await instance.Ended.WaitAsync(TimeSpan.FromMinutes(2))).Should().Be("exit code 0");
        output.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes} bytes taken in {clock.Elapsed.TotalSeconds:F1} s, {GC.GetTotalMemory(true) / 1e6:F0} MB managed"));
        var files = new DirectoryInfo(Folder.Full).GetFiles("stdout.log*");
        files.Should().HaveCountLessThanOrEqualTo(3);
        files.Should().OnlyContain(x => x.Length <= 1_000_000);
        File.ReadAllText(Path.Combine(Folder.Full, "stdout.log")).Should().EndWith("the end\n");
    }

    [LinuxFact]
    public async Task Another_Guardian_adopts_what_lives_and_ends_what_it_may_not_adopt()
    {
        var kernel = Shell("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done");
        var instance = Start(kernel);
        await OutputAsync(x => x.Contains("line 3"));

        // This test plays both Guardians; the second knows only the folder.
        var adopted = await ProcessInstance.AdoptAsync(Folder, kernel);
        adopted!.Identity.Should().Be(instance.Identity);
        Posix.Signal(adopted.Identity.Pid, Posix.SIGKILL);
        (await adopted.Ended.WaitAsync(Soon)).Should().Contain("another Guardian");
        await instance.Ended.WaitAsync(Soon);

        instance = Start(kernel);
        (await ProcessInstance.AdoptAsync(Folder, Shell("another script"))).Should().BeNull("its definition is another one");
        await instance.Ended.WaitAsync(Soon);
        NothingIsLeft(instance.Record);
    }

    [LinuxFact]
    public async Task A_disk_that_takes_no_record_after_the_start_kills_nothing_and_the_record_follows()
    {
        var (writes, full) = (0, true);
        var folder = new InstanceFolder(_root.FullName, "k", 0, (path, text) =>
        {
            if (Interlocked.Increment(ref writes) > 1 && Volatile.Read(ref full)) throw new IOException("No space left on device");
            File.WriteAllText(path, text);
        });
        var kernel = Shell("sleep 1000");
        var instance = ProcessInstance.Start(folder, kernel, 0, 1, DateTimeOffset.UtcNow);
        instance.Unrecorded.Should().Contain("No space left");
        instance.Identity.Alive.Should().BeTrue();
        Folder.Read().Should().Match<InstanceRecord>(x => x.Token == instance.Record.Token && x.Process == null, "by its token another Guardian finds it");
        await Await.UntilAsync(() => Volatile.Read(ref writes) > 2, Soon);
        Volatile.Write(ref full, false);
        await Await.UntilAsync(() => Folder.Read()?.Process == instance.Identity, Soon);
        (await ProcessInstance.AdoptAsync(Folder, kernel))!.Identity.Should().Be(instance.Identity);
        instance.Signal(Posix.SIGKILL);
        await instance.Ended.WaitAsync(Soon);
        NothingIsLeft(instance.Record);
    }

    [LinuxFact]
    public void What_was_started_and_cannot_be_followed_is_killed_before_that_is_said()
    {
        var token = "";
        var writes = 0;
        var folder = new InstanceFolder(_root.FullName, "k", 0, (path, text) =>
        {
            if (++writes > 1) throw new InvalidOperationException("out of everything");
            File.WriteAllText(path, text);
            token = System.Text.Json.JsonDocument.Parse(text).RootElement.GetProperty("token").GetString()!;
        });
        var start = () => ProcessInstance.Start(folder, Shell("trap '' TERM; sleep 1000 & wait"), 0, 1, DateTimeOffset.UtcNow);
        start.Should().Throw<ProcessStartException>().WithMessage("*out of everything*");
        token.Should().NotBeEmpty();
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, token).Should().BeEmpty();
        Folder.Read().Should().BeNull();
    }

    /// <summary>A program may begin with an environment of its own; it is a process of the kernel all the same.</summary>
    [LinuxFact]
    public async Task A_process_that_shows_no_token_is_found_by_its_leader_and_its_session()
    {
        var instance = Start(Shell("env -i sleep 1001 & exec env -i sleep 1000"));
        await Await.UntilAsync(() => ProcessTable.WithVariable(ProcessInstance.TokenVariable, instance.Record.Token).Count == 0, Soon);
        await Await.UntilAsync(() => instance.Processes().Count == 2, Soon);
        instance.Processes().Should().Contain(instance.Identity);
        Folder.Processes().Should().BeEquivalentTo(instance.Processes());
        var all = instance.Processes();
        var keeper = new ScriptedKeeper();
        var restriction = new ProcessRestriction(keeper, "k", 0, null, groupStays: false);
        await restriction.ApplyAsync(instance, 0, TimeSpan.FromMinutes(1), "test", default);
        all.Should().OnlyContain(x => ProcessTable.IsStopped(x));
        await restriction.FreeAsync(default);
        await Await.UntilAsync(() => all.All(x => !ProcessTable.IsStopped(x)), Soon);

        // What may not be adopted is ended as a whole, without its token too.
        (await ProcessInstance.AdoptAsync(Folder, Shell("another script"))).Should().BeNull();
        await instance.Ended.WaitAsync(Soon);
        all.Should().OnlyContain(x => !x.Alive);
    }

    [LinuxFact]
    public async Task What_is_not_declared_any_more_is_asked_to_end_before_it_is_killed()
    {
        var obeys = Start(Shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"));
        await OutputAsync(x => x.Contains("up"));
        (await ProcessInstance.SweepAsync(_root.FullName, [])).Should().Be(1);
        (await OutputAsync(x => x.Contains("bye"))).Should().Contain("bye");
        await obeys.Ended.WaitAsync(Soon);
        NothingIsLeft(obeys.Record);

        var kernel = Shell("trap '' TERM; echo deaf; while :; do sleep 0.05; done");
        var ignores = Start(kernel with { Process = kernel.Process! with { Grace = TimeSpan.FromMilliseconds(300) } });
        Folder.Read()!.Grace.Should().Be(TimeSpan.FromMilliseconds(300));
        await OutputAsync(x => x.Contains("deaf"));
        (await ProcessInstance.SweepAsync(_root.FullName, [])).Should().Be(1);
        await ignores.Ended.WaitAsync(Soon);
        NothingIsLeft(ignores.Record);
    }

    [LinuxFact]
    public async Task Survivors_are_those_that_would_be_ended()
    {
        var kernel = Shell("sleep 1000");
        var instance = Start(kernel);
        ProcessInstance.Survivors(_root.FullName, [kernel]).Should().BeEmpty();
        ProcessInstance.Survivors(_root.FullName, [Shell("another script")]).Should().ContainSingle().Which.Should().StartWith($"k/0 (pid {instance.Identity.Pid}");
        ProcessInstance.Survivors(_root.FullName, []).Should().ContainSingle();
        ProcessInstance.Survivors(Path.Combine(_root.FullName, "nowhere"), []).Should().BeEmpty();
        Posix.Signal(instance.Identity.Pid, Posix.SIGKILL);
        await instance.Ended.WaitAsync(Soon);
        Folder.Write(instance.Record);
        ProcessInstance.Survivors(_root.FullName, []).Should().BeEmpty("it is dead");
    }

    /// <summary>The lease ends while the processes are still being stopped, on a machine that is starved: nothing would ever resume them.</summary>
    [LinuxFact]
    public async Task A_pause_that_comes_after_its_leases_end_is_taken_back()
    {
        var instance = Start(Shell("exec sleep 1000"));
        await Await.UntilAsync(() => instance.Processes().Count == 1, Soon);
        var keeper = new ScriptedKeeper();
        keeper.Taken = lease =>
        {
            keeper.Taken = null;
            keeper.End(lease.Id);
        };
        var restriction = new ProcessRestriction(keeper, "k", 0, null, groupStays: false);
        await restriction.ApplyAsync(instance, 0, TimeSpan.FromMinutes(1), "test", default);
        restriction.Restricted.Should().BeFalse();
        (await keeper.ListAsync(default)).Should().BeEmpty();
        await Await.UntilAsync(() => instance.Processes().All(x => !ProcessTable.IsStopped(x)), Soon);
        Posix.Signal(instance.Identity.Pid, Posix.SIGKILL);
        await instance.Ended.WaitAsync(Soon);
    }

    [LinuxFact]
    public async Task What_died_while_a_process_was_being_started_is_found_by_its_token()
    {
        var kernel = Shell("sleep 1000");
        var instance = Start(kernel);
        Folder.Write(instance.Record with { Process = null });
        (await ProcessInstance.AdoptAsync(Folder, kernel)).Should().BeNull();
        await instance.Ended.WaitAsync(Soon);
        NothingIsLeft(instance.Record);
    }

    [LinuxFact]
    public async Task A_process_goes_on_writing_while_no_Guardian_reads()
    {
        var pipe = Path.Combine(_root.FullName, "pipe");
        var log = Path.Combine(_root.FullName, "log");
        await using (var first = OutputPump.Start(pipe, log, new OutputSpec())) await File.AppendAllTextAsync(pipe, "one\n");
        File.Exists(pipe).Should().BeFalse();
        Posix.MakePipe(pipe);
        using var held = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
        held.Write("two\n"u8);
        await using (var second = OutputPump.Start(pipe, log, new OutputSpec()))
            await Await.UntilAsync(() => File.ReadAllText(log) == "one\ntwo\n", Soon);
    }
}
