using System.Globalization;
using System.Text;

namespace Guardian.Actors.Resources;

/// <summary>Reads processes from <c>/proc</c>. Thread-safe.</summary>
internal sealed class LinuxProcessReader(TimeProvider time, string root = "") : IProcessReader
{
    /// <summary>Clock ticks per second in <c>/proc</c>: USER_HZ, 100 on every architecture that .NET runs on.</summary>
    public const int TicksPerSecond = 100;

    private const int StatSize = 1024; // 52 numbers and a name of at most 15 characters

    public ProcessSnapshot Scan()
    {
        var (at, clock) = (time.GetUtcNow(), time.GetElapsedTime(0, time.GetTimestamp()));
        var processes = new List<ProcessEntry>(512);
        var buffer = new byte[StatSize];
        foreach (var folder in Directory.EnumerateDirectories(root + "/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Find(pid, buffer) is { } process)
                processes.Add(process);
        }

        return new ProcessSnapshot(at, clock, processes);
    }

    public ProcessEntry? Find(int pid) => Find(pid, new byte[StatSize]);

    public string? CgroupOf(int pid)
    {
        try
        {
            // The unified hierarchy's line where there is one that says something, else the memory controller's.
            var lines = File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"{root}/proc/{pid}/cgroup"));
            var line = lines.FirstOrDefault(x => x.StartsWith("0::", StringComparison.Ordinal) && x.Length > 4)
                ?? lines.FirstOrDefault(x => x.Contains(":memory:", StringComparison.Ordinal)) ?? lines.FirstOrDefault();
            return line?.Split(':', 3) is [_, _, var path] ? path : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it ended, or is somebody's whom we may not see
        }
    }

    private ProcessEntry? Find(int pid, byte[] buffer)
    {
        try
        {
            using var file = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"{root}/proc/{pid}/stat"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Parse(pid, buffer.AsSpan(0, RandomAccess.Read(file, buffer, 0)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it ended in between
        }
    }

    /// <summary>proc_pid_stat(5). The name is in parentheses and may hold any character, parentheses included.</summary>
    private static ProcessEntry? Parse(int pid, ReadOnlySpan<byte> text)
    {
        var (open, close) = (text.IndexOf((byte)'('), text.LastIndexOf((byte)')'));
        if (open < 0 || close < open || text.Length < close + 4) return null;
        var name = Encoding.UTF8.GetString(text[(open + 1)..close]);
        if (text[close + 2] is (byte)'Z' or (byte)'X') return null; // ended; only its parent does not know yet
        var rest = text[(close + 3)..];
        long parent = 0, cpu = 0, start = 0, pages = 0;
        for (var field = 4; field <= 24; field++)
        {
            if (!ProcText.TryNumber(rest, out var value, out rest)) return null;
            switch (field)
            {
                case 4: parent = value; break;
                case 14 or 15: cpu += value; break;
                case 22: start = value; break;
                case 24: pages = value; break;
            }
        }

        return new ProcessEntry(pid, (int)parent, start, name, cpu, pages * Environment.SystemPageSize);
    }
}
