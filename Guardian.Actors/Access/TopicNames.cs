using System.Buffers;

namespace Guardian.Actors.Access;

/// <summary>
/// What a topic, a pattern and a principal may look like. Topics are dot-separated segments; patterns add
/// <c>*</c> (one segment) and a final <c>&gt;</c> (one or more segments), each only as a whole segment.
/// </summary>
internal static class TopicNames
{
    /// <summary>Longest topic or pattern in characters.</summary>
    public const int MaxLength = 255;

    /// <summary>Longest principal in characters; names are kept in tables, so they are bounded.</summary>
    public const int MaxPrincipal = 128;

    private static readonly SearchValues<char> Control = SearchValues.Create(ControlCharacters());
    private static readonly SearchValues<char> NotInTopic = SearchValues.Create([.. ControlCharacters(), '*', '>']);

    /// <summary>True for a concrete topic that can be published on.</summary>
    public static bool IsTopic(string? topic) =>
        topic is { Length: > 0 and <= MaxLength } && !topic.AsSpan().ContainsAny(NotInTopic) && SegmentsFilled(topic);

    /// <summary>True for a concrete topic or a pattern; else <paramref name="problem"/> says what is wrong.</summary>
    public static bool IsPattern(string? pattern, out string problem)
    {
        problem = pattern switch
        {
            null or "" => "is empty",
            { Length: > MaxLength } => $"is longer than {MaxLength} characters",
            _ when pattern.AsSpan().ContainsAny(Control) => "has a control character",
            _ when !SegmentsFilled(pattern) => "has an empty segment",
            _ => "",
        };
        if (problem.Length > 0) return false;
        foreach (var range in pattern.AsSpan().Split('.'))
        {
            var segment = pattern.AsSpan()[range];
            if (segment.Length > 1 && segment.ContainsAny('*', '>')) problem = "has a wildcard inside a segment; '*' and '>' stand alone between dots";
            else if (segment is ">" && range.End.GetOffset(pattern!.Length) != pattern.Length) problem = "has '>' before its end; '>' may only be the last segment";
        }

        return problem.Length == 0;
    }

    /// <summary>True for a name that a principal may have.</summary>
    public static bool IsPrincipal(string? name) =>
        name is { Length: > 0 and <= MaxPrincipal } && !name.AsSpan().ContainsAny(Control) && !char.IsWhiteSpace(name[0]) && !char.IsWhiteSpace(name[^1]);

    /// <summary>True where a control character, or a separator of lines or paragraphs, is in it.</summary>
    public static bool HasControl(ReadOnlySpan<char> text) => text.ContainsAny(Control);

    /// <summary>True when some concrete topic matches both patterns.</summary>
    public static bool Overlap(string one, string other)
    {
        var a = one.Split('.');
        var b = other.Split('.');
        for (var i = 0; ; i++)
        {
            if (i >= a.Length || i >= b.Length) return a.Length == b.Length;
            if (a[i] == ">" || b[i] == ">") return true;
            if (a[i] != "*" && b[i] != "*" && !string.Equals(a[i], b[i], StringComparison.Ordinal)) return false;
        }
    }

    private static bool SegmentsFilled(ReadOnlySpan<char> text) => text[0] != '.' && text[^1] != '.' && text.IndexOf("..", StringComparison.Ordinal) < 0;

    private static char[] ControlCharacters() =>
        [.. Enumerable.Range(0, 0xA0).Select(x => (char)x).Where(char.IsControl), '\u2028', '\u2029'];
}
