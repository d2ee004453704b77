using System.Globalization;

namespace Guardian.Actors.Resources;

/// <summary>
/// Memory in use, without what the system can reclaim at once: of the machine from <c>/proc/meminfo</c>, and of every control
/// group that has a limit. The fullest limit counts; without one the machine does.
/// </summary>
internal sealed class MemoryReader : IDisposable
{
    private readonly ProcFile _meminfo;
    private readonly List<Limit> _limits;

    /// <param name="root">Empty, or the folder of a fixture.</param>
    public MemoryReader(string root)
    {
        _meminfo = new ProcFile(root + "/proc/meminfo");
        var memory = CgroupLevels.Of(root, "memory");
        _limits = [.. memory.Folders.Select(x => new Limit(memory.Version, x, root))];
    }

    public (Gauge Memory, long? Bytes, Gauge Host) Read(DateTimeOffset at, byte[] buffer)
    {
        var host = Host(at, buffer, out var machine);
        Gauge? fullest = null;
        var bytes = machine;
        foreach (var limit in _limits)
        {
            if (limit.Read(at, buffer, machine) is not { } gauge) continue;
            if (fullest is { Value: null } || (fullest is { } known && gauge.Value <= known.Value)) continue; // one that is not known may be the fullest
            (fullest, bytes) = (gauge, limit.Bytes);
        }

        return (fullest ?? host, bytes, host);
    }

    public void Dispose()
    {
        _meminfo.Dispose();
        foreach (var limit in _limits) limit.Dispose();
    }

    private Gauge Host(DateTimeOffset at, byte[] buffer, out long? bytes)
    {
        const string Source = "/proc/meminfo";
        bytes = null;
        if (!_meminfo.TryRead(buffer, out var text, out var why)) return Gauge.NotKnown(Source, at, why!);
        if (!ProcText.TryField(text, "MemTotal:"u8, out var total) || !ProcText.TryField(text, "MemAvailable:"u8, out var available) || total <= 0)
            return Gauge.NotKnown(Source, at, $"{_meminfo.Path} lacks MemTotal or MemAvailable");
        bytes = total * 1024;
        return new Gauge(Math.Clamp(100.0 * (total - available) / total, 0, 100), Source, at);
    }

    /// <summary>One control group's limit and use.</summary>
    private sealed class Limit(int version, string folder, string root) : IDisposable
    {
        private readonly ProcFile _limit = new(folder + (version == 1 ? "/memory.limit_in_bytes" : "/memory.max"));
        private readonly ProcFile _usage = new(folder + (version == 1 ? "/memory.usage_in_bytes" : "/memory.current"));
        private readonly ProcFile _stat = new(folder + "/memory.stat");
        private string _source = "";

        public long? Bytes { get; private set; }

        /// <summary>Null where the group has no limit, or one above the machine's memory.</summary>
        public Gauge? Read(DateTimeOffset at, byte[] buffer, long? machine)
        {
            if (!_limit.TryRead(buffer, out var text, out _) || !ProcText.TryNumber(text, out var limit, out _) || limit <= 0 || limit >= machine)
            {
                Bytes = null;
                return null;
            }

            if (Bytes != limit) _source = string.Create(CultureInfo.InvariantCulture, $"cgroup v{version} {folder[root.Length..]} ({limit / 1048576.0:0.#} MiB)");
            Bytes = limit;
            if (!_usage.TryRead(buffer, out text, out var why)) return Gauge.NotKnown(_source, at, why!);
            if (!ProcText.TryNumber(text, out var used, out _)) return Gauge.NotKnown(_source, at, $"{_usage.Path} is no number");
            // Without the statistics the file cache counts as used: too much, never too little.
            if (_stat.TryRead(buffer, out text, out _) && ProcText.TryField(text, version == 1 ? "total_inactive_file"u8 : "inactive_file"u8, out var reclaimable))
                used -= reclaimable;
            return new Gauge(Math.Clamp(100.0 * used / limit, 0, 100), _source, at);
        }

        public void Dispose()
        {
            _limit.Dispose();
            _usage.Dispose();
            _stat.Dispose();
        }
    }
}
