using Guardian.Playbooks.Model;

namespace Guardian.Actors.Kernels;

/// <summary>What a kernel's own <c>remediation</c> permits a playbook to do to it. Pure. Where it says none, the node's autonomy decides alone.</summary>
internal static class KernelConsent
{
    /// <summary>True where nobody need be asked: it may be among the kernels that a playbook selects without naming them.</summary>
    /// <param name="remediation">The kernel's own; null: it says none.</param>
    public static bool ActsByItself(OperatingMode? remediation) => remediation is null or OperatingMode.Enforce;

    /// <summary>Why nothing is done to a kernel that a playbook names; null where it may be.</summary>
    /// <param name="kernel">Its name.</param>
    /// <param name="remediation">Its own; null: it says none.</param>
    /// <param name="approved">An operator approved the step.</param>
    public static string? Refusal(string kernel, OperatingMode? remediation, bool approved) => remediation switch
    {
        OperatingMode.Observe => $"kernel '{kernel}' says 'remediation: observe': it is left to people",
        OperatingMode.Propose when !approved => $"kernel '{kernel}' says 'remediation: propose' and no operator approved the step",
        _ => null,
    };
}
