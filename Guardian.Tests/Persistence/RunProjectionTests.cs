using System.Text.Json;
using Guardian.Actors.Persistence;
using Guardian.Playbooks.Execution;
using static Guardian.Tests.Persistence.Stories;

namespace Guardian.Tests.Persistence;

public sealed class RunProjectionTests
{
    private static RunDetail Fold(params IEnumerable<RunEvent> events) => RunProjection.View(events.Aggregate((RunState?)null, RunProjection.Apply)!);

    [Fact]
    public void A_resolved_run_shows_each_step_with_its_outcome()
    {
        var run = Fold(Run("a-1.1"));

        run.Should().Match<RunDetail>(x => x.State == "resolved" && x.EndedAt == Start.AddSeconds(11) && x.Incident == "a-1" && x.Reason == "verified");
        run.Steps.Select(x => (x.Id, x.State, x.Attempt)).Should().Equal(("ban", "succeeded", 2), ("restart", "skipped", 0), ("tell", "succeeded", 1));
        run.Steps[0].StartedAt.Should().Be(Start.AddSeconds(1), "it is the first attempt's");
        run.Steps[0].Output!.Value.GetProperty("until").GetString().Should().Be("later");
        run.Verify.Single().Should().Match<VerifyDetail>(x => x.Passed == true && x.Reason == null);
        run.Explain.Should().Contain(x => x.Contains("incident.violations >= 10 (12)")).And.Contain(x => x.Contains("restart: skipped"));
    }

    [Fact]
    public void States_are_written_in_snake_case()
    {
        Fold(Started("r", "kill"), new StepApprovalRequested { At = Start, StepId = "kill", Input = Json("{}"), Reason = "destroy" })
            .Should().Match<RunDetail>(x => x.State == "awaiting_approval" && x.Steps[0].State == "awaiting_approval");
        Fold(Started("r", "ban"), Dispatched("ban"), new StepFailed { At = Start, StepId = "ban", Reason = "slow", TimedOut = true }).Steps[0].State.Should().Be("timed_out");
        Fold([.. Run("a-1.1").Take(8)]).Steps[2].State.Should().Be("unknown");
    }

    [Fact]
    public void A_start_that_comes_again_and_a_run_without_start_change_nothing()
    {
        Fold([.. Run("a-1.1"), Started("a-1.1", "ban")]).State.Should().Be("resolved");
        RunProjection.Apply(null, Dispatched("ban")).Should().BeNull();
    }

    [Fact]
    public void A_fold_that_was_stored_goes_on_as_if_it_had_not_been()
    {
        RunState? straight = null, stored = null;
        foreach (var e in Run("a-1.1"))
        {
            straight = RunProjection.Apply(straight, e);
            stored = JsonSerializer.Deserialize(JsonSerializer.Serialize(RunProjection.Apply(stored, e)!, ProjectionJson.Default.RunState), ProjectionJson.Default.RunState);
            JsonSerializer.Serialize(stored!, ProjectionJson.Default.RunState).Should().Be(JsonSerializer.Serialize(straight!, ProjectionJson.Default.RunState));
        }
    }
}
