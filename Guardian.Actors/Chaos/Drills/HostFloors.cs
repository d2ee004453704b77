using System.Globalization;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Guardrail: a drill stops before this machine runs out of memory or of room for its reports, whatever its fault does. Looked at once a second.</summary>
internal sealed class HostFloors(string folder, TimeProvider time, Func<long?>? availableMemory = null, Func<long?>? freeDisk = null)
{
    /// <summary>Below it the machine itself is in danger; a node takes about 150 MiB.</summary>
    public const long Memory = 256L * 1024 * 1024;

    /// <summary>Below it the evidence could not be written.</summary>
    public const long Disk = 256L * 1024 * 1024;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private readonly Func<long?> _memory = availableMemory ?? MemAvailable;
    private readonly Func<long?> _disk = freeDisk ?? (() => new DriveInfo(folder).AvailableFreeSpace);
    private long? _looked;
    private string? _breach;

    /// <summary>Why the drill must stop; null where all is well. What cannot be measured is no breach: the fault's own bounds hold anyway.</summary>
    public string? Breach()
    {
        if (_breach is not null || (_looked is { } last && time.GetElapsedTime(last) < Every)) return _breach;
        _looked = time.GetTimestamp();
        if (_memory() is { } memory && memory < Memory) _breach = string.Create(CultureInfo.InvariantCulture, $"guardrail: {memory / 1024 / 1024} MiB of memory are left on this machine, the floor is {Memory / 1024 / 1024}");
        else if (_disk() is { } disk && disk < Disk) _breach = string.Create(CultureInfo.InvariantCulture, $"guardrail: {disk / 1024 / 1024} MiB are left for the reports in {folder}, the floor is {Disk / 1024 / 1024}");
        return _breach;
    }

    private static long? MemAvailable()
    {
        try
        {
            var line = File.ReadLines("/proc/meminfo").FirstOrDefault(x => x.StartsWith("MemAvailable:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return null; // not Linux
        }
    }
}
