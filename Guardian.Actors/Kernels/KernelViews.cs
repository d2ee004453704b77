namespace Guardian.Actors.Kernels;

/// <summary>What everybody sees of a kernel. Pure.</summary>
internal static class KernelViews
{
    /// <summary>The fields that all types of kernels share.</summary>
    public static KernelView Of(KernelDefinition kernel, KernelMemory memory, KernelState state) => new()
    {
        Name = kernel.Name, Type = kernel.Type, Criticality = kernel.Criticality, Class = kernel.Class, Remediation = kernel.Remediation,
        State = state, Reason = state == KernelState.Waiting ? $"waits for {string.Join(", ", kernel.DependsOn)}" : null,
        Paused = memory.Restriction.Percent == 0, Percent = memory.Restriction.Percent == 0 ? 100 : memory.Restriction.Percent,
        Replicas = kernel.Replicas with { Count = memory.Wanted },
    };
}
