using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Guardian.Benchmarks;

/// <summary>
/// What a flood does to others: librarian publishes 200 messages a second on <c>library.books</c> over HTTP while a stream
/// reads them, in quiet windows and in windows in which ten connections
/// send forbidden requests as fast as they are answered, in turn; p99 of librarian's publish, median
/// of five windows each. Every message must arrive once and in order.
/// </summary>
internal static class FloodLatency
{
    private const int Windows = 5;
    private const int Connections = 10;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5); // 200 a second

    /// <param name="args">Path of the built <c>guardian.dll</c>; default is the Debug build.</param>
    public static async Task RunAsync(string[] args)
    {
        await using var node = await NodeUnderTest.StartAsync(args.FirstOrDefault());
        using var end = new CancellationTokenSource();
        var read = new List<int>();
        var reading = ReadAsync(node, read, end.Token);
        var sent = 0;
        async Task<double> WindowAsync(TimeSpan length)
        {
            var times = new List<double>();
            var clock = Stopwatch.StartNew();
            using var timer = new PeriodicTimer(Pace);
            while (clock.Elapsed < length && await timer.WaitForNextTickAsync())
            {
                var start = Stopwatch.GetTimestamp();
                var status = await node.PublishAsync("librarian", "library.books", sent.ToString(CultureInfo.InvariantCulture));
                if ((int)status != 202) throw new InvalidOperationException($"librarian was answered {(int)status}");
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                sent++;
            }

            times.Sort();
            return times[(int)(times.Count * 0.99)];
        }

        await WindowAsync(Window); // warm-up, not counted
        var (quiet, flood, refused) = (new List<double>(), new List<double>(), 0L);
        for (var i = 0; i < Windows; i++)
        {
            quiet.Add(await WindowAsync(Window));
            var flooding = FloodAsync(node, $"rogue-{i}", Window);
            flood.Add(await WindowAsync(Window));
            refused += await flooding;
        }

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var i = 0; i < 250 && Count(read) < sent; i++) await timer.WaitForNextTickAsync();
        await end.CancelAsync();
        await reading;
        var (q, f) = (Median(quiet), Median(flood));
        Console.WriteLine($"p99 of a legitimate publish: quiet {q:F2} ms, flood {f:F2} ms, ratio {f / q:F2}, bound {Math.Max(2 * q, q + 20):F2} ms: {(f <= Math.Max(2 * q, q + 20) ? "held" : "MISSED")}");
        Console.WriteLine($"flood: {refused} requests refused, {refused / (Windows * Window.TotalSeconds):F0} a second");
        Console.WriteLine($"stream: {sent} sent, {read.Count} read, {(read.SequenceEqual(Enumerable.Range(0, sent)) ? "each once and in order" : "NOT each once and in order")}");
    }

    private static int Count(List<int> read)
    {
        lock (read) return read.Count;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task<long> FloodAsync(NodeUnderTest node, string principal, TimeSpan length)
    {
        var (refused, clock) = (0L, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < length)
            {
                var status = await node.PublishAsync(principal, "system.control", "x");
                if ((int)status is not (403 or 429)) throw new InvalidOperationException($"the flood was answered {(int)status}");
                Interlocked.Increment(ref refused);
            }
        })));
        return refused;
    }

    private static async Task ReadAsync(NodeUnderTest node, List<int> read, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/bus/library.books/stream");
        request.Headers.Add("X-Guardian-Principal", "patron");
        try
        {
            using var answer = await node.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation));
            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                if (!line.StartsWith("data:", StringComparison.Ordinal)) continue;
                using var message = JsonDocument.Parse(line[5..]);
                var number = int.Parse(message.RootElement.GetProperty("body").GetString()!, CultureInfo.InvariantCulture);
                lock (read) read.Add(number);
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the measurement.
        }
    }
}
