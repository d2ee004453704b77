using System.Globalization;
using System.Text;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>Looks at processes in <c>/proc</c>.</summary>
internal static class ProcessTable
{
    /// <summary>The living process of this identity; null where it has ended, also where its pid belongs to another one by now.</summary>
    public static ProcessStat? Look(ProcessIdentity identity) =>
        ProcessStat.TryRead(identity.Pid, out var stat) && stat.Alive && stat.Start == identity.Start ? stat : null;

    /// <summary>
    /// Held still by a signal. A process that is just starting another one may be stopped in between: it then waits, uninterruptible, for a
    /// child that is stopped (vfork).
    /// </summary>
    public static bool IsStopped(ProcessIdentity identity) => Look(identity) is { } stat
        && (stat.Stopped || (stat.State == 'D' && ChildrenOf(identity.Pid).Any(x => ProcessStat.TryRead(x, out var child) && child.Stopped)));

    /// <summary>Living processes whose environment holds this variable with this value; those that may not be looked at are not among them.</summary>
    public static IReadOnlyList<ProcessIdentity> WithVariable(string name, string value)
    {
        var wanted = Encoding.UTF8.GetBytes($"{name}={value}\0");
        return [.. Pids().Where(x => Holds(x, wanted, out _)).Select(ProcessIdentity.Of).OfType<ProcessIdentity>()];
    }

    /// <summary>
    /// Living processes of an instance: those that show its token; and while its leader lives, that itself and its session, whatever their
    /// environments show. A program may begin with an environment of its own, and one that changed its user may not be looked at.
    /// </summary>
    /// <param name="token">Value of <see cref="ProcessInstance.TokenVariable"/>.</param>
    /// <param name="leader">Null where it is not known.</param>
    public static IReadOnlyList<ProcessIdentity> OfInstance(string token, ProcessIdentity? leader)
    {
        var wanted = Encoding.UTF8.GetBytes($"{ProcessInstance.TokenVariable}={token}\0");
        var (shown, session) = (new List<ProcessIdentity>(), new List<ProcessIdentity>());
        foreach (var pid in Pids())
        {
            if (!ProcessStat.TryRead(pid, out var stat) || !stat.Alive) continue;
            if (Holds(pid, wanted, out _)) shown.Add(new ProcessIdentity(pid, stat.Start));
            else if (leader is not null && stat.Session == leader.Pid) session.Add(new ProcessIdentity(pid, stat.Start));
        }

        // Looked at last: while it lives the number of its session is nobody else's.
        if (leader is not { Alive: true }) return shown;
        return [.. shown.Concat(session).Append(leader).Distinct()];
    }

    /// <summary>Living processes with a variable whose value begins so, and their environment.</summary>
    public static IReadOnlyList<(ProcessIdentity Process, ProcessStat Stat, IReadOnlyDictionary<string, string> Environment)> WithEnvironment(string name, string prefix)
    {
        var wanted = Encoding.UTF8.GetBytes($"{name}={prefix}");
        var found = new List<(ProcessIdentity, ProcessStat, IReadOnlyDictionary<string, string>)>();
        foreach (var pid in Pids())
        {
            if (!Holds(pid, wanted, out var environment) || !ProcessStat.TryRead(pid, out var stat) || !stat.Alive) continue;
            found.Add((new ProcessIdentity(pid, stat.Start), stat, Encoding.UTF8.GetString(environment).Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Select(x => x.Split('=', 2)).Where(x => x.Length == 2).DistinctBy(x => x[0]).ToDictionary(x => x[0], x => x[1], StringComparer.Ordinal)));
        }

        return found;
    }

    private static IEnumerable<int> ChildrenOf(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}/children"))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(x => int.Parse(x, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return []; // gone, or a Linux without this list
        }
    }

    private static IEnumerable<int> Pids() => Directory.EnumerateDirectories("/proc")
        .Select(x => int.TryParse(Path.GetFileName(x.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0).Where(x => x > 0);

    private static bool Holds(int pid, byte[] wanted, out byte[] environment)
    {
        try
        {
            environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));
            var at = environment.AsSpan().IndexOf(wanted);
            return at == 0 || (at > 0 && environment[at - 1] == 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            environment = [];
            return false;
        }
    }
}
