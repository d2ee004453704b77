using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Actors.Kernels;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Monitoring;

/// <summary>A real scheduler and real limits of the API; a script in place of the kernels. Time is the samples' own.</summary>
public sealed class PressureReleaseTests : TestKit
{
    private const string Key = "resource/cpu/n";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly string Run = IncidentKeys.Incident(IncidentKeys.Entity(Key), 1) + ".1";
    private readonly SchedulerBoard _board = new();
    private readonly ApiLimits _api = new(TimeProvider.System);
    private readonly IActorRef _scheduler;
    private readonly TestProbe _kernels;
    private readonly IActorRef _release;
    private List<Mitigation> _paused = [];
    private string? _held;

    public PressureReleaseTests()
    {
        _kernels = CreateTestProbe();
        _kernels.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            if (message is GetKernelMitigations) sender.Tell(new KernelMitigations(_paused));
            else if (message is LiftKernelMitigation lift)
            {
                _paused = [.. _paused.Where(x => x.Id != lift.Id)];
                sender.Tell(new KernelAnswer { Done = true });
            }

            return AutoPilot.KeepRunning;
        }));
        _scheduler = Sys.ActorOf(WorkScheduler.Props(
            new SchedulerMemory("n", _board, new LeaseSet<SchedulerMode>(TimeProvider.System)), (_, _) => new TaskCompletionSource<BusPort>().Task, TimeProvider.System));
        _release = Sys.ActorOf(PressureRelease.Props(new PressureRelease.Links(_kernels, _scheduler, _api, "n", () => _held), new StagedRelease(new ResourceMonitorOptions())));
    }

    private async Task ShedAsync(string owner)
    {
        var now = DateTimeOffset.UtcNow;
        _api.Set(owner, new Rate(10, TimeSpan.FromSeconds(1)), "test", now.AddSeconds(600)).Should().BeNull();
        await _scheduler.Ask<SchedulerAnswer>(new SetSchedulerMode(SchedulerMode.CriticalOnly, owner, "test", now.AddSeconds(700)), Soon);
        _paused = [.. _paused, new Mitigation { Id = $"kernel-pause:trainer:{owner}", Target = "kernel/trainer", Effect = "pause", Owner = owner, Reason = "test", Since = now, Until = now.AddSeconds(850) }];
    }

    private void Sample(double second, bool pressed, double? calm) => _release.Tell(new Calmness(
        TimeSpan.FromSeconds(second), [new ResourceCalm(Key, pressed, calm is { } known ? TimeSpan.FromSeconds(known) : null)]));

    private async Task<(int Api, SchedulerMode Mode, int Paused)> NowAsync()
    {
        await _scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, Soon);
        return (_api.Mitigations("n").Count, _board.Mode, _paused.Count);
    }

    [Fact]
    public async Task A_run_that_has_ended_gives_back_in_stages_and_keeps_the_rest_when_the_load_comes_back()
    {
        await ShedAsync(Run);
        Sample(1, pressed: true, 0);
        Sample(2, pressed: false, 9);
        Sample(3, pressed: false, 10);
        await AwaitAssertAsync(async () => (await NowAsync()).Should().Be((0, SchedulerMode.CriticalOnly, 1)), Soon);
        Sample(4, pressed: false, 11);
        (await NowAsync()).Mode.Should().Be(SchedulerMode.CriticalOnly, "five seconds are not over");
        Sample(8, pressed: false, 15);
        await AwaitAssertAsync(async () => (await NowAsync()).Should().Be((0, SchedulerMode.Normal, 1)), Soon);
        Sample(14, pressed: false, 0);
        Sample(23, pressed: false, 9);
        (await NowAsync()).Paused.Should().Be(1);
        Sample(24, pressed: false, 10);
        await AwaitAssertAsync(async () => (await NowAsync()).Should().Be((0, SchedulerMode.Normal, 0)), Soon);
    }

    [Fact]
    public async Task An_operators_restrictions_stay_and_under_a_hold_all_do()
    {
        await ShedAsync("operator/alice");
        await ShedAsync(Run);
        _held = "maintenance";
        Sample(1, pressed: true, 0);
        Sample(2, pressed: false, 10);
        await _release.Ask<ActorIdentity>(new Identify(null), Soon);
        (await NowAsync()).Should().Be((2, SchedulerMode.CriticalOnly, 2));
        _held = null;
        var second = 3.0;
        await AwaitAssertAsync(async () =>
        {
            Sample(second += 6, pressed: false, second + 8);
            (await NowAsync()).Should().Be((1, SchedulerMode.CriticalOnly, 1));
        }, Soon);
        _api.Mitigations("n").Single().Owner.Should().Be("operator/alice");
        _paused.Single().Owner.Should().Be("operator/alice");
    }
}
