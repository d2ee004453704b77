namespace Guardian.Actors.Resources;

/// <summary>
/// How full a disk is. Asked by a thread of its own, since a network mount that hangs must not blind the sampler: it only
/// makes this one value old.
/// </summary>
internal sealed class DiskReader : IDisposable
{
    private readonly string _mount;
    private readonly TimeProvider _time;
    private readonly ManualResetEventSlim _stop = new();
    private readonly TimeSpan _interval;
    private volatile DiskGauge _latest;

    /// <param name="mount">Any path on the disk.</param>
    /// <param name="interval">Time between two readings.</param>
    /// <param name="time">Clock.</param>
    public DiskReader(string mount, TimeSpan interval, TimeProvider time)
    {
        (_mount, _interval, _time) = (mount, interval, time);
        _latest = new DiskGauge(mount, Gauge.NotKnown("statvfs", time.GetUtcNow(), "not read yet"), null);
        new Thread(Loop) { IsBackground = true, Name = "guardian-disk" }.Start();
    }

    public DiskGauge Latest => _latest;

    /// <summary>The thread ends by itself, at once or when its mount answers.</summary>
    public void Dispose() => _stop.Set();

    public static DiskGauge Read(string mount, DateTimeOffset at)
    {
        try
        {
            var drive = new DriveInfo(mount);
            var (free, size) = (drive.AvailableFreeSpace, drive.TotalSize);
            // What is reserved for root counts neither as free nor as size: 100 % is when a write fails.
            var usable = size - drive.TotalFreeSpace + free;
            return usable > 0
                ? new DiskGauge(mount, new Gauge(Math.Clamp(100.0 * (usable - free) / usable, 0, 100), "statvfs", at), free)
                : new DiskGauge(mount, Gauge.NotKnown("statvfs", at, $"{mount} has no size"), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new DiskGauge(mount, Gauge.NotKnown("statvfs", at, $"{mount}: {e.Message}"), null);
        }
    }

    private void Loop()
    {
        do
        {
            var read = Read(_mount, _time.GetUtcNow());
            // A value that is known stays, and grows old, until there is a newer one.
            if (read.Used.Value is not null || _latest.Used.Value is null) _latest = read;
        }
        while (!_stop.Wait(_interval));
    }
}
