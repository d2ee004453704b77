namespace Guardian.Playbooks.Model;

/// <summary>How far something may act by itself. Ordered: the smaller value is the stricter.</summary>
public enum OperatingMode
{
    /// <summary>Record what would be done; do nothing.</summary>
    Observe = 0,

    /// <summary>Wait for an operator's approval before each effect.</summary>
    Propose = 1,

    /// <summary>Act.</summary>
    Enforce = 2,
}

/// <summary>What an action can do at worst; decides how far it may run by itself.</summary>
public enum RiskClass
{
    /// <summary>No effect on what Guardian protects: notes, tickets, measurements.</summary>
    None = 0,

    /// <summary>Restrains and lapses by itself: ban, limit, throttle, pause, mode.</summary>
    Contain = 1,

    /// <summary>Interrupts: restart, scale, stop.</summary>
    Disrupt = 2,

    /// <summary>Cannot be taken back: kill, delete.</summary>
    Destroy = 3,
}
