using System.Text.Json;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Actions;

public class NodeAgentTests : TestKit
{
    private readonly CountingAction _action = new();
    private readonly ModeView _mode = new(OperatingMode.Enforce, _ => OperatingMode.Enforce);

    private IActorRef Agent(AgentLimits? limits = null) => Sys.ActorOf(NodeAgent.Props(
        new GuardianRegistry([], [_action], [new EchoProbe()]), _mode, TimeProvider.System, limits));

    private static DispatchAction Dispatch(string key = "run/step", int attempt = 1, long epoch = 1, string input = """{ "how": "succeed" }""",
        bool undo = false, string? cancels = null, TimeSpan? within = null, string action = "test.count") => new()
    {
        Key = key, Epoch = epoch, Attempt = attempt, RunId = "run", IncidentKey = "acl/principal/rogue", IncidentId = "i-1", Playbook = "fix",
        Action = action, Input = JsonElement.Parse(input), Undo = undo, Cancels = cancels, Deadline = DateTimeOffset.UtcNow + (within ?? TimeSpan.FromSeconds(30)),
    };

    private async Task<ActionOutcome> Outcome() => await ExpectMsgAsync<ActionOutcome>(TimeSpan.FromSeconds(20));

    [Fact]
    public async Task A_thousand_duplicates_are_one_execution()
    {
        var agent = Agent();
        for (var i = 0; i < 1_000; i++) agent.Tell(Dispatch());
        var outcome = await Outcome();
        outcome.Kind.Should().Be(OutcomeKind.Succeeded);
        outcome.Output!.Value.GetProperty("count").GetInt32().Should().Be(1);
        agent.Tell(Dispatch(attempt: 2));
        (await FishForMessageAsync<ActionOutcome>(x => x.Attempt == 2)).Output!.Value.GetProperty("count").GetInt32().Should().Be(1);
        _action.Executions.Should().Be(1);
    }

