using System.Text.Json;
using CsCheck;
using Guardian.Actors.Kernels;

namespace Guardian.Tests.Kernels;

public sealed class JobBookTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static JobAccepted Accepted(string id, int seconds = 0) => new() { Id = id, At = T0.AddSeconds(seconds), Command = "index", Payload = "p", Priority = 5, By = "operator/test" };

    [Fact]
    public void A_failure_is_tried_again_and_the_last_one_ends_the_job()
    {
        var book = new JobBook("k", 10);
        book.Apply(Accepted("a"));
        book.Take()!.Accepted.Id.Should().Be("a");
        book.Apply(new JobStarted { Id = "a", At = T0, Attempt = 1 });
        var failed = new JobResult(JobState.Failed, 3, "oops", "exit code 3");
        var again = JobBook.After(book.Find("a")!, 2, failed, T0);
        again.Should().BeOfType<JobRequeued>().Which.Reason.Should().Contain("attempt 1 of 2");
        book.Apply(again);
        book.View("a")!.State.Should().Be(JobState.Queued);
        book.Take();
        book.Apply(new JobStarted { Id = "a", At = T0, Attempt = 2 });
        book.Apply(JobBook.After(book.Find("a")!, 2, failed, T0));
        book.View("a").Should().Match<JobView>(x => x.State == JobState.Failed && x.ExitCode == 3 && x.Output == "oops" && x.Attempt == 2);
        (book.Accepted, book.Over, book.Waiting, book.Running).Should().Be((1L, 1L, 0, 0));
    }

    [Fact]
    public void What_kills_its_node_again_and_again_is_kept_as_failed_with_its_payload_and_tried_once_more_on_command()
    {
        var book = new JobBook("k", 10);
        book.Apply(Accepted("a"));
        JobEvent after = new JobRequeued { Id = "a", At = T0, Reason = "" };
        for (var attempt = 1; after is JobRequeued; attempt++)
        {
            attempt.Should().BeLessThanOrEqualTo(JobBook.UnknownAttempts);
            book.Take().Should().NotBeNull();
            book.Apply(new JobStarted { Id = "a", At = T0, Attempt = attempt });
            book.Apply(after = JobBook.Unknown(book.Find("a")!, 1, T0));
        }

        book.View("a").Should().Match<JobView>(x => x.State == JobState.Failed && x.Attempt == 3 && x.Payload == "p" && x.Reason!.Contains("3 times"));
        (book.Over, book.Failed, book.Requeued, book.Take()).Should().Be((1L, 1L, 2L, null));
        book.List(JobState.Failed, 10).Should().ContainSingle();

        book.Apply(new JobRetried { Id = "a", At = T0, By = "operator/test" });
        (book.Over, book.Failed, book.MayRetry("a")).Should().Be((0L, 0L, false));
        book.Take()!.Accepted.Payload.Should().Be("p");
        book.Apply(new JobStarted { Id = "a", At = T0, Attempt = 4 });
        book.Apply(JobBook.After(book.Find("a")!, 3, new JobResult(JobState.Succeeded, 0), T0));
        book.View("a").Should().Match<JobView>(x => x.State == JobState.Succeeded && x.Payload == "");
        book.Apply(new JobRetried { Id = "a", At = T0, By = "operator/test" });
        book.View("a")!.State.Should().Be(JobState.Succeeded);
    }

    [Fact]
    public void Only_the_newest_that_are_over_are_kept()
    {
        var book = new JobBook("k", 10);
        for (var i = 0; i < JobBook.MaxEnded + 5; i++)
        {
            book.Apply(Accepted($"{i}"));
            book.Apply(new JobEnded { Id = $"{i}", At = T0, State = "succeeded" });
        }

        book.View("4").Should().BeNull();
        book.View("5")!.State.Should().Be(JobState.Succeeded);
        book.Over.Should().Be(JobBook.MaxEnded + 5);
    }

    /// <summary>A snapshot anywhere, written and read, changes nothing that follows.</summary>
    [Fact]
    public void A_snapshot_is_as_good_as_the_events() => Gen.Select(Gen.Int[0, 5], Gen.Int[0, 4]).Array[1, 120].Sample((steps) =>
    {
        var events = steps.Select((x, i) => (JobEvent)(x.Item2 switch
        {
            0 => Accepted($"{x.Item1}", i),
            1 => new JobStarted { Id = $"{x.Item1}", At = T0.AddSeconds(i), Attempt = 1 },
            2 => new JobRequeued { Id = $"{x.Item1}", At = T0.AddSeconds(i), Reason = "r" },
            3 => new JobRetried { Id = $"{x.Item1}", At = T0.AddSeconds(i), By = "b" },
            _ => new JobEnded { Id = $"{x.Item1}", At = T0.AddSeconds(i), State = "failed", Reason = "r" },
        })).ToList();
        var (whole, restored) = (new JobBook("k", 100), new JobBook("k", 100));
        var half = new JobBook("k", 100);
        foreach (var e in events.Take(events.Count / 2)) half.Apply(e);
        var json = JsonSerializer.Serialize(half.ToSnapshot(), JobsJson.Default.JobsSnapshot);
        restored.Restore(JsonSerializer.Deserialize(json, JobsJson.Default.JobsSnapshot)!);
        foreach (var e in events) whole.Apply(e);
        foreach (var e in events.Skip(events.Count / 2)) restored.Apply(e);
        JsonSerializer.Serialize(restored.ToSnapshot(), JobsJson.Default.JobsSnapshot).Should().Be(JsonSerializer.Serialize(whole.ToSnapshot(), JobsJson.Default.JobsSnapshot));
        while (whole.Take() is { } job) restored.Take()!.Accepted.Should().Be(job.Accepted);
        restored.Take().Should().BeNull();
    });
}
