using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>What a message's content type may look like. It travels and is kept with every message, so it is bounded.</summary>
internal static class ContentTypes
{
    /// <summary>Longest content type in characters; as topics.</summary>
    public const int MaxLength = 255;

    /// <summary>True for none, and for one that is short enough and has no control characters.</summary>
    public static bool IsValid(string? contentType) => contentType is null || (contentType.Length <= MaxLength && !TopicNames.HasControl(contentType));
}
