using CsCheck;
using Guardian.Actors.Kernels;
using Guardian.Actors.Scheduling;

namespace Guardian.Tests.Scheduling;

public sealed class JobQueueTests
{
    private static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_more_urgent_goes_first_and_equals_in_their_order()
    {
        var queue = new JobQueue(10);
        queue.Add("a", 5, T0);
        queue.Add("b", 5, T0.AddSeconds(1));
        queue.Add("c", 9, T0.AddSeconds(2));
        queue.Add("d", 0, T0);
        new[] { queue.Take(), queue.Take(), queue.Take(), queue.Take(), queue.Take() }.Should().Equal("c", "a", "b", "d", null);
    }

    [Fact]
    public void Nobody_starves_under_a_stream_of_the_most_urgent()
    {
        var queue = new JobQueue(1_000);
        queue.Add("old", JobQueue.Lowest, T0);
        var taken = "";
        var seconds = 0;
        for (; taken != "old"; seconds++)
        {
            queue.Add($"urgent {seconds}", JobQueue.Highest, T0.AddSeconds(seconds));
            taken = queue.Take()!;
        }

        seconds.Should().BeInRange(270, 272, "nine steps of priority are worth 30 s each");
    }

    [Fact]
    public void A_job_that_is_back_keeps_its_age()
    {
        var queue = new JobQueue(10);
        queue.Add("a", 5, T0);
        queue.Add("b", 5, T0.AddSeconds(1));
        var first = queue.Take()!;
        queue.Add(first, 5, T0);
        queue.Take().Should().Be("a");
    }

    /// <summary>Whatever is added and taken, each job comes out once, and never after one that was both older and not less urgent.</summary>
    [Fact]
    public void Each_job_comes_out_once_and_in_order() => Gen.Select(Gen.Int[0, 9], Gen.Int[0, 500]).Array[1, 100].Sample(jobs =>
    {
        var queue = new JobQueue(1_000);
        for (var i = 0; i < jobs.Length; i++) queue.Add($"{i}", jobs[i].Item1, T0.AddSeconds(jobs[i].Item2));
        var order = new List<int>();
        while (queue.Take() is { } id) order.Add(int.Parse(id, System.Globalization.CultureInfo.InvariantCulture));
        order.Should().OnlyHaveUniqueItems().And.HaveCount(jobs.Length);
        for (var i = 1; i < order.Count; i++)
        {
            var (before, after) = (jobs[order[i - 1]], jobs[order[i]]);
            (after.Item1 > before.Item1 && after.Item2 < before.Item2).Should().BeFalse();
        }
    });

    [Theory]
    [InlineData(4, 100, KernelCriticality.Background, SchedulerMode.Normal, 4)]
    [InlineData(4, 50, KernelCriticality.Background, SchedulerMode.Normal, 2)]
    [InlineData(4, 100, KernelCriticality.Background, SchedulerMode.Reduced, 0)]
    [InlineData(4, 100, KernelCriticality.Normal, SchedulerMode.Reduced, 2)]
    [InlineData(4, 30, KernelCriticality.Normal, SchedulerMode.Reduced, 1)]
    [InlineData(4, 100, KernelCriticality.Critical, SchedulerMode.Reduced, 4)]
    [InlineData(4, 100, KernelCriticality.Normal, SchedulerMode.CriticalOnly, 0)]
    [InlineData(4, 100, KernelCriticality.Critical, SchedulerMode.CriticalOnly, 4)]
    [InlineData(4, 0, KernelCriticality.Critical, SchedulerMode.Normal, 0)]
    [InlineData(0, 100, KernelCriticality.Critical, SchedulerMode.Normal, 0)]
    internal void Workers_throttle_and_mode_decide_how_many_run(int workers, int percent, KernelCriticality criticality, SchedulerMode mode, int allowed) =>
        JobBook.Allowed(workers, percent, criticality, mode).Should().Be(allowed);
}
