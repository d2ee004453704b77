namespace Guardian.Actors.Relay;

/// <summary>What is relayed at all.</summary>
internal static class RelayScope
{
    /// <summary>Guardian's own topics: what a node says there is about this node, and others must not act on it.</summary>
    public static bool StaysHere(string topic) =>
        topic.StartsWith("guardian.", StringComparison.Ordinal) || topic.StartsWith("scheduler.", StringComparison.Ordinal);
}
