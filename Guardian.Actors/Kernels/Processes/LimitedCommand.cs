namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// A command that is within its control group before its first instruction: a few fixed words of shell write the process's own id into the group and
/// become the command, under the same id. The command is passed on word by word; nothing of it is parsed.
/// </summary>
internal static class LimitedCommand
{
    private const string Wrapper = "n=$1; shift; while [ $n -gt 0 ]; do echo 0 > \"$1\" || exit 126; shift; n=$((n - 1)); done; exec \"$@\"";

    /// <summary>What is started, and why without its limits where they cannot be kept here.</summary>
    /// <exception cref="ProcessStartException">There is no such program: said here, since the shell would only end with 127.</exception>
    public static (IReadOnlyList<string> Command, string? Unlimited) Of(ProcessSpec spec, ControlGroup? group)
    {
        if (!spec.Limits.Any) return (spec.Command, null);
        if (group is null) return (spec.Command, ControlGroup.Unsupported ?? "this system has no control groups");
        try
        {
            group.Create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (spec.Command, $"its control group cannot be made: {e.Message}");
        }

        if (!Exists(spec)) throw new ProcessStartException($"'{spec.Command[0]}' cannot be started: No such file or directory");
        var doors = group.Doors;
        return (["/bin/sh", "-c", Wrapper, "guardian", doors.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), .. doors, .. spec.Command], null);
    }

    /// <summary>How it ended, with the kernel's word where it was killed for want of memory.</summary>
    public static async Task<string> SayAsync(Task<string> ended, ControlGroup? group)
    {
        var before = Killed(group);
        var how = await ended.ConfigureAwait(false);
        return Killed(group) > before ? $"{how}, out of the memory that it may use" : how;
    }

    /// <summary>A count that cannot be read says nothing of the process, and must not stand for its end.</summary>
    private static long? Killed(ControlGroup? group)
    {
        try
        {
            return group?.OutOfMemory ?? 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Exists(ProcessSpec spec)
    {
        var program = spec.Command[0];
        if (program.Contains('/', StringComparison.Ordinal)) return File.Exists(Path.Combine(spec.WorkingDirectory ?? Directory.GetCurrentDirectory(), program));
        var path = spec.Environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Any(x => File.Exists(Path.Combine(x, program)));
    }
}
