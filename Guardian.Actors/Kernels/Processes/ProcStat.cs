using System.Globalization;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>A process as <c>/proc/&lt;pid&gt;/stat</c> shows it. <paramref name="State"/> is R, S, D, T, t, Z or X.</summary>
internal readonly record struct ProcStat(int Pid, char State, int Group, long StartTime)
{
    /// <summary>It will do nothing any more.</summary>
    public bool Dead => State is 'Z' or 'X' or 'x';

    /// <summary>Stopped by a signal, or by a debugger.</summary>
    public bool Stopped => State is 'T' or 't';

    public ProcessIdentity Identity => new(Pid, StartTime);

    /// <summary>Null where there is no such process.</summary>
    public static ProcStat? Read(int pid)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // the name before it may hold anything
            return new ProcStat(pid, fields[0][0], int.Parse(fields[2], CultureInfo.InvariantCulture), long.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The process of this identity; null where it has ended, also where its pid belongs to another one by now.</summary>
    public static ProcStat? Read(ProcessIdentity identity) => Read(identity.Pid) is { } stat && stat.StartTime == identity.StartTime ? stat : null;

    /// <summary>All processes.</summary>
    public static IEnumerable<ProcStat> All() => Pids().Select(Read).OfType<ProcStat>();

    /// <summary>Living processes whose environment holds this variable with this value; those that may not be looked at are not among them.</summary>
    public static IReadOnlyList<ProcessIdentity> WithVariable(string name, string value)
    {
        var wanted = System.Text.Encoding.UTF8.GetBytes($"{name}={value}\0");
        return [.. Pids().Where(x => Holds(x, wanted)).Select(Read).OfType<ProcStat>().Where(x => !x.Dead).Select(x => x.Identity)];
    }

    private static IEnumerable<int> Pids() => Directory.EnumerateDirectories("/proc")
        .Select(x => int.TryParse(Path.GetFileName(x.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0).Where(x => x > 0);

    private static bool Holds(int pid, byte[] wanted)
    {
        try
        {
            var environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ")).AsSpan();
            var at = environment.IndexOf(wanted);
            return at == 0 || (at > 0 && environment[at - 1] == 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
