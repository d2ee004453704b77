namespace Guardian.Playbooks.Yaml;

/// <summary>Finds what somebody meant who wrote a name that does not exist.</summary>
internal static class Spelling
{
    // Longer words are not compared: the cost is quadratic and nobody mistypes such a word by a letter.
    private const int LongestWord = 64;

    // More names than this would hide the message they follow.
    private const int LongestList = 16;

    /// <summary><c>; did you mean 'x'?</c>, or the names there are, or nothing.</summary>
    public static string Hint(string word, IEnumerable<string> candidates)
    {
        var names = candidates.Where(x => x.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var nearest = Nearest(word, names);
        if (nearest is not null) return $"; did you mean '{nearest}'?";
        return names.Count is > 0 and <= LongestList ? $"; known are: {string.Join(", ", names)}" : "";
    }

    /// <summary>The candidate that needs the fewest edits, null where none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = Math.Max(2, word.Length / 3) + 1;
        if (word.Length > LongestWord) return null;
        foreach (var candidate in candidates)
        {
            if (candidate.Length > LongestWord || Math.Abs(candidate.Length - word.Length) >= bestDistance) continue;
            var distance = Distance(word, candidate);
            if (distance >= bestDistance || distance >= candidate.Length) continue;
            (best, bestDistance) = (candidate, distance);
        }

        return best;
    }

    /// <summary>Edits between two words: insert, delete, replace, swap neighbours (optimal string alignment); letter case counts nothing.</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1])) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
