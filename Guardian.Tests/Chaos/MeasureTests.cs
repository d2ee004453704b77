using CsCheck;
using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

public class MeasureTests
{
    [Fact]
    public void Recovery_is_the_start_of_the_first_unbroken_window()
    {
        var window = new StableWindow(Ms(300));
        window.Add(Ms(0), Ms(10), true);
        window.Add(Ms(200), Ms(210), true);
        window.Add(Ms(290), Ms(295), false);
        window.Add(Ms(300), Ms(310), true);
        window.Add(Ms(590), Ms(599), true);
        window.Start.Should().BeNull();
        window.Add(Ms(600), Ms(601), true);
        window.Start.Should().Be(Ms(300));
        window.Add(Ms(700), Ms(701), false);
        window.Start.Should().Be(Ms(300));
    }

    [Fact]
    public void The_window_found_is_unbroken_and_the_first() =>
        Gen.Bool.List[1, 60].Sample(samples =>
        {
            var window = new StableWindow(Ms(50));
            for (var i = 0; i < samples.Count; i++) window.Add(Ms(i * 10), Ms(i * 10), samples[i]);
            var first = Enumerable.Range(0, samples.Count).Where(i => i + 5 < samples.Count && samples.Skip(i).Take(6).All(x => x)).Select(i => (TimeSpan?)Ms(i * 10)).FirstOrDefault();
            window.Start.Should().Be(first);
        });

    [Theory]
    [InlineData(2, 21, true)]
    [InlineData(2, 22, true)]
    [InlineData(2, 23, false)]
    [InlineData(50, 100, true)]
    [InlineData(50, 101, false)]
    public void Latency_may_double_or_grow_by_the_slack(double quiet, double flooded, bool within)
    {
        var bound = new LatencyBound(1, Ms(1000), 2, Ms(20));
        var result = Latency.Compare(bound, [new(false, Ms(0), Ms(100)), new(true, Ms(100), Ms(200))], [.. Of(0, quiet), .. Of(100, flooded)]);
        result!.Within.Should().Be(within);
    }

    [Fact]
    public void One_bad_pair_of_five_does_not_decide()
    {
        var bound = new LatencyBound(5, Ms(100), 2, Ms(20));
        var windows = Enumerable.Range(0, 10).Select(i => new LoadWindow(i % 2 == 1, Ms(i * 100), Ms((i + 1) * 100))).ToList();
        var operations = Enumerable.Range(0, 10).SelectMany(i => Of(i * 100, i == 3 ? 500 : 5)).ToList();
        Latency.Compare(bound, windows, operations)!.Within.Should().BeTrue();
        Latency.Compare(bound, [.. windows.Take(8)], operations).Should().BeNull();
    }

    [Fact]
    public void The_99th_percentile_is_the_nearest_rank() =>
        Latency.Percentile([.. Enumerable.Range(1, 200).Select(x => Ms(x))], 99).Should().Be(Ms(198));

    private static IEnumerable<Operation> Of(double from, double latency) =>
        Enumerable.Range(0, 50).Select(i => new Operation($"{from}-{i}", "p", "t", i, OperationOutcome.Ok, "", Ms(from + i), Ms(from + i + latency)));

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);
}
