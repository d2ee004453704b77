using System.Diagnostics;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;
using Guardian.Actors.Scheduling;
using Xunit.Abstractions;

namespace Guardian.Tests.Kernels;

/// <summary>The kernels' part of the tree with real processes and actors, without the rest of a node.</summary>
public sealed class KernelSupervisorTests : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-kernels-");
    private readonly ITestOutputHelper _output;
    private readonly string _file;
    private readonly KernelDirectory _directory = new();
    private readonly HeartbeatBoard _hearts = new(TimeProvider.System);
    private IActorRef _supervisor = ActorRefs.Nobody;

    public KernelSupervisorTests(ITestOutputHelper output)
    {
        _output = output;
        _file = Path.Combine(_root.FullName, "kernels.yaml");
    }

    private IActorRef Start(string kernels, KernelsOptions? code = null, ILeasekeeper? keeper = null)
    {
        File.WriteAllText(_file, "kernels:\n" + kernels);
        var catalog = new KernelCatalog(_file, (code ?? new KernelsOptions()).Declared);
        catalog.TryReload().Should().BeTrue(string.Join("; ", catalog.Errors));
        Catalog = catalog;
        return _supervisor = Sys.ActorOf(KernelSupervisor.Props(new SupervisorMemory(catalog, _directory, new KernelLeases(TimeProvider.System, "n1"), Scales), new KernelWorld
        {
            Time = TimeProvider.System, Hearts = _hearts, Node = "n1", Scheduler = new SchedulerBoard(), Leasekeeper = keeper ?? new NoLeasekeeper("there is none in this test"), Folder = Path.Combine(_root.FullName, "data"), Register = (_, _) => new TaskCompletionSource<BusPort>().Task,
        }));
    }

    private KernelCatalog Catalog { get; set; } = null!;

    private KernelScales Scales => KernelScales.Load(Path.Combine(_root.FullName, "data"), x => throw new InvalidOperationException(x));

    private static string Sleeper(string name, string more = "") => $"  - {{ name: {name}, type: process, command: [sleep, '1000']{more} }}\n";

    private async Task<KernelView> UntilAsync(string name, Func<KernelView, bool> condition)
    {
        KernelView? view = null;
        try
        {
            await Await.UntilAsync(() => (view = _directory.Find(name)) is not null && condition(view), Soon);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{name} is {view}");
        }

        return view!;
    }

    private Task<KernelView> RunningAsync(string name) => UntilAsync(name, x => x.State == KernelState.Running);

    private Task<KernelAnswer> AskAsync(KernelCommand command) => _supervisor.Ask<KernelAnswer>(command, Soon);

    protected override void AfterAll()
    {
        _supervisor.Ask<KernelsEnded>(new EndKernels(TimeSpan.FromSeconds(5)), Soon).Wait(Soon);
        base.AfterAll();
        ProcessInstance.SweepAsync(Path.Combine(_root.FullName, "data"), []).Wait(Soon); // what a failed test has left
        _root.Delete(recursive: true);
    }

    [LinuxFact]
    public async Task A_killed_process_runs_again_at_once_every_time()
    {
        Start(Sleeper("k", ", restart: { max: 1000, within: 1m }"));
        var pid = (await RunningAsync("k")).Instances[0].Process!;
        var times = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var clock = Stopwatch.StartNew();
            Posix.Signal(pid.Pid, Posix.SIGKILL);
            var view = await UntilAsync("k", x => x.State == KernelState.Running && x.Instances[0].Process is { } next && next != pid);
            times.Add(clock.Elapsed.TotalMilliseconds);
            pid.Alive.Should().BeFalse();
            pid = view.Instances[0].Process!;
            // The pace of a kernel that keeps being killed: well above within / max.
            var lived = Stopwatch.StartNew();
            await Await.UntilAsync(() => lived.ElapsedMilliseconds > 100, Soon);
        }

        _output.WriteLine($"restart after kill -9: median {times.Order().ElementAt(10):F1} ms, worst {times.Max():F1} ms");
        _directory.Find("k")!.Restarts.Should().Be(20);
        times.Max().Should().BeLessThan(5_000, "there is no back-off");
    }

    [LinuxFact]
    public async Task What_ends_at_once_or_cannot_be_started_reaches_its_limit_and_says_why()
    {
        Start("""
              - { name: ends, type: process, command: [sh, -c, "exit 7"], restart: { max: 3, within: 1m, backoff: { initial: 10ms, max: 20ms } } }
              - { name: missing, type: process, command: [/no/such/program], restart: { max: 3, within: 1m, backoff: { initial: 10ms, max: 20ms } } }

            """);
        (await UntilAsync("ends", x => x.State == KernelState.CrashLoop)).Reason.Should().Be("exit code 7");
        var missing = await UntilAsync("missing", x => x.State == KernelState.CrashLoop);
        (missing.Reason, missing.CrashLoops, missing.Restarts).Should().Match<(string? Reason, long Loops, long Restarts)>(x => x.Reason!.Contains("No such file") && x.Loops == 1 && x.Restarts == 4);
        (await AskAsync(new RestartKernel { Name = "ends", By = "test", Reason = "again" })).Done.Should().BeTrue();
        (await UntilAsync("ends", x => x.CrashLoops == 2)).State.Should().Be(KernelState.CrashLoop);
    }

    [LinuxFact]
    public async Task Scaling_stays_within_the_bounds_and_a_stop_ends_everything()
    {
        Start(Sleeper("k", ", replicas: { count: 2, min: 1, max: 4 }"));
        await UntilAsync("k", x => x.Instances.Count(y => y.State == KernelState.Running) == 2);
        (await AskAsync(new ScaleKernel { Name = "k", Change = 5, By = "t", Reason = "t" })).Replicas.Should().Be((2, 4));
        var four = await UntilAsync("k", x => x.Instances.Count(y => y.State == KernelState.Running) == 4);
        (await AskAsync(new ScaleKernel { Name = "k", Change = 1, By = "t", Reason = "t" })).Done.Should().BeFalse();
        (await AskAsync(new ScaleKernel { Name = "k", To = 9, By = "t", Reason = "t" })).Reason.Should().Contain("from 1 to 4");
        (await AskAsync(new ScaleKernel { Name = "k", Change = -2, By = "t", Reason = "t" })).Replicas.Should().Be((4, 2));
        await UntilAsync("k", x => x.Instances.Count == 2 && x.State == KernelState.Running);
        (await AskAsync(new StopKernel { Name = "k", By = "t", Reason = "t" })).Done.Should().BeTrue();
        await UntilAsync("k", x => x.State == KernelState.Stopped);
        four.Instances.Should().OnlyContain(x => !x.Process!.Alive);
        (await AskAsync(new RestartKernel { Name = "k", By = "t", Reason = "t" })).Done.Should().BeTrue();
        await UntilAsync("k", x => x.State == KernelState.Running && x.Instances.Count == 2);
        (await AskAsync(new StopKernel { Name = "kk", By = "t", Reason = "t" })).Should().Match<KernelAnswer>(x => x.NotFound && x.Reason!.Contains("known are: k"));
    }

    [LinuxFact]
    public async Task Another_Guardian_on_the_same_folder_takes_over_what_lives_and_ends_what_is_not_declared_any_more()
    {
        Start(Sleeper("kept", ", replicas: { count: 2, min: 0, max: 2 }") + Sleeper("changed") + Sleeper("gone"));
        var before = new Dictionary<string, KernelView> { ["kept"] = await RunningAsync("kept"), ["changed"] = await RunningAsync("changed"), ["gone"] = await RunningAsync("gone") };
        Watch(_supervisor);
        _supervisor.Tell(Kill.Instance); // the processes are not told
        ExpectTerminated(_supervisor);
        foreach (var name in before.Keys) _directory.Remove(name);

        Start(Sleeper("kept", ", replicas: { count: 1, min: 0, max: 2 }") + "  - { name: changed, type: process, command: [sleep, '2000'] }\n");
        var kept = await UntilAsync("kept", x => x.State == KernelState.Running && x.Instances.Count == 1);
        kept.Instances[0].Process.Should().Be(before["kept"].Instances[0].Process);
        kept.Instances[0].Epoch.Should().Be(before["kept"].Instances[0].Epoch);
        var changed = await RunningAsync("changed");
        changed.Instances[0].Process.Should().NotBe(before["changed"].Instances[0].Process);
        await Await.UntilAsync(() => new[] { before["kept"].Instances[1], before["changed"].Instances[0], before["gone"].Instances[0] }.All(x => !x.Process!.Alive), Soon);

        Posix.Signal(kept.Instances[0].Process!.Pid, Posix.SIGKILL);
        await UntilAsync("kept", x => x.State == KernelState.Running && x.Instances[0].Process != kept.Instances[0].Process);
    }

    [LinuxFact]
    public async Task A_scale_by_command_outlives_the_node_and_a_changed_definition_begins_anew()
    {
        Start(Sleeper("k", ", replicas: { count: 1, min: 0, max: 4 }") + Sleeper("s"));
        await RunningAsync("k");
        await RunningAsync("s");
        (await AskAsync(new ScaleKernel { Name = "k", To = 3, By = "t", Reason = "t" })).Done.Should().BeTrue();
        (await AskAsync(new StopKernel { Name = "s", By = "t", Reason = "t" })).Done.Should().BeTrue();
        await UntilAsync("s", x => x.State == KernelState.Stopped);
        await _supervisor.Ask<KernelsEnded>(new EndKernels(TimeSpan.FromSeconds(20)), Soon);

        Start(Sleeper("k", ", replicas: { count: 1, min: 0, max: 4 }") + Sleeper("s"));
        await UntilAsync("k", x => x.Instances.Count(y => y.State == KernelState.Running) == 3);
        (await UntilAsync("s", x => x.State == KernelState.Stopped)).Replicas.Count.Should().Be(0);
        (await AskAsync(new RestartKernel { Name = "s", By = "t", Reason = "t" })).Done.Should().BeTrue();
        await RunningAsync("s");
        await _supervisor.Ask<KernelsEnded>(new EndKernels(TimeSpan.FromSeconds(20)), Soon);

        Start(Sleeper("k", ", replicas: { count: 2, min: 0, max: 4 }") + Sleeper("s"));
        await UntilAsync("k", x => x.State == KernelState.Running && x.Replicas.Count == 2);
        await RunningAsync("s");
    }

    [LinuxFact]
    public async Task A_kernel_whose_actor_stopped_is_not_unknown_meanwhile()
    {
        Start(Sleeper("k"));
        await RunningAsync("k");
        Sys.ActorSelection(_supervisor.Path / "k~1").Tell(PoisonPill.Instance);
        KernelAnswer? answer = null;
        // What reaches the actor while it stops is not answered; it is started again after a second.
        await Await.UntilAsync(async () =>
        {
            try
            {
                answer = await _supervisor.Ask<KernelAnswer>(new ScaleKernel { Name = "k", Key = "run-1/scale", TakeBack = true, By = "t", Reason = "undo" }, TimeSpan.FromMilliseconds(100));
                return answer.Reason?.Contains("nothing of k") != true;
            }
            catch (AskTimeoutException)
            {
                return false;
            }
        }, Soon);
        answer.Should().Match<KernelAnswer>(x => !x.Done && !x.NotFound && x.Reason!.Contains("started again"));
        await RunningAsync("k");
    }

    [LinuxFact]
    public async Task What_cannot_be_looked_for_is_looked_for_again_and_nothing_is_started_beside_it()
    {
        const string kernels = "kernels:\n  - { name: k, type: process, command: [sleep, '1000'] }\n";
        File.WriteAllText(_file, kernels);
        var catalog = new KernelCatalog(_file, []);
        catalog.TryReload().Should().BeTrue();
        var folder = new InstanceFolder(Path.Combine(_root.FullName, "data"), "k", 0);
        var left = ProcessInstance.Start(folder, catalog.Current.Kernels[0], 0, 7, DateTimeOffset.UtcNow);
        var record = Path.Combine(folder.Full, "instance.json");
        File.Move(record, record + ".kept");
        Directory.CreateDirectory(record); // reading it fails as on a bad disk
        Start(Sleeper("k"));
        await UntilAsync("k", x => x.State == KernelState.Starting && x.Reason?.Contains("nothing is started") == true);
        (await AskAsync(new RestartKernel { Name = "k", By = "t", Reason = "t" })).Done.Should().BeTrue();
        await UntilAsync("k", x => x.State == KernelState.Starting && x.Restarts == 1);
        Mine().Should().ContainSingle().Which.Process.Should().Be(left.Identity);
        Directory.Delete(record);
        File.Move(record + ".kept", record);
        (await RunningAsync("k")).Instances[0].Process.Should().Be(left.Identity, "it is adopted");
        Mine().Should().ContainSingle();

        IReadOnlyList<(ProcessIdentity Process, ProcessStat, IReadOnlyDictionary<string, string>)> Mine() => ProcessTable.WithEnvironment(ProcessInstance.FolderVariable, folder.Full);
    }

    [LinuxFact]
    public async Task A_kernel_declared_while_what_is_left_of_it_is_being_ended_begins_after_that()
    {
        File.WriteAllText(_file, "kernels:\n" + Sleeper("k"));
        var catalog = new KernelCatalog(_file, []);
        catalog.TryReload().Should().BeTrue();
        var deaf = catalog.Current.Kernels[0];
        deaf = deaf with { Process = deaf.Process! with { Command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"], Grace = TimeSpan.FromSeconds(1) } };
        var folder = new InstanceFolder(Path.Combine(_root.FullName, "data"), "k", 0);
        var left = ProcessInstance.Start(folder, deaf, 0, 1, DateTimeOffset.UtcNow);
        await Await.UntilAsync(() => File.Exists(Path.Combine(folder.Full, "stdout.log")) && File.ReadAllText(Path.Combine(folder.Full, "stdout.log")).Contains("deaf"), Soon);
        Start("  []\n");
        File.WriteAllText(_file, "kernels:\n" + Sleeper("k"));
        Catalog.TryReload().Should().BeTrue();
        _supervisor.Tell(KernelsReloaded.Instance);
        var view = await RunningAsync("k");
        left.Identity.Alive.Should().BeFalse();
        folder.Read()!.Process.Should().Be(view.Instances[0].Process);
    }

    [LinuxFact]
    public async Task The_file_is_taken_over_as_a_whole()
    {
        Start(Sleeper("a") + Sleeper("b") + Sleeper("c"));
        var (a, b, c) = (await RunningAsync("a"), await RunningAsync("b"), await RunningAsync("c"));
        File.WriteAllText(_file, "kernels:\n" + Sleeper("a") + Sleeper("b", ", env: { X: y }") + Sleeper("d"));
        Catalog.TryReload().Should().BeTrue();
        _supervisor.Tell(KernelsReloaded.Instance);
        await RunningAsync("d");
        await UntilAsync("b", x => x.State == KernelState.Running && x.Instances[0].Process is { } next && next != b.Instances[0].Process);
        await Await.UntilAsync(() => _directory.Find("c") is null, Soon);
        c.Instances[0].Process!.Alive.Should().BeFalse();
        _directory.Find("a")!.Instances[0].Process.Should().Be(a.Instances[0].Process);
    }

    [LinuxFact]
    public async Task Kernels_begin_when_what_they_depend_on_is_ready_and_end_in_the_reverse_order()
    {
        var flag = Path.Combine(_root.FullName, "flag");
        Start(Sleeper("app", ", dependsOn: [db]")
            + $"  - {{ name: db, type: process, command: [sleep, '1000'], readiness: {{ within: 30s, probe: {{ exec: [test, -e, {flag}] }} }} }}\n");
        await UntilAsync("db", x => x.State == KernelState.Starting);
        (await UntilAsync("app", x => x.State == KernelState.Waiting)).Reason.Should().Be("waits for db");
        File.WriteAllText(flag, "");
        await RunningAsync("app");
        var db = (await RunningAsync("db")).Instances[0].Process!;
        var app = _directory.Find("app")!.Instances[0].Process!;
        var ended = _supervisor.Ask<KernelsEnded>(new EndKernels(TimeSpan.FromSeconds(20)), Soon);
        await Await.UntilAsync(() => !app.Alive, Soon);
        await ended;
        db.Alive.Should().BeFalse();
        _directory.All.Should().BeEmpty();
    }

    [LinuxFact]
    public async Task What_is_not_ready_in_time_counts_as_crashed()
    {
        Start("  - { name: k, type: process, command: [sleep, '1000'], readiness: { within: 100ms, probe: { tcp: '127.0.0.1:1' } }, restart: { max: 2, within: 1m, backoff: { initial: 10ms } } }\n");
        var view = await UntilAsync("k", x => x.State == KernelState.CrashLoop);
        view.Instances[0].Process.Should().BeNull();
    }

    private Task<KernelAnswer> PauseAsync(string kernel, TimeSpan length) =>
        AskAsync(new RestrictKernels { Which = new KernelSelector { Names = [kernel] }, Percent = 0, By = "operator/ann", Until = DateTimeOffset.UtcNow + length, Reason = "test" });

    private bool IsStill(string kernel) => _directory.Find(kernel) is { Paused: true, Instances: [{ Process: { } process }] } && ProcessTable.IsStopped(process);

    /// <summary>Held still by Guardian itself it cannot become ready, and that is no crash.</summary>
    [LinuxFact]
    public async Task What_is_paused_while_it_starts_becomes_ready_after_the_pause()
    {
        var flag = Path.Combine(_root.FullName, "flag");
        Start($"  - {{ name: k, type: process, command: [sleep, '1000'], readiness: {{ within: 1s, probe: {{ exec: [test, -e, {flag}] }} }}, restart: {{ max: 2, within: 1m }} }}\n", keeper: new ScriptedKeeper());
        var process = (await UntilAsync("k", x => x.State == KernelState.Starting && x.Instances is [{ Process: not null }])).Instances[0].Process!;
        (await PauseAsync("k", TimeSpan.FromSeconds(3))).Done.Should().BeTrue();
        IsStill("k").Should().BeTrue();
        await UntilAsync("k", x => !x.Paused);
        File.WriteAllText(flag, "");
        var view = await RunningAsync("k");
        (view.Restarts, view.Instances[0].Process).Should().Be((0, process));
    }

    [LinuxFact]
    public async Task An_extension_that_is_refused_leaves_what_was_in_force()
    {
        var keeper = new ScriptedKeeper { Refusal = x => x.For > TimeSpan.FromMinutes(30) ? "the disk is full" : null };
        Start(Sleeper("k"), keeper: keeper);
        await RunningAsync("k");
        (await PauseAsync("k", TimeSpan.FromMinutes(10))).Done.Should().BeTrue();
        IsStill("k").Should().BeTrue();

        var tooLong = await PauseAsync("k", TimeSpan.FromHours(2));
        (tooLong.Done, tooLong.Reason).Should().Be((false, "k: processes are restricted for 1h at most (Guardian:Leasekeeper:Longest)"));
        IsStill("k").Should().BeTrue();

        var refused = await PauseAsync("k", TimeSpan.FromMinutes(45));
        (refused.Done, refused.Reason).Should().Be((false, "k: the disk is full"));
        await Await.UntilAsync(() => IsStill("k"), Soon);
        (await _supervisor.Ask<KernelMitigations>(GetKernelMitigations.Instance, Soon)).Items.Single().Until.Should().BeBefore(DateTimeOffset.UtcNow.AddMinutes(11));
        (await AskAsync(new LiftKernels { Name = "k", Pauses = true, By = "operator/ann", Reason = "test" })).Done.Should().BeTrue();
        await Await.UntilAsync(() => !IsStill("k"), Soon);
    }

    [LinuxFact]
    public async Task A_lift_whose_undo_fails_says_so_and_is_tried_again()
    {
        var keeper = new ScriptedKeeper();
        Start(Sleeper("k"), keeper: keeper);
        await RunningAsync("k");
        (await PauseAsync("k", TimeSpan.FromMinutes(10))).Done.Should().BeTrue();
        keeper.ReleaseRefusal = "the leasekeeper did not answer";
        var lifted = await AskAsync(new LiftKernels { Name = "k", Pauses = true, By = "operator/ann", Reason = "test" });
        (lifted.Done, lifted.NotFound, lifted.Reason).Should().Be((false, false, "it is lifted and not undone yet, which is tried again: k: the leasekeeper did not answer"));
        var process = _directory.Find("k")!.Instances[0].Process!;
        ProcessTable.IsStopped(process).Should().BeTrue();
        keeper.ReleaseRefusal = null;
        await Await.UntilAsync(() => !ProcessTable.IsStopped(process), Soon);
    }

    [LinuxFact]
    public async Task A_crash_of_the_supervisor_forgets_no_end()
    {
        Start(Sleeper("k"), keeper: new ScriptedKeeper());
        await RunningAsync("k");
        (await PauseAsync("k", TimeSpan.FromSeconds(3))).Done.Should().BeTrue();
        IsStill("k").Should().BeTrue();
        _supervisor.Tell(new RestrictKernels { Which = null!, Percent = 0, By = "nobody", Until = default, Reason = "it throws" });
        await UntilAsync("k", x => !x.Paused);
        IsStill("k").Should().BeFalse();
    }

    [Fact]
    public async Task An_actor_kernel_that_crashes_is_made_anew_and_its_old_context_is_not_heard()
    {
        var contexts = new List<KernelContext>();
        var code = new KernelsOptions();
        code.Actor("shop", context =>
        {
            lock (contexts) contexts.Add(context);
            return Props.Create(() => new Crashing());
        }, x => x.BeatsItself = true);
        Start("  []\n", code);
        var first = await RunningAsync("shop");
        Sys.ActorSelection("/user/*/shop~*/replica-0/instance-*").Tell("crash");
        var second = await UntilAsync("shop", x => x.State == KernelState.Running && x.Instances[0].Epoch > first.Instances[0].Epoch);
        second.Instances[0].LastExit.Should().Be("InvalidOperationException: boom");
        var before = _hearts.Samples().Single();
        contexts[0].Beat();
        _hearts.Refused.Should().Be(1);
        _hearts.Samples().Single().LastBeat.Should().Be(before.LastBeat);
        contexts[1].Beat();
        _hearts.Samples().Single().LastBeat.Should().BeGreaterThan(before.LastBeat);
    }

    [Fact]
    public async Task A_watched_actor_is_pinged_missed_and_brought_back_by_its_owner()
    {
        var shop = Sys.ActorOf(Props.Create(() => new Shop()), "shop-of-the-application");
        var restarts = 0;
        var code = new KernelsOptions();
        code.Watch("shop", _ => Task.FromResult(shop), "ping",
            old => Task.FromResult(Sys.ActorOf(Props.Create(() => new Shop()), $"shop-{Interlocked.Increment(ref restarts)}")), x => x.HeartbeatEvery = TimeSpan.FromMilliseconds(50));
        Start("  []\n", code);
        await RunningAsync("shop");
        var first = _hearts.Samples().Single();
        await Await.UntilAsync(() => _hearts.Samples().Single().LastBeat > first.LastBeat, Soon);
        shop.Tell("mute");
        await Await.UntilAsync(() => !_directory.Find("shop")!.Instances[0].Heart!.Beats, Soon);
        shop.Tell(PoisonPill.Instance);
        var view = await UntilAsync("shop", x => x.State == KernelState.Running && x.Instances[0].Epoch > first.Epoch);
        view.Instances[0].LastExit.Should().Contain("shop-of-the-application terminated");
        await Await.UntilAsync(() => restarts == 1, Soon); // its owner is asked once the instance runs
        await Await.UntilAsync(() => _directory.Find("shop")!.Instances[0].Heart!.Beats, Soon);
    }

    private sealed class Shop : ReceiveActor
    {
        private bool _mute;

        public Shop() => Receive<string>(x =>
        {
            if (x == "mute") _mute = true;
            else if (!_mute) Sender.Tell("pong");
        });
    }

    [Fact]
    public async Task An_actor_kernel_is_told_when_it_is_throttled_and_paused_and_everything_ends_with_the_lease()
    {
        var probe = CreateTestProbe();
        KernelContext? context = null;
        var code = new KernelsOptions();
        code.Actor("shop", x =>
        {
            context = x;
            return Props.Create(() => new Telling(probe.Ref));
        });
        Start("  []\n", code);
        await RunningAsync("shop");
        var until = DateTimeOffset.UtcNow.AddSeconds(1);
        RestrictKernels Restrict(int percent, string by, DateTimeOffset end) => new() { Which = new KernelSelector { Classes = ["general"] }, Percent = percent, By = by, Until = end, Reason = "test" };
        (await AskAsync(Restrict(50, "run-1", DateTimeOffset.UtcNow.AddMinutes(5)))).Kernels.Should().Equal("shop");
        probe.ExpectMsg<KernelSignal>(Soon).Should().Be(new KernelSignal(false, 50));
        (await AskAsync(Restrict(0, "run-2", until))).Done.Should().BeTrue();
        probe.ExpectMsg<KernelSignal>(Soon).Paused.Should().BeTrue();
        _directory.Find("shop")!.Paused.Should().BeTrue();
        probe.ExpectMsg<KernelSignal>(Soon).Should().Be(new KernelSignal(false, 50), "the pause has lapsed and the throttle holds on");
        DateTimeOffset.UtcNow.Should().BeOnOrAfter(until);
        (await AskAsync(new LiftKernels { Pauses = false, By = "run-1", Reason = "undo" })).Done.Should().BeTrue();
        probe.ExpectMsg<KernelSignal>(Soon).Percent.Should().Be(100);
        context!.Percent.Should().Be(100);
        (await AskAsync(new LiftKernels { Pauses = false, By = "run-1", Reason = "undo" })).Done.Should().BeFalse();
    }

    private sealed class Telling : ReceiveActor
    {
        public Telling(IActorRef probe) => Receive<KernelSignal>(probe.Tell);
    }

    private sealed class Crashing : ReceiveActor
    {
        public Crashing() => Receive<string>(_ => throw new InvalidOperationException("boom"));
    }
}
