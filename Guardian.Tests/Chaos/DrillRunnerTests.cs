using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;

namespace Guardian.Tests.Chaos;

/// <summary>The runner against a node with one bug planted at a time: each must turn the scenario red.</summary>
public class DrillRunnerTests
{
    private static readonly DrillTiming Quick = new()
    {
        Poll = TimeSpan.FromMilliseconds(10), WarmUp = TimeSpan.FromMilliseconds(200), SteadyWithin = TimeSpan.FromMilliseconds(300),
        Grace = TimeSpan.FromMilliseconds(500), Settle = TimeSpan.FromSeconds(1),
    };

    /// <summary>Bounds wide enough for a busy machine; what each test looks at is not the machine's speed.</summary>
    private static readonly string Roomy = ChaosTexts.SpamText
        .Replace("detectWithin: 1s", "detectWithin: 5s", StringComparison.Ordinal).Replace("bannedWithin: 1s", "bannedWithin: 5s", StringComparison.Ordinal)
        .Replace("slack: 20ms", "slack: 5s", StringComparison.Ordinal);

    [Fact]
    public Task A_node_that_heals_passes() => ExpectAsync(new ScriptedTarget(), Verdict.Pass, "");

    [Fact]
    public Task A_node_that_heals_too_late_fails() => ExpectAsync(new ScriptedTarget { HealAfter = TimeSpan.FromSeconds(1.5) }, Verdict.Fail, "detected after",
        Roomy.Replace("detectWithin: 5s", "detectWithin: 500ms", StringComparison.Ordinal).Replace("over: 400ms", "over: 2s", StringComparison.Ordinal));

    [Fact]
    public Task A_node_that_never_heals_fails() => ExpectAsync(new ScriptedTarget { HealAfter = null }, Verdict.Fail, "no incident was opened",
        Roomy.Replace("10s", "500ms", StringComparison.Ordinal).Replace("5s", "500ms", StringComparison.Ordinal).Replace("00ms00ms", "00ms", StringComparison.Ordinal));

    [Fact]
    public Task The_wrong_playbook_fails() => ExpectAsync(new ScriptedTarget { Playbook = "another" }, Verdict.Fail, "was answered by another",
        Roomy.Replace("10s", "1s", StringComparison.Ordinal));

    [Fact]
    public Task Healing_without_the_chain_fails() => ExpectAsync(new ScriptedTarget { RaisesIncident = false }, Verdict.Fail, "no incident was opened",
        Roomy.Replace("10s", "1s", StringComparison.Ordinal).Replace("detectWithin: 5s", "detectWithin: 1s", StringComparison.Ordinal));

    [Fact]
    public Task A_forbidden_message_that_is_delivered_is_unsafe() => ExpectAsync(new ScriptedTarget { DeliversForbidden = true }, Verdict.Unsafe, "forbidden messages were delivered");

    [Fact]
    public Task An_accepted_flood_is_unsafe() => ExpectAsync(new ScriptedTarget { FloodAnswer = PublishOutcome.Accepted }, Verdict.Unsafe, "forbidden messages were accepted",
        Roomy.Replace("10s", "1s", StringComparison.Ordinal).Replace("5s", "1s", StringComparison.Ordinal));

    [Fact]
    public Task A_doubled_message_is_unsafe() => ExpectAsync(new ScriptedTarget { DoublesOne = true }, Verdict.Unsafe, "Doubled");

    [Fact]
    public Task A_lost_message_is_unsafe() => ExpectAsync(new ScriptedTarget { LosesOne = true }, Verdict.Unsafe, "Lost");

    [Fact]
    public Task What_is_still_under_way_when_the_load_ends_is_waited_for() => ExpectAsync(new ScriptedTarget { LateBy = TimeSpan.FromMilliseconds(400) }, Verdict.Pass, "", timing: Quick with { Settle = TimeSpan.FromSeconds(10) });

    [Fact]
    public Task What_does_not_arrive_in_time_is_lost() => ExpectAsync(new ScriptedTarget { LateBy = TimeSpan.FromSeconds(20) }, Verdict.Unsafe, "Lost");

    [Fact]
    public Task Without_evidence_it_is_inconclusive() => ExpectAsync(new ScriptedTarget { FloodAnswer = PublishOutcome.RateLimited }, Verdict.Inconclusive, "no evidence",
        Roomy.Replace("10s", "1s", StringComparison.Ordinal).Replace("5s", "1s", StringComparison.Ordinal));

    [Fact]
    public Task Without_a_steady_state_to_begin_with_it_is_a_harness_error() => ExpectAsync(new ScriptedTarget { Healthy = false }, Verdict.HarnessError, "no steady state to begin with");

    [Fact]
    public Task A_hurt_load_breaches_the_guardrail() => ExpectAsync(new ScriptedTarget { DeniesTheLoad = true }, Verdict.Aborted, "guardrail: ");

