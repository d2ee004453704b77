using System.Text.Json;
using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

public sealed class RunHistoryCheckerTests
{
    private long _ordering;

    [Fact]
    public void Runs_of_one_key_one_after_the_other_and_of_two_keys_at_once_are_fine() => RunHistoryChecker.Check(
    [
        Started("run-a.1", "a"), Started("run-b.1", "b"), Dispatched("run-a.1", "s", "a.1/s"), Recovered("run-a.1", 1), Dispatched("run-a.1", "s", "a.1/s"), Recovered("run-a.1", 2),
        Ended("run-a.1"), Started("run-a.2", "a"), Ended("run-b.1"), Ended("run-a.2"),
    ]).Should().BeEmpty();

    [Fact]
    public void Two_runs_at_once_for_a_key_are_told() =>
        RunHistoryChecker.Check([Started("run-a.1", "a"), Started("run-a.2", "a"), Ended("run-a.1"), Ended("run-a.2")]).Should().ContainSingle().Which.Should().Contain("run-a.2 began while run-a.1 was under way");

    [Fact]
    public void An_epoch_that_does_not_rise_is_told() =>
        RunHistoryChecker.Check([Started("run-a.1", "a"), Recovered("run-a.1", 2), Recovered("run-a.1", 2)]).Should().ContainSingle().Which.Should().Contain("epoch 2 after 2");

    [Fact]
    public void A_second_key_for_a_step_is_told() =>
        RunHistoryChecker.Check([Started("run-a.1", "a"), Dispatched("run-a.1", "s", "a.1/s"), Dispatched("run-a.1", "s", "a.1/s#2")]).Should().ContainSingle().Which.Should().Contain("several keys");

    [Fact]
    public void The_first_takeover_after_a_moment_counts()
    {
        List<RunRow> rows = [Started("run-a.1", "a"), Recovered("run-a.1", 1, 10), Recovered("run-a.1", 2, 20), Recovered("run-a.1", 3, 30)];
        RunHistoryChecker.TakenOver(rows, DateTimeOffset.UnixEpoch.AddSeconds(15)).Should().Be(DateTimeOffset.UnixEpoch.AddSeconds(20));
        RunHistoryChecker.TakenOver(rows, DateTimeOffset.UnixEpoch.AddSeconds(30)).Should().BeNull();
    }

    private RunRow Started(string id, string key) => Row(id, RunHistoryChecker.Started, new { incidentKey = key });

    private RunRow Dispatched(string id, string step, string key) => Row(id, RunHistoryChecker.Dispatched, new { stepId = step, key });

    private RunRow Recovered(string id, long epoch, int second = 0) => Row(id, RunHistoryChecker.Recovered, new { epoch, at = DateTimeOffset.UnixEpoch.AddSeconds(second) });

    private RunRow Ended(string id) => Row(id, RunHistoryChecker.Ended, new { });

    private RunRow Row(string id, string manifest, object e) => new(++_ordering, id, manifest, JsonSerializer.SerializeToElement(e));
}
