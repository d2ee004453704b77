namespace Guardian.Actors.Kernels;

/// <summary>How many replicas, and what a kernel's state is when its replicas differ. Pure.</summary>
internal static class KernelScaling
{
    /// <summary>Within the kernel's bounds; asked for more than fits, it goes as far as it may, and refuses where that changes nothing.</summary>
    public static (KernelAnswer Answer, int Wanted) Decide(KernelDefinition kernel, int wanted, ScaleKernel scale)
    {
        var (_, min, max) = kernel.Replicas;
        if (scale.To is { } to && (to < min || to > max)) return (Refused($"{kernel.Name} has from {min} to {max} replicas, not {to}"), wanted);
        var next = scale.To ?? Math.Clamp(wanted + (scale.Change ?? 0), Math.Min(min, wanted), Math.Max(max, wanted));
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

    private static KernelAnswer Refused(string reason) => new() { Done = false, Reason = reason };
}
