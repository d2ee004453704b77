using Guardian.Playbooks;

namespace Guardian.Actors.Serialization;

/// <summary>
/// Bytes that this version cannot read: written by a newer one, or damaged. Kept as they are, so that whoever passes them on harms nothing.
/// </summary>
/// <param name="Manifest">What they claim to be.</param>
/// <param name="Bytes">As they were written.</param>
/// <param name="Reason">Why they cannot be read.</param>
internal sealed record UnreadableMessage(string Manifest, byte[] Bytes, string Reason) : IGuardianMessage
{
    /// <summary>For people; never the content.</summary>
    public override string ToString() => $"'{Manifest}': {Reason}";
}
