namespace Guardian.Actors.Silencing;

/// <summary>Whether a silence is about an incident. Pure.</summary>
internal static class SilenceMatcher
{
    /// <summary>Every pattern given matches; an incident without the field is not matched by a pattern on it.</summary>
    public static bool Matches(SilenceMatch match, string? type, string? key, string? subject) =>
        (match.Type ?? match.Key ?? match.Subject) is not null
        && Fits(match.Type, type) && Fits(match.Key, key) && Fits(match.Subject, subject);

    /// <summary><c>*</c> stands for any text, also none; everything else for itself. Linear in the text for each star.</summary>
    public static bool Glob(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var (p, t, star, resume) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, resume) = (p++, t);
            }
            else if (p < pattern.Length && pattern[p] == text[t])
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }

    private static bool Fits(string? pattern, string? text) => pattern is null || (text is not null && Glob(pattern, text));
}
