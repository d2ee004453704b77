using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Replay;
using Guardian.Host.Cli;
using Guardian.Tests.Monitoring;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Replay;

public sealed class TraceReplayTests : TestKit
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("guardian-trace-");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _folder.Delete(recursive: true);
    }

    private static TraceLine Line(double seconds, double cpu)
    {
        var sample = ResourceDetectorTests.Sample(seconds, cpu);
        return new TraceLine { At = sample.At, Resources = sample };
    }

    /// <summary>Through JSON, as a recorded trace comes.</summary>
    private static IReadOnlyList<ReplayedIncident> Replay(IEnumerable<TraceLine> lines)
    {
        var replay = new TraceReplay(new MonitorOptions());
        replay.Add(new TraceLine { At = T0, Node = "n1" });
        foreach (var line in lines) replay.Add(TraceLine.Parse(line.ToJson()));
        return replay.Incidents;
    }

    [Fact]
    public void Three_minutes_that_swing_around_the_limit_are_at_most_one_incident()
    {
        var trace = Enumerable.Range(0, 180).Select(t => Line(t, t % 7 < 4 ? 92 : 68)).ToList();
        Replay(trace).Should().BeEmpty();
        var heavier = Enumerable.Range(0, 180).Select(t => Line(t, t % 7 < 6 ? 92 : 68));
        Replay(heavier).Should().ContainSingle().Which.Over.Should().BeNull();
    }

    [Fact]
    public void A_replay_tells_when_what_and_why()
    {
        var incident = Replay(Enumerable.Range(0, 120).Select(t => Line(t, t is >= 20 and < 60 ? 97 : 20))).Should().ContainSingle().Subject;
        (incident.Type, incident.Key, incident.Subject, incident.Occurrences).Should().Be(("resource.cpu_pressure", "resource/cpu/n1", "cpu of n1", 1));
        incident.Because.Should().Contain("97 % of test").And.Contain("80 %");
        (incident.Over!.Value - incident.At).TotalSeconds.Should().BeInRange(35, 45);
    }

    [Fact]
    public void Violations_are_replayed_with_the_detector_of_the_bus()
    {
        var digest = Digest(1, [Row(1, "rogue", "system.control", [.. Enumerable.Range(0, 20).Select(i => T0.AddMilliseconds(i))], 20, control: true)]);
        var incidents = Replay([new TraceLine { At = T0.AddSeconds(1), Violations = digest }]);
        incidents.Should().OnlyContain(x => x.Key == "acl/principal/rogue").And.ContainSingle().Which.Occurrences.Should().Be(3, "three rules fired in one stretch of trouble");
        incidents[0].Type.Should().Be(AclIncidents.ControlTopicFlood);
    }

    [Fact]
    public void Heartbeats_are_replayed_from_what_changed()
    {
        HeartbeatSample Heart(string kernel, double lastBeat) => new(kernel, 0, 1, TimeSpan.FromSeconds(lastBeat), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        var trace = new HeartbeatTrace();
        var lines = new List<TraceLine>();
        for (var tick = 0; tick < 120; tick++)
        {
            var now = tick / 10.0;
            HeartbeatSample[] samples = [Heart("steady", Math.Floor(now)), .. tick < 110 ? [Heart("mute", now < 8 ? Math.Min(2, Math.Floor(now)) : Math.Floor(now))] : (HeartbeatSample[])[]];
            lines.Add(new TraceLine { At = T0.AddSeconds(now), Heartbeats = trace.Difference(samples, TimeSpan.FromSeconds(now)) });
        }

        lines[5].Heartbeats!.Beats.Should().BeEmpty("nothing has beaten since the look before");
        lines[110].Heartbeats!.Gone.Should().Equal("mute/0");
        var incident = Replay(lines).Should().ContainSingle().Subject;
        (incident.Key, incident.Subject).Should().Be(("kernel/n1/mute", "mute"));
        ((incident.At - T0).TotalSeconds, (incident.Over!.Value - T0).TotalSeconds).Should().Be((5, 8));
    }

    [Fact]
    public void A_trace_is_bounded_and_every_file_begins_with_its_node()
    {
        var options = new RecordOptions { MaxBytes = 4_000, Files = 3 };
        var line = Line(1, 50).ToJson();
        for (var start = 0; start < 2; start++)
        {
            using var files = new TraceFiles(_folder.FullName, "n1", options, TimeProvider.System);
            for (var i = 0; i < 50; i++) files.Append(line);
        }

        var names = _folder.GetFiles().OrderBy(x => x.Name, StringComparer.Ordinal).ToList();
        names.Select(x => x.Name).Should().Equal("trace.1.jsonl", "trace.2.jsonl", "trace.jsonl");
        names.Should().OnlyContain(x => x.Length <= 4_000);
        foreach (var file in names)
        {
            var lines = System.IO.File.ReadAllLines(file.FullName);
            TraceLine.Parse(lines[0]).Node.Should().Be("n1");
            lines.Skip(1).Should().OnlyContain(x => x == line);
        }
    }

    [Fact]
    public async Task What_a_node_records_the_command_replays()
    {
        var mediator = CreateTestProbe();
        var recorder = Sys.ActorOf(TraceRecorder.Props(mediator, () => new TraceFiles(_folder.FullName, "n1", new RecordOptions(), TimeProvider.System), TimeProvider.System));
        (await mediator.ExpectMsgAsync<Subscribe>()).Topic.Should().Be(ViolationDigest.Topic);
        for (var t = 0; t < 30; t++) Sys.EventStream.Publish(new Sampled(ResourceDetectorTests.Sample(t, t < 5 ? 10 : 99), null));
        recorder.Tell(Digest(1, [Row(1, "rogue", "library.x", [], 5)]));
        var file = TraceFiles.Current(_folder.FullName);
        await AwaitAssertAsync(() => System.IO.File.ReadAllLines(file).Should().HaveCount(32), TimeSpan.FromSeconds(20));

        var (output, error) = (new StringWriter(), new StringWriter());
        (await GuardianCli.RunAsync(["replay", file, "--json"], output, error)).Should().Be(0, error.ToString());
        output.ToString().Should().Contain("resource/cpu/n1").And.NotContain("rogue");

        var policy = Path.Combine(_folder.FullName, "next.yaml");
        await System.IO.File.WriteAllTextAsync(policy, "apiVersion: guardian/v1\nkind: AccessPolicy\nprincipals:\n  rogue: { publish: { allow: [library.x] } }\n");
        (await GuardianCli.RunAsync(["policy", "diff", policy, "--trace", file], output = new StringWriter(), error)).Should().Be(1, error.ToString());
        output.ToString().Should().Contain("rogue").And.Contain("allowed (principals/rogue/publish/allow/0)");
        await System.IO.File.AppendAllTextAsync(file, "{ cut of\n");
        (await GuardianCli.RunAsync(["replay", file, "--Guardian:Monitors:Resources:Cpu:Enter=100", "--Guardian:Monitors:Resources:Sustained=1m"], output = new StringWriter(), error)).Should().Be(1);
        error.ToString().Should().Contain("trace.jsonl:33:");
        output.ToString().Should().Contain("no incident in 33 lines");
        (await GuardianCli.RunAsync(["replay", file + ".no"], output, error)).Should().Be(2);
    }
}
