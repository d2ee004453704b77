namespace Guardian.Actors.Access;

/// <summary>What a principal wants to do on a topic.</summary>
public enum BusOperation
{
    /// <summary>Send.</summary>
    Publish,

    /// <summary>Receive.</summary>
    Subscribe,
}

/// <summary>The policy's word.</summary>
/// <param name="Allowed">True when a rule allows it and none denies it.</param>
/// <param name="RuleId">The deciding rule, e.g. <c>principals/librarian/publish/deny/0</c>; <c>default/deny</c> where none matches.</param>
public readonly record struct AccessDecision(bool Allowed, string RuleId);
