using BenchmarkDotNet.Running;
using Guardian.Benchmarks;

// One line per benchmark: its name, and what runs it.
var benchmarks = new Dictionary<string, Func<string[], Task>>(StringComparer.Ordinal)
{
    ["policy"] = args => Task.FromResult(BenchmarkRunner.Run<PolicyBenchmarks>(null, args)),
    ["bus"] = _ => BusVersusMediator.RunAsync(),
    ["violations"] = _ => ViolationFlood.RunAsync(),
    ["blacklist"] = BlacklistBenchmark.RunAsync,
    ["expressions"] = args => Task.FromResult(BenchmarkRunner.Run<ExpressionBenchmarks>(null, args)),
    ["playbooks"] = _ => PlaybookLoadBenchmark.RunAsync(),
    ["recovery"] = _ => RunRecoveryBenchmark.RunAsync(),
    ["startup"] = StartupBenchmark.RunAsync,
    ["resources"] = _ => ResourceSamplingBenchmark.RunAsync(),
    ["flood"] = FloodLatency.RunAsync,
    ["kernels"] = KernelHeartbeats.RunAsync,
    ["runs"] = RunThroughput.RunAsync,
};

if (args.Length == 0 || !benchmarks.TryGetValue(args[0], out var run))
{
    await Console.Error.WriteLineAsync($"usage: Guardian.Benchmarks {string.Join(" | ", benchmarks.Keys)}");
    return 2;
}

await run(args[1..]);
return 0;
