using CsCheck;
using Guardian.Actors.Kernels;

namespace Guardian.Tests.Kernels;

public sealed class ReplicaMachineTests
{
    private static readonly RestartSpec Spec = new() { Max = 3, Within = TimeSpan.FromSeconds(60), HealthyAfter = TimeSpan.FromSeconds(10) };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_crash_is_followed_by_a_start_with_the_next_epoch()
    {
        var machine = new ReplicaMachine(Spec, 40);
        machine.Want(At(0)).Command.Should().Be(ReplicaCommand.Start);
        machine.Epoch.Should().Be(41);
        machine.Started(At(0));
        machine.Ready();
        machine.Ended(At(20), "signal 9", 1).Should().Be(new ReplicaStep(ReplicaCommand.Start));
        (machine.Epoch, machine.Restarts, machine.LastExit).Should().Be((42L, 1L, "signal 9"));
    }

    [Fact]
    public void At_the_limit_only_a_command_starts_it_again()
    {
        var machine = new ReplicaMachine(Spec, 0);
        var step = machine.Want(At(0));
        for (var i = 1; machine.State != KernelState.CrashLoop; i++)
        {
            if (step.Command == ReplicaCommand.Wait) step = machine.WaitOver(At(i));
            step.Command.Should().Be(ReplicaCommand.Start);
            machine.Started(At(i));
            machine.Ready();
            step = machine.Ended(At(i), "exit code 1", 1);
        }

        machine.Restarts.Should().Be(4, "three restarts, and the end that was one too many");
        machine.Want(At(100)).Command.Should().Be(ReplicaCommand.None);
        machine.Replace(At(100), kill: false).Command.Should().Be(ReplicaCommand.Start);
    }

    [Fact]
    public void What_is_stopped_while_it_is_being_started_is_ended_once_it_exists()
    {
        var machine = new ReplicaMachine(Spec, 0);
        machine.Want(At(0));
        machine.Unwant();
        machine.State.Should().Be(KernelState.Stopping);
        machine.Started(At(1)).Command.Should().Be(ReplicaCommand.Stop);
        machine.Want(At(1)).Command.Should().Be(ReplicaCommand.None, "the old one still lives");
        machine.Ended(At(2), "exit code 0", 1).Command.Should().NotBe(ReplicaCommand.None);
    }

    /// <summary>A world with at most one process, driven at random: the machine never asks for a second one, and never forgets a wanted one.</summary>
    [Fact]
    public void There_are_never_two_instances_and_never_none_without_a_reason() => Gen.Int[0, 7].Array[1, 200].Sample(events =>
    {
        var machine = new ReplicaMachine(Spec, 0);
        var (alive, spawning, waiting, now) = (false, false, false, 0d);
        foreach (var e in events)
        {
            now += 0.7;
            var step = e switch
            {
                0 => machine.Want(At(now)),
                1 => machine.Unwant(),
                2 => machine.Replace(At(now), kill: true),
                3 when spawning => Spawned(),
                4 when spawning => Failed(),
                5 when alive => Died(),
                6 when waiting => WaitOver(),
                7 when alive => machine.NotReady(),
                _ => ReplicaStep.Nothing,
            };
            if (step.Command == ReplicaCommand.Start)
            {
                (alive || spawning).Should().BeFalse("one lives already");
                spawning = true;
            }

            if (step.Command == ReplicaCommand.Wait) waiting = true;
            machine.Alive.Should().Be(alive || spawning);
            if (!machine.Alive) machine.State.Should().BeOneOf(KernelState.Stopped, KernelState.BackingOff, KernelState.CrashLoop);
            if (machine.State == KernelState.BackingOff) waiting.Should().BeTrue("somebody must wake it");
        }

        ReplicaStep Spawned()
        {
            (alive, spawning) = (true, false);
            var step = machine.Started(At(now));
            if (now % 2 < 1) machine.Ready();
            return step;
        }

        ReplicaStep Failed()
        {
            spawning = false;
            return machine.Ended(At(now), "no such program", 0.5);
        }

        ReplicaStep Died()
        {
            alive = false;
            return machine.Ended(At(now), "signal 9", 0.5);
        }

        ReplicaStep WaitOver()
        {
            waiting = false;
            return machine.WaitOver(At(now));
        }
    });
}
