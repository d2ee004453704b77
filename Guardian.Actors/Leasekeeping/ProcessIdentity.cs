using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Guardian.Actors.Leasekeeping;

/// <summary>A process of this boot. A pid alone may be somebody else's by now; with the start time it is not.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="Start">Clock ticks from boot to its start, field 22 of <c>/proc/&lt;pid&gt;/stat</c>.</param>
internal sealed record ProcessIdentity(int Pid, long Start)
{
    /// <summary>The process now running under this pid; null where there is none (a zombie is none) or this is not Linux.</summary>
    public static ProcessIdentity? Of(int pid) => ProcessStat.TryRead(pid, out var stat) && stat.Alive ? new(pid, stat.Start) : null;

    /// <summary>Whether this very process still runs.</summary>
    public bool Alive => ProcessStat.TryRead(Pid, out var stat) && stat.Alive && stat.Start == Start;

    /// <summary>Whether <paramref name="ancestor"/> started this process or one of its parents.</summary>
    public bool DescendsFrom(ProcessIdentity ancestor)
    {
        var pid = Pid;
        for (var depth = 0; depth < 32 && pid > 1; depth++) // deeper than any tree that Guardian starts
        {
            if (!ProcessStat.TryRead(pid, out var stat)) return false;
            if (stat.Parent == ancestor.Pid) return ancestor.Alive;
            pid = stat.Parent;
        }

        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pid}:{Start}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ProcessIdentity? identity)
    {
        var parts = (text ?? "").Split(':');
        identity = parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var pid) && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var start)
            ? new(pid, start)
            : null;
        return identity is not null;
    }
}

/// <summary>What Linux says of a process, see proc_pid_stat(5).</summary>
internal readonly record struct ProcessStat(char State, int Parent, int Session, int Nice, long Start)
{
    /// <summary>Neither a zombie nor being removed.</summary>
    public bool Alive => State is not ('Z' or 'X' or 'x');

    /// <summary>Stopped by a signal.</summary>
    public bool Stopped => State == 'T';

    public static bool TryRead(int pid, out ProcessStat stat)
    {
        stat = default;
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            // The name in parentheses may hold blanks and parentheses; what follows the last one is fields 3 and on.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            stat = new(fields[0][0], Number(fields[1]), Number(fields[3]), Number(fields[16]), long.Parse(fields[19], CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ArgumentException or IndexOutOfRangeException)
        {
            return false; // gone between two looks
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
