using System.Globalization;

namespace Guardian.Tests.Simulation;

/// <summary>What may go wrong, and bugs that can be planted to see whether they are found.</summary>
internal sealed record WorldOptions
{
    public double Loss { get; init; } = 0.15;
    public double Duplication { get; init; } = 0.1;
    public double CrashPerWrite { get; init; } = 0.03;

    /// <summary>Bug: the agent forgets what it has done.</summary>
    public bool ForgetfulAgent { get; init; }

    /// <summary>Bug: monitors tell an incident once and never again.</summary>
    public bool TellsOnce { get; init; }

    /// <summary>Bug: an effect is brought about before its dispatch is in the journal.</summary>
    public bool ActsBeforeItWrites { get; init; }
}

/// <summary>
/// One thread, virtual time, a network that delays, reorders, loses and doubles. Everything that is drawn comes from the seed,
/// and everything that happens goes into the hash.
/// </summary>
internal sealed class World(int seed, WorldOptions options)
{
    /// <summary>Trouble ends here; afterwards everything must come to its end.</summary>
    public static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);

    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (long At, long Order)> _due = new();
    private readonly Random _random = new(seed);
    private long _now;
    private long _order;
    private ulong _hash = 14695981039346656037; // FNV-1a

    public WorldOptions Options => options;
    public DateTimeOffset Now => Origin.AddTicks(_now);
    public bool Troubled => _now < Calm.Ticks;
    public ulong Hash => _hash;
    public long Steps { get; private set; }

    /// <summary>Kept only when asked for: the history of a failed seed.</summary>
    public List<string>? History { get; init; }

    public int Draw(int below) => _random.Next(below);

    public bool Chance(double of) => _random.NextDouble() < of;

    public void At(TimeSpan delay, Action work) => _due.Enqueue(work, (_now + Math.Max(0, delay.Ticks), ++_order));

    public static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    /// <summary>A message; late, lost or doubled while there is trouble.</summary>
    public void Send(string what, Action deliver)
    {
        if (Troubled && Chance(options.Loss))
        {
            Note("lost", what);
            return;
        }

        var copies = Troubled && Chance(options.Duplication) ? 2 : 1;
        for (var i = 0; i < copies; i++) At(Ms(Troubled ? 0.1 + Draw(200) : 1), deliver);
    }

    public void Note(string kind, string what)
    {
        foreach (var c in kind) Mix(c);
        foreach (var c in what) Mix(c);
        Mix((char)(_now & 0xffff));
        Mix((char)((_now >> 16) & 0xffff));
        History?.Add(string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(_now).TotalSeconds:0.0000} {kind} {what}"));
    }

    public void Run(TimeSpan until)
    {
        while (_due.TryDequeue(out var work, out var at) && at.At <= until.Ticks)
        {
            _now = at.At;
            Steps++;
            work();
        }
    }

    private void Mix(char c) => _hash = unchecked((_hash ^ c) * 1099511628211);
}

/// <summary>An invariant does not hold.</summary>
internal sealed class BrokenInvariantException(string message) : Exception(message);
