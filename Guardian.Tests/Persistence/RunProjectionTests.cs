using Guardian.Actors.Persistence;
using Guardian.Playbooks.Execution;
using static Guardian.Tests.Persistence.Stories;

namespace Guardian.Tests.Persistence;

public sealed class RunProjectionTests
{
    private static RunDetail Fold(params IEnumerable<RunEvent> events) => events.Aggregate((RunDetail?)null, RunProjection.Apply)!;

    [Fact]
    public void A_resolved_run_shows_each_step_with_its_outcome()
    {
        var run = Fold(Run("a-1.1"));

        run.Should().Match<RunDetail>(x => x.State == "resolved" && x.EndedAt == Start.AddSeconds(11) && x.Incident == "a-1" && x.Reason == "verified");
        run.Steps.Select(x => (x.Id, x.State, x.Attempt)).Should().Equal(("ban", "succeeded", 2), ("restart", "skipped", 0), ("tell", "succeeded", 1));
        run.Steps[0].StartedAt.Should().Be(Start.AddSeconds(1), "it is the first attempt's");
        run.Steps[0].Output!.Value.GetProperty("until").GetString().Should().Be("later");
        run.Verify.Single().Should().Match<VerifyDetail>(x => x.Passed == true && x.Reason == null);
        run.Explain.Should().Equal(
            "incident.violations >= 10 (12)", "ban run on n1", "restart skipped: incident.violations > 200 was false (12)", "tell run on n1", "resolved: verified");
    }

    [Fact]
    public void A_crash_makes_a_dispatched_step_unknown() =>
        Fold([.. Run("a-1.1").Take(8)]).Steps[2].State.Should().Be("unknown");

    [Fact]
    public void A_retry_is_still_running_and_the_last_failure_is_not()
    {
        Fold([.. Run("a-1.1").Take(3)]).Steps[0].Should().Match<StepDetail>(x => x.State == "running" && x.Reason == "busy" && x.EndedAt == null);
        Fold(Started("r", "ban"), Dispatched("ban"), new StepFailed { At = Start, StepId = "ban", Reason = "slow", TimedOut = true }).Steps[0].State.Should().Be("timed_out");
        Fold(Started("r", "ban"), Dispatched("ban"), new StepFailed { At = Start, StepId = "ban", Reason = "?", Unknown = true }).Steps[0].State.Should().Be("unknown");
    }

    [Fact]
    public void Undo_is_shown_step_by_step()
    {
        RunEvent[] events =
        [
            Started("r", "ban", "limit"), Dispatched("ban"), new StepSucceeded { At = Start, StepId = "ban", Output = Json("{}") },
            Dispatched("limit"), new StepFailed { At = Start, StepId = "limit", Reason = "no" },
            new RollbackStarted { At = Start, Reason = "limit failed", StepIds = ["limit", "ban"], Then = RunPhase.RolledBack },
        ];
        var rolling = Fold(events);
        rolling.State.Should().Be("rolling_back");
        rolling.Steps.Select(x => x.Undo).Should().Equal("pending", "pending");

        var done = Fold([.. events,
            new UndoDispatched { At = Start, StepId = "limit", Attempt = 1, Key = "k", Deadline = Start },
            new UndoEnded { At = Start, StepId = "limit", Undone = false, Reason = "gone" },
            new UndoDispatched { At = Start, StepId = "ban", Attempt = 1, Key = "k", Deadline = Start },
            new UndoEnded { At = Start, StepId = "ban", Undone = true },
            new RunEnded { At = Start, Phase = RunPhase.RolledBack, Reason = "limit failed" }]);
        done.State.Should().Be("rolled_back");
        done.Steps.Select(x => (x.State, x.Undo)).Should().Equal(("undone", "undone"), ("undo_failed", "failed"));
    }

    [Theory]
    [InlineData(0, "pending")]
    [InlineData(1, "running")]
    [InlineData(2, "verifying")]
    public void A_released_run_is_where_it_was(int done, string expected)
    {
        var events = new List<RunEvent> { Started("r", "a", "b") };
        foreach (var step in new[] { "a", "b" }.Take(done)) events.Add(new StepSkipped { At = Start, StepId = step, Reason = "x" });
        events.Add(new RunHeld { At = Start, Reason = "hold by ops" });
        Fold(events).Should().Match<RunDetail>(x => x.State == "holding" && x.Reason == "hold by ops");

        Fold([.. events, new RunReleased { At = Start }]).State.Should().Be(expected);
    }

    [Fact]
    public void Approval_waits_and_goes_on()
    {
        RunEvent[] waiting = [Started("r", "kill"), new StepApprovalRequested { At = Start, StepId = "kill", Input = Json("{}"), Reason = "destroy" }];
        Fold(waiting).Should().Match<RunDetail>(x => x.State == "awaiting_approval" && x.Steps[0].State == "awaiting_approval");

        Fold([.. waiting, new StepApprovalDecided { At = Start, StepId = "kill", Approved = true, By = "ops" }]).Should()
            .Match<RunDetail>(x => x.State == "running" && x.Steps[0].State == "pending" && x.Steps[0].Reason == "approved by ops");
    }

    [Fact]
    public void A_run_whose_start_is_not_known_is_passed_over() => RunProjection.Apply(null, Dispatched("ban")).Should().BeNull();
}
