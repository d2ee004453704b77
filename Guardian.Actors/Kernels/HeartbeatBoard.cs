using System.Collections.Concurrent;

namespace Guardian.Actors.Kernels;

/// <summary>One replica as the watchdog sees it; times are on the board's monotonic clock.</summary>
/// <param name="Kernel">The kernel's name.</param>
/// <param name="Replica">From 0.</param>
/// <param name="Epoch">Its instance.</param>
/// <param name="LastBeat">The newest beat, or when beats were first expected.</param>
/// <param name="Every">Its interval.</param>
/// <param name="MissAfter">Missed after so long.</param>
internal readonly record struct HeartbeatSample(string Kernel, int Replica, long Epoch, TimeSpan LastBeat, TimeSpan Every, TimeSpan MissAfter);

/// <summary>
/// Where hearts beat: a write to memory, so that no queue and no work can delay a beat. Only the instance that is registered is heard; a
/// beat of an older epoch is counted and ignored. Thread-safe.
/// </summary>
internal sealed class HeartbeatBoard(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Kernel, int Replica), Heart> _hearts = new();
    private readonly long _start = time.GetTimestamp();
    private long _refused;

    /// <summary>Beats of instances that were replaced.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Time since the board was made.</summary>
    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>From now on beats of this instance are expected, and no other's.</summary>
    public Heart Register(string kernel, int replica, long epoch, HeartbeatSpec spec) =>
        _hearts[(kernel, replica)] = new Heart(this, kernel, replica, epoch, spec);

    /// <summary>No beat of this instance is expected any more.</summary>
    public void Remove(Heart heart) => _hearts.TryRemove(new KeyValuePair<(string, int), Heart>((heart.Kernel, heart.Replica), heart));

    /// <summary>Everything that should beat.</summary>
    public IReadOnlyList<HeartbeatSample> Samples() => [.. _hearts.Values.Where(x => x.Expected).Select(x => x.Sample)];

    /// <summary>The right to beat as one instance.</summary>
    internal sealed class Heart(HeartbeatBoard board, string kernel, int replica, long epoch, HeartbeatSpec spec)
    {
        private long _lastBeat = board.Now.Ticks;
        private long _mutedUntil;
        private volatile bool _expected = true;

        public string Kernel => kernel;

        public int Replica => replica;

        public bool Expected => _expected;

        public TimeSpan LastBeat => TimeSpan.FromTicks(Volatile.Read(ref _lastBeat));

        /// <summary>Time since its newest beat.</summary>
        public TimeSpan Silent => board.Now - LastBeat;

        /// <summary>Not missed, or not expected to beat.</summary>
        public bool Beats => !_expected || Silent < spec.MissAfter;

        public HeartbeatSample Sample => new(kernel, replica, epoch, LastBeat, spec.Every, spec.MissAfter);

        public void Beat()
        {
            if (!board._hearts.TryGetValue((kernel, replica), out var current) || !ReferenceEquals(current, this))
            {
                Interlocked.Increment(ref board._refused);
                return;
            }

            var now = board.Now.Ticks;
            if (now >= Volatile.Read(ref _mutedUntil)) Volatile.Write(ref _lastBeat, now);
        }

        /// <summary>What is paused is not expected to beat; afterwards it has a whole interval again.</summary>
        public void Expect(bool expected)
        {
            Volatile.Write(ref _lastBeat, board.Now.Ticks);
            _expected = expected;
        }

        /// <summary>Chaos: beats are not heard for so long.</summary>
        public void Mute(TimeSpan length) => Volatile.Write(ref _mutedUntil, (board.Now + length).Ticks);
    }
}
