using Guardian.Actors.Silencing;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Autonomy;

/// <summary>
/// How far Guardian may act by itself at this moment; read from any thread. The strictest wins of: the configured mode,
/// the cluster-wide mode set by an operator, and the class's autonomy. A hold (cluster-wide, or the file <c>HOLD</c> in the
/// data directory) stops all acting.
/// </summary>
internal sealed class ModeView(OperatingMode configured, Func<RiskClass, OperatingMode> autonomy)
{
    private sealed record Snapshot(OperatingMode Mode, string? Held);

    private volatile Snapshot _current = new(OperatingMode.Enforce, null);

    /// <summary>Reason of the hold in force; null when none.</summary>
    public string? Held => _current.Held;

    /// <summary>Silences that hold acting for some incidents.</summary>
    public SilenceView? Silences { get; init; }

    /// <summary>Why nothing may be done about this incident: the hold in force, or a silence; null where neither.</summary>
    public string? HeldFor(string? type, string? key, string? subject) => Held ?? Silences?.Held(type, key, subject);

    /// <summary>The mode without regard to hold and class.</summary>
    public OperatingMode Mode => (OperatingMode)Math.Min((int)configured, (int)_current.Mode);

    /// <summary>What actions of this class may do; a hold is not in it.</summary>
    public OperatingMode For(RiskClass risk) => (OperatingMode)Math.Min((int)Mode, (int)autonomy(risk));

    /// <summary>True when actions of this class may be carried out right now without asking.</summary>
    public bool MayAct(RiskClass risk) => Held is null && For(risk) == OperatingMode.Enforce;

    /// <summary>Replaces what operators have set. Called by the ModeReplica actor alone.</summary>
    public void Swap(OperatingMode mode, string? held) => _current = new Snapshot(mode, held);
}
