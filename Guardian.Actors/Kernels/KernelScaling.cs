namespace Guardian.Actors.Kernels;

/// <summary>How many replicas, and what a kernel's state is when its replicas differ. Pure.</summary>
internal static class KernelScaling
{
    /// <summary>A key is taken back within the life of its run; the oldest of more than this many are kept no longer.</summary>
    private const int MaxChanges = 100;

    /// <summary>
    /// Within the kernel's bounds; asked for more than fits, it goes as far as it may, and refuses where that changes nothing. What was
    /// changed under a key is changed once, and taken back as the difference that it made: others may have changed it too. A word without a
    /// key, an operator's, is the last one: nothing before it is taken back.
    /// </summary>
    public static (KernelAnswer Answer, int Wanted, IReadOnlyList<ScaleChange> Changes) Decide(KernelDefinition kernel, int wanted, IReadOnlyList<ScaleChange> changes, ScaleKernel scale)
    {
        var known = changes.FirstOrDefault(x => x.Key == scale.Key);
        if (scale.TakeBack)
        {
            if (known is null) return (NothingUnder(scale.Key, kernel.Name), wanted, changes);
            var back = Within(kernel, wanted, known.Before - known.After);
            return (new KernelAnswer { Done = true, Kernels = [kernel.Name], Replicas = (wanted, back) }, back, [.. changes.Where(x => x != known)]);
        }

        if (known is not null) return (Find(kernel.Name, changes, known.Key), wanted, changes);
        var (answer, next) = Decide(kernel, wanted, scale);
        return (answer, next, !answer.Done ? changes : scale.Key is { } key ? [.. changes.TakeLast(MaxChanges - 1), new ScaleChange(key, wanted, next)] : []);
    }

    /// <summary>What was changed under the key.</summary>
    public static KernelAnswer Find(string kernel, IReadOnlyList<ScaleChange> changes, string key) => changes.FirstOrDefault(x => x.Key == key) is { } known
        ? new KernelAnswer { Done = true, Kernels = [kernel], Replicas = (known.Before, known.After) }
        : NothingUnder(key, kernel);

    private static (KernelAnswer Answer, int Wanted) Decide(KernelDefinition kernel, int wanted, ScaleKernel scale)
    {
        var (_, min, max) = kernel.Replicas;
        if (scale.To is { } to && (to < min || to > max)) return (Refused($"{kernel.Name} has from {min} to {max} replicas, not {to}"), wanted);
        var next = scale.To ?? Within(kernel, wanted, scale.Change ?? 0);
        if (next == wanted && scale.To is null)
            return (Refused($"{kernel.Name} has {wanted} replicas and may have from {min} to {max}") with { Replicas = (wanted, wanted) }, wanted);
        return (new KernelAnswer { Done = true, Kernels = [kernel.Name], Replicas = (wanted, next) }, next);
    }

    /// <summary>The worst that holds of any wanted replica.</summary>
    public static KernelState State(IReadOnlyList<ReplicaView> replicas, int wanted, bool begun)
    {
        if (!begun) return KernelState.Waiting;
        var states = replicas.Where(x => x.Index < wanted).Select(x => x.State).ToHashSet();
        if (wanted == 0) return replicas.All(x => x.State == KernelState.Stopped) ? KernelState.Stopped : KernelState.Stopping;
        KernelState[] worst = [KernelState.CrashLoop, KernelState.BackingOff, KernelState.Stopping, KernelState.Starting, KernelState.Stopped];
        foreach (var state in worst)
            if (states.Contains(state)) return state == KernelState.Stopped ? KernelState.Starting : state; // about to be started
        return replicas.Count(x => x.Index < wanted) < wanted ? KernelState.Starting : KernelState.Running; // some have not said anything yet
    }

    private static int Within(KernelDefinition kernel, int wanted, int change) =>
        Math.Clamp(wanted + change, Math.Min(kernel.Replicas.Min, wanted), Math.Max(kernel.Replicas.Max, wanted));

    private static KernelAnswer NothingUnder(string? key, string kernel) => new() { Done = false, NotFound = true, Reason = $"nothing of {kernel} was changed under '{key}', or somebody has changed it since" };

    private static KernelAnswer Refused(string reason) => new() { Done = false, Reason = reason };
}
