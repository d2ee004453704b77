using System.Globalization;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Kernels;

/// <summary>Which jobs a pool takes. Pure.</summary>
internal static class JobRules
{
    /// <summary>Null where the job may be taken; else the refusal.</summary>
    /// <param name="kernel">The pool.</param>
    /// <param name="submit">As asked.</param>
    /// <param name="waiting">Jobs that wait, also those on their way into the journal.</param>
    public static JobAnswer? Refusal(KernelDefinition kernel, SubmitJob submit, int waiting)
    {
        if (submit.Payload.Length > SubmitJob.MaxPayload) return Refused("invalid", string.Create(CultureInfo.InvariantCulture, $"a payload has at most {SubmitJob.MaxPayload} characters"));
        if (submit.Priority is < JobQueue.Lowest or > JobQueue.Highest) return Refused("invalid", "a priority is from 0 to 9, the higher the sooner");
        var commands = kernel.Jobs!.Commands;
        if (submit.Command is { } name && !commands.ContainsKey(name))
            return Refused("invalid", $"kernel '{kernel.Name}' declares no command '{name}'{Spelling.Hint(name, commands.Keys)}");
        if (submit.Command is null && kernel.Jobs.Handler is null && commands.Count != 1)
            return Refused("invalid", $"name a command; kernel '{kernel.Name}' declares {string.Join(", ", commands.Keys.Order(StringComparer.Ordinal))}");
        return Full(kernel, waiting);
    }

    /// <summary>Null where one more job may wait.</summary>
    public static JobAnswer? Full(KernelDefinition kernel, int waiting) => waiting >= kernel.Jobs!.Queue
        ? Refused("full", string.Create(CultureInfo.InvariantCulture, $"{kernel.Jobs.Queue} jobs of kernel '{kernel.Name}' wait already"))
        : null;

    /// <summary>The command of a job that names none.</summary>
    public static string? OnlyCommand(KernelDefinition kernel) => kernel.Jobs!.Handler is null ? kernel.Jobs.Commands.Keys.First() : null;

    public static JobAnswer Refused(string refusal, string reason) => new() { Refusal = refusal, Reason = reason };

    /// <summary>State of a pool.</summary>
    /// <param name="memory">What is wanted of it.</param>
    /// <param name="recovered">Its journal is read.</param>
    /// <param name="underWay">Attempts that run.</param>
    public static KernelState State(KernelMemory memory, bool recovered, int underWay) =>
        !memory.Begun ? KernelState.Waiting
        : !recovered ? KernelState.Starting
        : memory.Retiring || (memory.Wanted == 0 && underWay > 0) ? KernelState.Stopping
        : memory.Wanted == 0 ? KernelState.Stopped : KernelState.Running;
}
