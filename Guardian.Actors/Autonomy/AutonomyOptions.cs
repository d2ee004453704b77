using Guardian.Playbooks.Model;

namespace Guardian.Actors.Autonomy;

/// <summary><c>Guardian:Autonomy</c>.</summary>
public sealed class AutonomyOptions
{
    /// <summary>Ban, limit, throttle, pause, mode.</summary>
    public OperatingMode Contain { get; set; } = OperatingMode.Enforce;

    /// <summary>Restart, scale, stop.</summary>
    public OperatingMode Disrupt { get; set; } = OperatingMode.Enforce;

    /// <summary>Kill, delete.</summary>
    public OperatingMode Destroy { get; set; } = OperatingMode.Propose;

    /// <summary>The mode of a class; <see cref="RiskClass.None"/> may always act.</summary>
    public OperatingMode For(RiskClass risk) => risk switch
    {
        RiskClass.Contain => Contain,
        RiskClass.Disrupt => Disrupt,
        RiskClass.Destroy => Destroy,
        _ => OperatingMode.Enforce,
    };
}
