using System.Globalization;

namespace Guardian.Actors.Leasekeeping;

/// <summary>What the keeper takes on: only what it may do and could do. Checked before the effect, so that none is begun that cannot be taken back.</summary>
internal static class UndoRules
{
    /// <summary>In one lease; a kernel's process tree fits.</summary>
    public const int MaxUndos = 256;

    private const string Ours = "guardian";

    /// <summary>Null where the lease may be taken; else why not.</summary>
    /// <param name="lease">As asked for.</param>
    /// <param name="node">Whose child the keeper is; only processes that it started may be killed.</param>
    /// <param name="longest">Longest lease.</param>
    public static string? Refusal(OsLease lease, ProcessIdentity node, TimeSpan longest)
    {
        if (lease.Id.Length is 0 or > 512) return "a lease needs an id of 1 to 512 characters";
        if (lease.For <= TimeSpan.Zero || lease.For > longest) return $"a lease lasts longer than nothing and at most {longest}, not {lease.For}";
        if (lease.Undo.Count is 0 or > MaxUndos) return string.Create(CultureInfo.InvariantCulture, $"a lease needs 1 to {MaxUndos} undos, not {lease.Undo.Count}");
        return lease.Undo.Select(x => Refusal(x, node)).FirstOrDefault(x => x is not null);
    }

    private static string? Refusal(LeaseUndo undo, ProcessIdentity node) => undo switch
    {
        ResumeProcess => null, // of several some may have ended just now: then there is nothing to undo
        KillProcess x => NotRunning(x.Process) ?? (x.Process.DescendsFrom(node) ? null : $"process {x.Process.Pid} was not started by this node and is not killed"),
        ReniceProcess x => Renice(x),
        RestoreFile x => !Path.IsPathFullyQualified(x.Path) ? $"'{x.Path}' is not an absolute path" : File.Exists(x.Path) ? null : $"there is no file {x.Path} to restore",
        ClearImmutable x => !Posix.IsRoot ? "only root can change a file's immutable flag" : File.Exists(x.Path) ? null : $"there is no file {x.Path}",
        DeletePath x => NotOurs(x.Path),
        Unmount x => NotOurs(x.Path),
        KillKernels x => NotOurs(x.DataDirectory),
        CallLoopback x => Loopback(x),
        DropDatabase x => !ThrowawayDatabase.IsName(x.Name) ? $"'{x.Name}' is not a throw-away database of Guardian's" : File.Exists(x.ConnectionFile) ? null : $"there is no file {x.ConnectionFile} with the server's connection string",
        _ => $"no undo '{undo.GetType().Name}' is known",
    };

    private static string? NotRunning(ProcessIdentity process) =>
        process.Alive ? null : string.Create(CultureInfo.InvariantCulture, $"process {process.Pid} with the start time {process.Start} is not running");

    private static string? Renice(ReniceProcess undo)
    {
        if (undo.Nice is < -20 or > 19) return string.Create(CultureInfo.InvariantCulture, $"a nice value is -20 to 19, not {undo.Nice}");
        return !Posix.IsRoot && undo.Process.Alive && ProcessStat.TryRead(undo.Process.Pid, out var stat) && undo.Nice <= stat.Nice
            ? "only root can lower a nice value again, so it may not be raised here"
            : null;
    }

    private static string? NotOurs(string path)
    {
        if (!Path.IsPathFullyQualified(path) || Path.GetFullPath(path) != path) return $"'{path}' is not a plain absolute path";
        return path.Split('/').Any(x => x.StartsWith(Ours, StringComparison.Ordinal)) ? null : $"'{path}' is not Guardian's own: no part of it begins with '{Ours}'";
    }

    private static string? Loopback(CallLoopback call)
    {
        if (call.Method is not ("DELETE" or "POST")) return $"an undo calls with DELETE or POST, not {call.Method}";
        return call.Url.IsAbsoluteUri && call.Url.Scheme is "http" or "https" && call.Url.IsLoopback ? null : $"{call.Url} is not a loopback address";
    }
}
