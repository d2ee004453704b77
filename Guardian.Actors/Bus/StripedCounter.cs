using System.Numerics;

namespace Guardian.Actors.Bus;

/// <summary>A counter that processors increment without sharing a cache line.</summary>
internal sealed class StripedCounter
{
    private const int Padding = 16; // longs: two cache lines, since processors fetch pairs
    private static readonly int Mask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount, 1, 64)) - 1;

    private readonly long[] _cells = new long[(Mask + 2) * Padding];

    /// <summary>The sum. Never less than what was added before the call began.</summary>
    public long Value
    {
        get
        {
            var sum = 0L;
            for (var i = 1; i <= Mask + 1; i++) sum += Volatile.Read(ref _cells[i * Padding]);
            return sum;
        }
    }

    public void Add(long count = 1) => Interlocked.Add(ref _cells[((Thread.GetCurrentProcessorId() & Mask) + 1) * Padding], count);
}
