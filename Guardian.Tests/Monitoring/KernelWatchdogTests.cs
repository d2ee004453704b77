using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Incidents;
using Guardian.Actors.Kernels;
using Guardian.Actors.Monitoring;
using Guardian.Tests.Mitigations;

namespace Guardian.Tests.Monitoring;

/// <summary>The watchdog as an actor: its own timer, hearts on a clock that the test moves, incidents that are repeated until accepted.</summary>
public sealed class KernelWatchdogTests : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly HeartbeatSpec Spec = new() { Every = TimeSpan.FromSeconds(1), MissAfter = TimeSpan.FromSeconds(3) };

    private readonly JumpingTime _time = new();
    private readonly TestProbe _incidents;
    private readonly TestProbe _looks;
    private readonly HeartbeatBoard _hearts;
    private readonly KernelDirectory _directory = new();
    private readonly KernelWatchdogState _state;

    public KernelWatchdogTests()
    {
        (_incidents, _looks) = (CreateTestProbe(), CreateTestProbe());
        Sys.EventStream.Subscribe(_looks, typeof(HeartbeatsLooked));
        _hearts = new HeartbeatBoard(_time);
        _state = new KernelWatchdogState(new HeartbeatMonitorOptions { Interval = TimeSpan.FromMilliseconds(20) }, "n1", DateTimeOffset.UnixEpoch)
        {
            Detector = new HeartbeatDetector(TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(10)), // the steps in which these tests move the clock are no lateness
        };
    }

    private IActorRef Start()
    {
        var watchdog = Sys.ActorOf(KernelWatchdog.Props(new KernelWatchdog.Links(_incidents, _hearts, _directory, _time), _state));
        Pass(0);
        return watchdog;
    }

    /// <summary>So many seconds go by, and the watchdog has looked twice since: what it had to say was said.</summary>
    private void Pass(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        var now = _hearts.Now;
        for (var i = 0; i < 2; i++) _looks.FishForMessage<HeartbeatsLooked>(x => x.Now >= now, Soon);
    }

    private IncidentRaised Raised() => _incidents.ExpectMsg<IncidentRaised>(Soon);

    private void Accept(IActorRef watchdog, IncidentRaised raised) =>
        watchdog.Tell(new IncidentAccepted { Key = raised.Key, IncidentId = "i", Detection = raised.Detection, Episode = raised.Episode, Violations = 0 });

    [Fact]
    public void A_silent_kernel_is_raised_until_it_is_accepted_and_anew_when_the_incident_is_over()
    {
        var heart = _hearts.Register("k", 0, 7, Spec);
        var watchdog = Start();
        Pass(2.9);
        heart.Beat();
        Pass(2.9);
        _incidents.HasMessages.Should().BeFalse("a pause below the threshold is nothing");
        Pass(0.1);
        var raised = Raised();
        (raised.Type, raised.Subject, raised.Key).Should().Be(("kernel.heartbeat_missed", "k", "kernel/n1/k"));
        (raised.Evidence!.Value.GetProperty("epoch").GetInt64(), raised.Evidence.Value.GetProperty("replica").GetInt32(), raised.Evidence.Value.GetProperty("silentMs").GetInt64()).Should().Be((7, 0, 3_000));
        Pass(5);
        Raised().Detection.Should().Be(raised.Detection, "it is repeated");
        Accept(watchdog, raised);
        Pass(5);
        _incidents.HasMessages.Should().BeFalse("it is accepted");
        watchdog.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
        Pass(1);
        var anew = Raised();
        (anew.Detection == raised.Detection, anew.Episode == raised.Episode).Should().Be((false, false), "what is still silent is a new trouble");
    }

    [Fact]
    public void A_watchdog_that_was_late_itself_doubts_itself_and_blames_nobody()
    {
        var heart = _hearts.Register("k", 0, 1, Spec);
        Start();
        Pass(60); // as if the whole process had been held still
        _state.Detector.Doubts.Should().Be(1);
        _incidents.HasMessages.Should().BeFalse();
        heart.Beat();
        Pass(2.9);
        _incidents.HasMessages.Should().BeFalse();
        Pass(0.1);
        Raised().Subject.Should().Be("k");
        _state.Detector.Doubts.Should().Be(1);
    }

    [Fact]
    public void An_instance_that_was_replaced_cannot_beat_for_its_successor()
    {
        var old = _hearts.Register("k", 0, 1, Spec);
        _hearts.Register("k", 0, 2, Spec);
        Start();
        for (var i = 0; i < 3; i++)
        {
            old.Beat();
            Pass(1);
        }

        Raised().Evidence!.Value.GetProperty("epoch").GetInt64().Should().Be(2);
        _hearts.Refused.Should().Be(3);
    }

    [Fact]
    public void A_crash_loop_is_raised_once()
    {
        var watchdog = Start();
        _directory.Set(new KernelView
        {
            Name = "k", Type = KernelType.Process, Criticality = KernelCriticality.Normal, Class = "general", State = KernelState.CrashLoop, Reason = "exit code 3",
            Replicas = new ReplicaSpec(), Restarts = 6, CrashLoops = 1,
        });
        var raised = Raised();
        (raised.Type, raised.Evidence!.Value.GetProperty("reason").GetString()).Should().Be(("kernel.crash_loop", "exit code 3"));
        Accept(watchdog, raised);
        Pass(5);
        _incidents.HasMessages.Should().BeFalse();
    }
}
