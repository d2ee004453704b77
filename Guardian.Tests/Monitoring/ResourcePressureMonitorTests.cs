using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;

namespace Guardian.Tests.Monitoring;

public class ResourcePressureMonitorTests : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly ScriptedMachine _machine = new();
    private readonly TestProbe _incidents;
    private readonly ResourceView _view = new();
    private readonly ResourceMonitorState _state;
    private readonly IActorRef _monitor;

    public ResourcePressureMonitorTests()
    {
        _incidents = CreateTestProbe();
        // Nothing was open when it started, so that what it ends at once is confirmed at once.
        _incidents.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            if (message is IncidentCleared x && IsOfStart(x)) sender.Tell(new IncidentOver { Key = x.Key, Episode = x.Episode });
            return AutoPilot.KeepRunning;
        }));
        // A second of the script passes in 125 ms near the limit, so that ten of them take little more than one.
        _state = new ResourceMonitorState(new ResourceMonitorOptions { Interval = TimeSpan.FromMilliseconds(500), SensorFailure = TimeSpan.FromSeconds(2) }, "n1", DateTimeOffset.UnixEpoch);
        _monitor = Sys.ActorOf(ResourcePressureMonitor.Props(
            new ResourcePressureMonitor.Links(_incidents, _ => new TaskCompletionSource<BusPort>().Task, () => _machine, _machine, _view, TimeProvider.System), _state));
    }

    private static bool IsOfStart(IncidentCleared x) => x.Episode.EndsWith("-start", StringComparison.Ordinal);

    private async Task<IncidentCleared> ClearedAsync() => (IncidentCleared)await _incidents.FishForMessageAsync(x => x is IncidentCleared cleared && !IsOfStart(cleared), Soon);

    private async Task<IncidentRaised> RaisedAsync() => (IncidentRaised)await _incidents.FishForMessageAsync(x => x is IncidentRaised, Soon);

    private void Accept(IncidentRaised raised) =>
        _monitor.Tell(new IncidentAccepted { Key = raised.Key, IncidentId = "i", Detection = raised.Detection, Episode = raised.Episode });

    [Fact]
    public async Task Pressure_is_raised_until_accepted_with_evidence_and_its_end_is_told_until_confirmed()
    {
        _machine.Cpu = 99;
        var raised = await RaisedAsync();
        (raised.Key, raised.Type, raised.Subject, raised.Severity, raised.Violations).Should().Be(("resource/cpu/n1", "resource.cpu_pressure", "cpu of n1", "high", null));
        var evidence = raised.Evidence!.Value;
        evidence.GetProperty("value").GetDouble().Should().Be(99);
        evidence.GetProperty("enter").GetDouble().Should().Be(80);
        evidence.GetProperty("source").GetString().Should().Be("script");
        evidence.GetProperty("sample").GetProperty("cpu").GetProperty("ageMs").GetInt64().Should().Be(0);
        var top = evidence.GetProperty("processes").EnumerateArray().First();
        (top.GetProperty("name").GetString(), top.GetProperty("cgroup").GetString()).Should().Be(("burner", "/group"));
        top.GetProperty("cpu").GetDouble().Should().BeApproximately(100, 0.1);
        (await RaisedAsync()).Detection.Should().Be(raised.Detection, "nobody has accepted it");
        Accept(raised);
        _view.Pressed.Should().Contain("resource/cpu/n1");

        _machine.Cpu = 5;
        var cleared = await ClearedAsync();
        cleared.Should().Match<IncidentCleared>(x => x.Key == raised.Key && x.Episode == raised.Episode && x.Reason.Contains("60 %"));
        await ClearedAsync();
        _monitor.Tell(new IncidentOver { Key = raised.Key, Episode = raised.Episode });
        await AwaitAssertAsync(() => _state.Ends.Should().BeEmpty(), Soon);
        _view.Pressed.Should().BeEmpty();
    }

    [Fact]
    public async Task Pressure_that_ends_before_its_incident_was_accepted_is_told_first_and_its_end_afterwards()
    {
        _machine.Cpu = 95;
        var raised = await RaisedAsync();
        _machine.Cpu = 5;
        await AwaitConditionAsync(() => Task.FromResult(_state.Ends.ContainsKey(raised.Key)), Soon);
        // From here on the end would be told, too.
        _incidents.Ref.Tell("end", ActorRefs.NoSender);
        await _incidents.FishForMessageAsync(x => x is "end" ? true : x is IncidentCleared c && c.Key == raised.Key ? throw new InvalidOperationException("told before") : false, Soon);
        for (var i = 0; i < 3; i++)
            await _incidents.FishForMessageAsync(x => x is IncidentRaised || (x is IncidentCleared c && c.Key == raised.Key ? throw new InvalidOperationException("told before") : false), Soon);

        Accept(raised);
        (await ClearedAsync()).Episode.Should().Be(raised.Episode);
    }

    [Fact]
    public async Task A_sampler_that_fails_is_a_failed_sensor_until_it_works_again()
    {
        await AwaitAssertAsync(() => _machine.Taken.Should().BeGreaterThan(2), Soon);
        _machine.Broken = true;
        // The script's clock is not the machine's: a silent sampler is measured on the machine's.
        var raised = await RaisedAsync();
        (raised.Key, raised.Type).Should().Be(("sensor/sampler/n1", "sensor_failure"));
        raised.Evidence!.Value.GetProperty("reason").GetString().Should().Contain("no sample");
        Accept(raised);
        _machine.Broken = false;
        (await ClearedAsync()).Should().Match<IncidentCleared>(x => x.Key == raised.Key && x.Episode == raised.Episode);
    }

    [Fact]
    public async Task What_was_raised_before_the_start_is_told_to_be_over_when_it_is_calm_and_only_then()
    {
        _machine.Memory = null; // not known is not calm
        HashSet<string> ended = [];
        while (!ended.Contains("resource/cpu/n1"))
        {
            var end = (IncidentCleared)await _incidents.FishForMessageAsync(x => x is IncidentCleared, Soon);
            ended.Add(end.Key);
            IsOfStart(end).Should().BeTrue();
            if (end.Key == "resource/cpu/n1") end.Reason.Should().Be("below 60 % for 10s");
        }

        ended.Should().BeSubsetOf(["sensor/sampler/n1", "sensor/cpu/n1", "sensor/memory/n1", "resource/cpu/n1"]).And.Contain(["sensor/sampler/n1", "sensor/cpu/n1"]);
        await AwaitAssertAsync(() => _state.Ends.Should().BeEmpty("each is confirmed"), Soon);
    }
}
