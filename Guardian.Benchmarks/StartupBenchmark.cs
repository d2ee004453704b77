namespace Guardian.Benchmarks;

/// <summary>Whole-process start of a node on an empty data directory until <c>/ready</c> answers 200; five times.</summary>
internal static class StartupBenchmark
{
    private const int Runs = 5;

    /// <param name="args">Path of the built <c>guardian.dll</c>; default is the Debug build.</param>
    public static async Task RunAsync(string[] args)
    {
        var times = new List<double>();
        for (var i = 0; i < Runs; i++)
        {
            await using var node = await NodeUnderTest.StartAsync(args.FirstOrDefault());
            times.Add(node.ReadyAfter.TotalSeconds);
        }

        times.Sort();
        Console.WriteLine($"start to ready: median {times[Runs / 2]:F2} s (bound 4), worst {times[^1]:F2} s (bound 8), all {string.Join(' ', times.Select(x => x.ToString("F2")))}");
    }
}