    [Fact]
    public async Task A_failure_is_replayed_within_its_attempt_and_the_next_attempt_is_carried_out()
    {
        var agent = Agent();
        agent.Tell(Dispatch(input: """{ "how": "fail" }"""));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Failed && x.Reason == "refused on purpose");
        agent.Tell(Dispatch());
        (await Outcome()).Kind.Should().Be(OutcomeKind.Failed);
        agent.Tell(Dispatch(attempt: 2));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.Executions.Should().Be(2);
    }

    [Fact]
    public async Task A_crash_of_an_action_is_a_failure_with_type_and_message()
    {
        Agent().Tell(Dispatch(input: """{ "how": "crash" }"""));
        (await Outcome()).Reason.Should().Be("InvalidOperationException: boom");
    }

    [Theory]
    [InlineData("obey")]
    [InlineData("hang")]
    public async Task Past_its_deadline_the_outcome_is_unknown(string how)
    {
        var agent = Agent();
        agent.Tell(Dispatch(input: $$"""{ "how": "{{how}}" }""", within: TimeSpan.FromMilliseconds(200)));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Unknown);
        if (how != "hang") return;
        agent.Tell(GetAgentStatus.Instance);
        (await ExpectMsgAsync<AgentStatus>()).Hanging.Should().Be(1);
        _action.Release.SetResult();
        await AwaitAssertAsync(async () =>
        {
            agent.Tell(Dispatch());
            (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded, "the agent learned how it ended");
        });
        _action.Executions.Should().Be(1);
    }

    [Fact]
    public async Task A_late_arrival_is_never_started()
    {
        Agent().Tell(Dispatch(within: TimeSpan.FromSeconds(-1)));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Failed);
        _action.Executions.Should().Be(0);
    }

    [Fact]
    public async Task During_a_hold_a_dispatch_is_not_answered_and_an_undo_is_carried_out()
    {
        var agent = Agent();
        _mode.Swap(OperatingMode.Enforce, "maintenance");
        agent.Tell(Dispatch());
        agent.Tell(Dispatch("other/undo", undo: true));
        (await Outcome()).Key.Should().Be("other/undo");
        _action.Executions.Should().Be(0);
        _action.Undos.Should().Be(1);
        _mode.Swap(OperatingMode.Enforce, null);
        agent.Tell(Dispatch());
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step" && x.Kind == OutcomeKind.Succeeded);
    }

    [Theory]
    [InlineData(OperatingMode.Observe, null, false)]
    [InlineData(OperatingMode.Observe, "alice", false)]
    [InlineData(OperatingMode.Propose, null, false)]
    [InlineData(OperatingMode.Propose, "alice", true)]
    [InlineData(OperatingMode.Enforce, null, true)]
    public async Task The_mode_of_the_node_itself_counts_too(OperatingMode mode, string? approvedBy, bool acts)
    {
        var agent = Agent();
        _mode.Swap(mode, null);
        agent.Tell(Dispatch() with { ApprovedBy = approvedBy });
        var outcome = await Outcome();
        (outcome.Kind, _action.Executions).Should().Be(acts ? (OutcomeKind.Succeeded, 1) : (OutcomeKind.Failed, 0));
        if (!acts) outcome.Reason.Should().Contain("Guardian:Mode");
        agent.Tell(Dispatch("run/step/undo", undo: true, cancels: "run/step"));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step/undo" && x.Kind == OutcomeKind.Succeeded, "an undo is always carried out");
    }

    [Fact]
    public async Task A_hold_stops_what_has_begun_and_has_no_effect_yet_and_its_run_may_ask_again()
    {
        var agent = Agent();
        agent.Tell(Dispatch(input: """{ "how": "late" }"""));
        await AwaitAssertAsync(() => _action.Executions.Should().Be(1));
        _mode.Swap(OperatingMode.Enforce, "maintenance");
        _action.Release.SetResult();
        await AwaitConditionAsync(async () => (await agent.Ask<AgentStatus>(GetAgentStatus.Instance)).Running == 0, TimeSpan.FromSeconds(10));
        _mode.Swap(OperatingMode.Enforce, null);
        agent.Tell(Dispatch(input: """{ "how": "late" }"""));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Succeeded && x.Output!.Value.GetProperty("count").GetInt32() == 2, "nothing was answered during the hold");
    }

    [Fact]
    public async Task An_approval_by_default_is_no_operators()
    {
        var agent = Agent();
        agent.Tell(Dispatch() with { ApprovedBy = "default, since nobody decided within 1m", ApprovedByDefault = true });
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.ApprovedBy.Should().BeNull();
        agent.Tell(Dispatch("other") with { ApprovedBy = "alice" });
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.ApprovedBy.Should().Be("alice");
    }

    [Fact]
    public async Task An_undo_cancels_the_running_act_first()
    {
        var agent = Agent();
        agent.Tell(Dispatch(input: """{ "how": "obey" }"""));
        await AwaitAssertAsync(() => _action.Executions.Should().Be(1));
        agent.Tell(Dispatch("run/step/undo", undo: true, cancels: "run/step"));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step" && x.Kind == OutcomeKind.Unknown);
        _action.Undos.Should().Be(0);
        agent.Tell(Dispatch("run/step/undo", undo: true, cancels: "run/step"));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step/undo" && x.Kind == OutcomeKind.Succeeded);
        agent.Tell(Dispatch(attempt: 2));
        (await Outcome()).Reason.Should().Contain("cancelled");
        _action.Executions.Should().Be(1);
    }

    /// <summary>An effect that comes after its undo would stay: the undo waits until the act has really ended.</summary>
    [Fact]
    public async Task An_undo_waits_for_an_act_that_was_left_behind()
    {
        var agent = Agent();
        agent.Tell(Dispatch(input: """{ "how": "hang" }""", within: TimeSpan.FromMilliseconds(200)));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Unknown);
        var undo = Dispatch("run/step/undo", undo: true, cancels: "run/step");
        agent.Tell(undo);
        agent.Tell(new CancelAction { Key = "run/step", RunId = "run", Epoch = 1 });
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step" && x.Kind == OutcomeKind.Unknown, "whoever cancels is told what is known");
        _action.Undos.Should().Be(0);

        _action.Release.SetResult();

        await AwaitAssertAsync(() =>
        {
            agent.Tell(undo);
            _action.Undos.Should().Be(1);
        });
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/step/undo" && x.Kind == OutcomeKind.Succeeded);
        _action.Executions.Should().Be(1);
    }

    /// <summary>A shard that moves is nobody's failure: the run is told nothing, asks, and what was not done is done in the same attempt.</summary>
    [Fact]
    public async Task What_nobody_answers_is_left_open_and_done_in_the_same_attempt()
    {
        _action.Silent = CreateTestProbe();
        var agent = Agent();
        var lost = Dispatch(input: """{ "how": "unreachable" }""", within: TimeSpan.FromMilliseconds(200));
        agent.Tell(lost);
        await AwaitAssertAsync(async () => (await agent.Ask<AgentStatus>(GetAgentStatus.Instance)).Should().Match<AgentStatus>(x => x.Executed == 1 && x.Running == 0));
        await AwaitConditionAsync(() => Task.FromResult(DateTimeOffset.UtcNow > lost.Deadline)); // a timer may end the work a little before
        agent.Tell(lost); // a repeat under way when the time was over
        agent.Tell(new ResolveAction { Dispatch = lost });
        (await Outcome()).Kind.Should().Be(OutcomeKind.NotDone);
        agent.Tell(Dispatch());
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.Executions.Should().Be(2);
        agent.Tell(Dispatch("run/undone", input: """{ "how": "unreachable" }"""));
        await AwaitAssertAsync(() => _action.Executions.Should().Be(3));
        agent.Tell(new CancelAction { Key = "run/undone", RunId = "run", Epoch = 1 });
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/undone" && x.Kind == OutcomeKind.Unknown, "whoever cancels waits for an answer");
        await ExpectNoMsgAsync(TimeSpan.FromMilliseconds(100));
    }

    /// <summary>A question that was repeated is looked into once more, and meanwhile the run has asked anew.</summary>
    [Fact]
    public async Task What_a_look_finds_is_no_answer_to_an_order_that_came_meanwhile()
    {
        _action.Repeatable = true;
        var agent = Agent();
        agent.Tell(new ResolveAction { Dispatch = Dispatch(epoch: 2, input: """{ "how": "fog" }""") });
        await AwaitAssertAsync(() => _action.Looks.Should().Be(1));
        agent.Tell(Dispatch(epoch: 2));
        agent.Tell(Dispatch(epoch: 2)); // repeated
        _action.Release.SetResult();
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Unknown && x.Attempt == 0);
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Succeeded && x.Attempt == 1);
        _action.Executions.Should().Be(1);
        await ExpectNoMsgAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_key_that_is_called_off_is_refused_when_it_comes_late()
    {
        var agent = Agent();
        agent.Tell(new CancelAction { Key = "run/step", RunId = "run", Epoch = 2 });
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Failed && x.Reason!.Contains("before it was carried out"));
        agent.Tell(Dispatch(epoch: 2));
        (await Outcome()).Reason.Should().Contain("cancelled");
        agent.Tell(Dispatch("run/other", epoch: 1));
        (await Outcome()).Reason.Should().Contain("epoch 1 of run is over");
        agent.Tell(Dispatch("run/third", epoch: 2, input: """{ "how": "obey" }"""));
        await AwaitAssertAsync(() => _action.Executions.Should().Be(1));
        agent.Tell(new CancelAction { Key = "run/third", RunId = "run", Epoch = 2 });
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "run/third" && x.Kind == OutcomeKind.Unknown);
    }

    [Fact]
    public async Task A_never_seen_key_is_probed_and_the_answer_recorded()
    {
        var agent = Agent();
        agent.Tell(new ResolveAction { Dispatch = Dispatch("a", within: TimeSpan.FromSeconds(-9)) });
        (await Outcome()).Kind.Should().Be(OutcomeKind.NotDone);
        _action.Effect = true;
        agent.Tell(new ResolveAction { Dispatch = Dispatch("b") });
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        agent.Tell(Dispatch("b"));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.Executions.Should().Be(0);
        agent.Tell(new ResolveAction { Dispatch = Dispatch("c/undo", undo: true) });
        (await Outcome()).Kind.Should().Be(OutcomeKind.NotDone, "the effect is there, so its undo was not carried out");
        agent.Tell(Dispatch("a"));
        (await Outcome()).Kind.Should().Be(OutcomeKind.Succeeded);
        _action.Executions.Should().Be(1);
    }

    [Fact]
    public async Task A_full_agent_says_so_and_what_waits_is_carried_out()
    {
        var agent = Agent(new AgentLimits(Concurrent: 1, Queue: 1));
        agent.Tell(Dispatch("1", input: """{ "how": "hang" }"""));
        agent.Tell(Dispatch("2"));
        agent.Tell(Dispatch("3"));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "3" && x.Kind == OutcomeKind.Failed && x.Reason!.Contains("full"));
        _action.Release.SetResult();
        (await Outcome()).Key.Should().Be("1");
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Key == "2" && x.Kind == OutcomeKind.Succeeded);
    }

    [Theory]
    [InlineData("""{ }""", "field 'how' is missing")]
    [InlineData("""{ "how": "x", "who": 1 }""", "unknown field 'who'")]
    [InlineData("""{ "how": 5 }""", "field 'how' must be of type String")]
    [InlineData("""{ "how": "x", "for": "soon" }""", "'soon' is not a duration")]
    public async Task A_wrong_input_fails_with_the_field(string input, string reason)
    {
        Agent().Tell(Dispatch(input: input));
        (await Outcome()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Failed && x.Reason!.Contains(reason));
        _action.Executions.Should().Be(0);
    }

    [Fact]
    public async Task Probes_answer_with_a_result_or_with_an_error()
    {
        var agent = Agent();
        RunProbe Probe(string name, string with, double seconds = 30) => new()
        {
            Id = "p", Probe = name, With = JsonElement.Parse(with), Deadline = DateTimeOffset.UtcNow.AddSeconds(seconds),
        };
        agent.Tell(Probe("test.echo", """{ "text": "hi" }"""));
        (await ExpectMsgAsync<ProbeAnswer>()).Result!.Value.GetProperty("text").GetString().Should().Be("hi");
        agent.Tell(Probe("test.echo", """{ "text": "blind" }"""));
        (await ExpectMsgAsync<ProbeAnswer>()).Error.Should().Be("no sensor");
        agent.Tell(Probe("test.echo", """{ "text": "slow" }""", 0.2));
        (await ExpectMsgAsync<ProbeAnswer>(TimeSpan.FromSeconds(20))).Error.Should().Contain("no answer");
        agent.Tell(Probe("test.nope", "{}"));
        (await ExpectMsgAsync<ProbeAnswer>()).Error.Should().Contain("test.echo");
    }

    /// <summary>A run asks again every half second, under a new id: that must not use up the node's measurements.</summary>
    [Fact]
    public async Task Repeats_of_a_question_wait_for_the_measurement_under_way()
    {
        var probe = new EchoProbe();
        var agent = Sys.ActorOf(NodeAgent.Props(new GuardianRegistry([], [], [probe]), _mode, TimeProvider.System, new AgentLimits(Probes: 2)));
        RunProbe Question(string id, string text, double seconds = 30) => new()
        {
            Id = id, Probe = "test.echo", With = JsonSerializer.SerializeToElement(new { text }), Deadline = DateTimeOffset.UtcNow.AddSeconds(seconds),
        };
        for (var i = 1; i <= 100; i++) agent.Tell(Question($"run/quiet/{i}", "held"));
        var second = CreateTestProbe();
        agent.Tell(Question("run/quiet/7", "held"), second);
        agent.Tell(Question("run/bus/1", "hi"));
        (await ExpectMsgAsync<ProbeAnswer>()).Should().Match<ProbeAnswer>(x => x.Id == "run/bus/1" && x.Result != null);

        probe.Release.SetResult();

        (await ExpectMsgAsync<ProbeAnswer>()).Should().Match<ProbeAnswer>(x => x.Id == "run/quiet/100" && x.Result != null);
        (await second.ExpectMsgAsync<ProbeAnswer>()).Id.Should().Be("run/quiet/7");
        probe.Held.Should().Be(1);
        agent.Tell(Question("run/quiet/101", "held"));
        (await ExpectMsgAsync<ProbeAnswer>()).Id.Should().Be("run/quiet/101");
        probe.Held.Should().Be(2, "what was answered is measured anew");
    }

    [Fact]
    public async Task A_measurement_that_does_not_end_is_not_begun_again()
    {
        var probe = new EchoProbe();
        var agent = Sys.ActorOf(NodeAgent.Props(new GuardianRegistry([], [], [probe]), _mode, TimeProvider.System));
        RunProbe Question(string id) => new() { Id = id, Probe = "test.echo", With = JsonElement.Parse("""{ "text": "held" }"""), Deadline = DateTimeOffset.UtcNow.AddSeconds(0.2) };
        agent.Tell(Question("run/quiet/1"));
        (await ExpectMsgAsync<ProbeAnswer>(TimeSpan.FromSeconds(20))).Error.Should().Contain("no answer");
        agent.Tell(Question("run/quiet/2"));
        (await ExpectMsgAsync<ProbeAnswer>()).Error.Should().Contain("still goes on");
        probe.Release.SetResult();
        await AwaitAssertAsync(async () => (await agent.Ask<AgentStatus>(GetAgentStatus.Instance)).Probing.Should().Be(0));
        probe.Held.Should().Be(1);
        await ExpectNoMsgAsync(TimeSpan.FromMilliseconds(50));
    }

    internal sealed record CountInput(string How, Duration? For = null);

    internal sealed record CountOutput(int Count);

    private sealed class CountingAction : GuardianAction<CountInput, CountOutput>
    {
        private int _executions;
        private int _undos;
        private int _looks;

        public int Looks => Volatile.Read(ref _looks);

        public IActorRef? Silent { get; set; }

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public bool Effect { get; set; }
        public int Executions => Volatile.Read(ref _executions);
        public int Undos => Volatile.Read(ref _undos);
        public override string Name => "test.count";
        public override RiskClass Risk => RiskClass.Contain;
        public override bool HasUndo => true;
        public override bool Idempotent => Repeatable;
        public bool Repeatable { get; set; }
        public string? ApprovedBy { get; private set; }

        public override async Task<CountOutput> ExecuteAsync(CountInput input, ActionContext context, CancellationToken cancellation)
        {
            var count = Interlocked.Increment(ref _executions);
            ApprovedBy = context.ApprovedBy;
            switch (input.How)
            {
                case "fail": throw new ActionFailedException("refused on purpose");
                case "crash": throw new InvalidOperationException("boom");
                case "obey": await Task.Delay(Timeout.Infinite, cancellation); break;
                case "unreachable": await Asking.UntilAnsweredAsync<CountOutput>(Silent!, "?", cancellation); break;
                case "hang": await Release.Task; break;
                case "late":
                    await Release.Task;
                    context.StopWhereHeld();
                    break;
            }

            return new CountOutput(count);
        }

        public override Task UndoAsync(CountInput input, CountOutput? output, ActionContext context, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _undos);
            return Task.CompletedTask;
        }

        public override async Task<(OutcomeKind Kind, CountOutput? Output)> ProbeAsync(CountInput input, ActionContext context, CancellationToken cancellation)
        {
            if (input.How == "fog")
            {
                Interlocked.Increment(ref _looks);
                await Release.Task;
                return (OutcomeKind.Unknown, null);
            }

            return Effect ? (OutcomeKind.Succeeded, new CountOutput(7)) : (OutcomeKind.NotDone, null);
        }
    }

    internal sealed record EchoInput(string Text);

    private sealed class EchoProbe : GuardianProbe<EchoInput, EchoInput>
    {
        private int _held;

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Held => Volatile.Read(ref _held);

        public override string Name => "test.echo";

        public override async Task<EchoInput> MeasureAsync(EchoInput input, CancellationToken cancellation)
        {
            if (input.Text == "blind") throw new ActionFailedException("no sensor");
            if (input.Text == "held")
            {
                Interlocked.Increment(ref _held);
                await Release.Task;
            }

            if (input.Text == "slow") await Task.Delay(Timeout.Infinite, cancellation);
            return input;
        }
    }
}