    [Fact]
    public Task The_control_passes_on_a_calm_node() => ExpectAsync(new ScriptedTarget(), Verdict.Pass, "", ChaosTexts.ControlText);

    [Fact]
    public Task The_control_fails_when_something_acts() => ExpectAsync(new ScriptedTarget { ActsWithoutCause = true }, Verdict.Fail, "incidents: 1, expected 0",
        ChaosTexts.ControlText.Replace("rate: 500/s", "rate: 250/s", StringComparison.Ordinal).Replace("duration: 800ms", "duration: 2s", StringComparison.Ordinal), Quick with { WarmUp = TimeSpan.Zero });

    [Fact]
    public async Task A_scenario_may_load_for_longer_before_anything_is_measured()
    {
        var text = Roomy.Replace("rate: 500/s", "rate: 500/s, warmUp: 700ms", StringComparison.Ordinal);
        var record = await new DrillRunner(new ScriptedTarget(), TimeProvider.System, DrillLog.None, _ => { }, Quick).RunAsync(new ScenarioPlan(ChaosTexts.Spam(text), 1), default).WaitAsync(TimeSpan.FromSeconds(60));
        record.Windows[0].From.Should().BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(700));
    }

    [Theory]
    [InlineData("message_bus_acl_violation_fix", true)]
    [InlineData("another", false)]
    public async Task A_playbook_that_ran_a_moment_ago_is_let_cool_down(string playbook, bool waits)
    {
        var before = DateTimeOffset.UtcNow;
        var target = new ScriptedTarget { RanBefore = before, Playbook = playbook };
        var said = new List<string>();
        await new DrillRunner(target, TimeProvider.System, DrillLog.None, phase =>
        {
            if (phase == "cooling down") target.Published.Should().Be(0);
            if (phase == "fault" && waits) (DateTimeOffset.UtcNow - before).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(3));
            said.Add(phase);
        }, Quick with { CoolDown = TimeSpan.FromSeconds(3) }).RunAsync(new ScenarioPlan(ChaosTexts.Spam(Roomy), 1), default).WaitAsync(TimeSpan.FromSeconds(60));
        said.Contains("cooling down").Should().Be(waits);
        said.Should().Contain("fault");
    }

    [Fact]
    public async Task The_operator_stops_it_within_two_seconds_and_nothing_more_is_sent()
    {
        var target = new ScriptedTarget();
        var plan = new ScenarioPlan(ChaosTexts.Spam(Roomy.Replace("over: 400ms", "over: 20s", StringComparison.Ordinal)), 1);
        using var abort = new CancellationTokenSource();
        var said = new List<string>();
        var run = new DrillRunner(target, TimeProvider.System, DrillLog.None, phase =>
        {
            said.Add(phase);
            if (phase == "fault") abort.CancelAfter(TimeSpan.FromMilliseconds(100));
        }, Quick).RunAsync(plan, abort.Token);
        var record = await run.WaitAsync(TimeSpan.FromSeconds(30));
        var sent = target.Published;
        DrillJudge.Judge(plan, record).Verdict.Should().Be(Verdict.Aborted);
        record.Withdrawn.Should().NotBeNull();
        (record.Ended - record.Injected!.Value).Should().BeLessThan(TimeSpan.FromSeconds(5), "the flood alone would have taken 20 s");
        target.Published.Should().Be(sent);
    }

    [Fact]
    public async Task The_undo_is_on_disk_before_the_fault()
    {
        using var stream = new MemoryStream();
        using (var log = new DrillLog(stream))
        {
            await new DrillRunner(new ScriptedTarget(), TimeProvider.System, log, _ => { }, Quick).RunAsync(new ScenarioPlan(ChaosTexts.Spam(Roomy), 1), default);
        }

        var kinds = System.Text.Encoding.UTF8.GetString(stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(x => System.Text.Json.JsonDocument.Parse(x).RootElement.GetProperty("kind").GetString()).ToList();
        kinds.IndexOf("undo-planned").Should().BeGreaterThanOrEqualTo(0).And.BeLessThan(kinds.IndexOf("fault-injected"));
        kinds.IndexOf("fault-injected").Should().BeLessThan(kinds.IndexOf("fault-withdrawn"));
        kinds.Should().Contain("operation").And.Contain("delivery").And.Contain("latency-window");
    }

    private static async Task ExpectAsync(ScriptedTarget target, Verdict verdict, string reason, string? text = null, DrillTiming? timing = null)
    {
        var plan = new ScenarioPlan(ChaosTexts.Read(text ?? Roomy), 1);
        var record = await new DrillRunner(target, TimeProvider.System, DrillLog.None, _ => { }, timing ?? Quick).RunAsync(plan, default).WaitAsync(TimeSpan.FromSeconds(60));
        var judgement = DrillJudge.Judge(plan, record);
        judgement.Verdict.Should().Be(verdict, string.Join("; ", judgement.Reasons));
        if (reason.Length > 0) judgement.Reasons.Should().Contain(x => x.Contains(reason, StringComparison.Ordinal));
    }
}
