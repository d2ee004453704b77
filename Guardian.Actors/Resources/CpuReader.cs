using System.Globalization;

namespace Guardian.Actors.Resources;

/// <summary>
/// Processor use since the last reading: of the machine from <c>/proc/stat</c>, and of every control group that has a quota.
/// The fullest quota counts; without one the machine does.
/// </summary>
internal sealed class CpuReader : IDisposable
{
    private const double NanosecondsPerSecond = 1e9;

    private readonly ProcFile _stat;
    private readonly List<Quota> _quotas;
    private (long Busy, long Total)? _last;

    /// <param name="root">Empty, or the folder of a fixture.</param>
    public CpuReader(string root)
    {
        _stat = new ProcFile(root + "/proc/stat");
        var cpu = CgroupLevels.Of(root, "cpu");
        // In version 1 the accounts may be a hierarchy of their own, with the same groups below its root.
        var accounts = cpu.Version == 1 && CgroupLevels.Of(root, "cpuacct") is { Version: 1 } own ? own.Folders[^1] : cpu.Folders is [.., var mount] ? mount : "";
        _quotas = [.. cpu.Folders.Select(x => new Quota(cpu.Version, x, accounts + x[cpu.Folders[^1].Length..], root))];
    }

    /// <summary>Reads now.</summary>
    /// <param name="at">Now, UTC.</param>
    /// <param name="clock">Now, monotonic.</param>
    /// <param name="buffer">Working memory.</param>
    public (Gauge Cpu, double? Cores, Gauge Host) Read(DateTimeOffset at, TimeSpan clock, byte[] buffer)
    {
        var host = Host(at, buffer, out var machine);
        Gauge? fullest = null;
        var cores = (double?)machine;
        foreach (var quota in _quotas)
        {
            if (quota.Read(at, clock, buffer, machine) is not { } gauge) continue;
            if (fullest is { Value: null } || (fullest is { } known && gauge.Value <= known.Value)) continue; // one that is not known may be the fullest
            (fullest, cores) = (gauge, quota.Cores);
        }

        return (fullest ?? host, fullest is null && machine is null ? null : cores, host);
    }

    public void Dispose()
    {
        _stat.Dispose();
        foreach (var quota in _quotas) quota.Dispose();
    }

    private Gauge Host(DateTimeOffset at, byte[] buffer, out int? cores)
    {
        const string Source = "/proc/stat";
        cores = null;
        if (!_stat.TryRead(buffer, out var text, out var why)) return Gauge.NotKnown(Source, at, why!);
        if (!TryTimes(text, out var busy, out var total)) return Gauge.NotKnown(Source, at, $"{_stat.Path} has no line 'cpu' with at least 8 numbers");
        cores = Cores(text);
        var last = _last;
        _last = (busy, total);
        if (last is not { } before) return Gauge.NotKnown(Source, at, "the first reading has nothing to compare with");
        var elapsed = total - before.Total;
        return elapsed <= 0
            ? Gauge.NotKnown(Source, at, "the machine's clock ticks did not advance")
            : new Gauge(Math.Clamp(100.0 * (busy - before.Busy) / elapsed, 0, 100), Source, at);
    }

    /// <summary>user nice system idle iowait irq softirq steal; stolen time is busy: it is not there for us.</summary>
    private static bool TryTimes(ReadOnlySpan<byte> text, out long busy, out long total)
    {
        (busy, total) = (0, 0);
        if (!text.StartsWith("cpu "u8)) return false;
        var rest = text[4..];
        for (var i = 0; i < 8; i++)
        {
            if (!ProcText.TryNumber(rest, out var ticks, out rest) || ticks < 0) return false;
            total += ticks;
            if (i is not (3 or 4)) busy += ticks;
        }

        return true;
    }

    private static int? Cores(ReadOnlySpan<byte> text)
    {
        var cores = 0;
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (!line.StartsWith("cpu"u8)) break;
            if (line.Length > 3 && line[3] is >= (byte)'0' and <= (byte)'9') cores++;
        }

        return cores == 0 ? null : cores;
    }

    /// <summary>One control group's quota and use.</summary>
    private sealed class Quota : IDisposable
    {
        private readonly int _version;
        private readonly string _name;
        private readonly ProcFile _limit;
        private readonly ProcFile? _period;
        private readonly ProcFile _usage;
        private string _source = "";
        private (double Cores, long Usage, TimeSpan Clock)? _last;

        public Quota(int version, string folder, string account, string root)
        {
            _version = version;
            _name = folder[root.Length..];
            _limit = new ProcFile(folder + (version == 1 ? "/cpu.cfs_quota_us" : "/cpu.max"));
            _period = version == 1 ? new ProcFile(folder + "/cpu.cfs_period_us") : null;
            _usage = new ProcFile(account + (version == 1 ? "/cpuacct.usage" : "/cpu.stat"));
        }

        public double? Cores { get; private set; }

        /// <summary>Null where the group has no quota, or one that the machine's size makes void.</summary>
        public Gauge? Read(DateTimeOffset at, TimeSpan clock, byte[] buffer, int? machine)
        {
            if (Limit(buffer) is not { } cores || cores >= machine)
            {
                (Cores, _last) = (null, null);
                return null;
            }

            if (Cores != cores) _source = string.Create(CultureInfo.InvariantCulture, $"cgroup v{_version} {_name} ({cores:0.###} cores)");
            Cores = cores;
            if (!_usage.TryRead(buffer, out var text, out var why)) return Gauge.NotKnown(_source, at, why!);
            if (!TryUsage(text, out var nanoseconds)) return Gauge.NotKnown(_source, at, $"{_usage.Path} has no usage");
            var last = _last;
            _last = (cores, nanoseconds, clock);
            if (last is not { } before || before.Cores != cores) return Gauge.NotKnown(_source, at, "the first reading has nothing to compare with");
            var elapsed = (clock - before.Clock).TotalSeconds;
            return elapsed <= 0
                ? Gauge.NotKnown(_source, at, "no time has passed since the last reading")
                : new Gauge(Math.Clamp(100 * (nanoseconds - before.Usage) / NanosecondsPerSecond / elapsed / cores, 0, 100), _source, at);
        }

        public void Dispose()
        {
            _limit.Dispose();
            _period?.Dispose();
            _usage.Dispose();
        }

        private double? Limit(byte[] buffer)
        {
            if (!_limit.TryRead(buffer, out var text, out _) || !ProcText.TryNumber(text, out var quota, out var rest) || quota <= 0) return null; // "max", -1
            if (_period is not null && !_period.TryRead(buffer, out rest, out _)) return null;
            return ProcText.TryNumber(rest, out var period, out _) && period > 0 ? (double)quota / period : null;
        }

        private bool TryUsage(ReadOnlySpan<byte> text, out long nanoseconds)
        {
            if (_version == 1) return ProcText.TryNumber(text, out nanoseconds, out _);
            if (!ProcText.TryField(text, "usage_usec"u8, out nanoseconds)) return false;
            nanoseconds *= 1_000;
            return true;
        }
    }
}
