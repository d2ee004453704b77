using Akka.Actor;

namespace Guardian.Actors.Access;

/// <summary>Reloads the policy now. To PolicyWatcher. Answer: <see cref="PolicyReload"/>.</summary>
internal sealed record ReloadPolicy : INoSerializationVerificationNeeded
{
    public static readonly ReloadPolicy Instance = new();
}

/// <summary>Another policy is in force; on the node's event stream.</summary>
internal sealed record PolicySwapped(string Hash, string PreviousHash) : INoSerializationVerificationNeeded;
