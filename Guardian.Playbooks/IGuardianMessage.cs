namespace Guardian.Playbooks;

/// <summary>
/// Marks a message or event that may leave the process or enter the journal.
/// Guardian's serializer is bound to it and knows every such type by an explicit, versioned manifest.
/// </summary>
public interface IGuardianMessage;
