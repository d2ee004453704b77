namespace Guardian.Playbooks.Expressions;

/// <summary>Checks a text before it is parsed, in one pass without recursion: length and nesting.</summary>
internal static class ExpressionText
{
    /// <summary>Null where the text may be parsed.</summary>
    public static ExpressionError? Check(string text)
    {
        if (text.Length > ExpressionLimits.Length)
            return new ExpressionError(0, $"the expression has {text.Length} characters; at most {ExpressionLimits.Length} are allowed");
        if (string.IsNullOrWhiteSpace(text)) return new ExpressionError(0, "the expression is empty");
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\'' or '"':
                    i = SkipText(text, i);
                    break;
                case '(' or '[' or '?':
                    if (++depth > ExpressionLimits.Depth) return new ExpressionError(i, $"nested deeper than {ExpressionLimits.Depth} levels");
                    break;
                case '$' when i + 1 < text.Length && text[i + 1] == '{':
                    return new ExpressionError(i, "'${…}' has no place in a bare expression; write the expression alone");
                case ')' or ']':
                    depth--;
                    break;
            }
        }

        return null;
    }

    /// <summary>Index of the quote that closes the one at <paramref name="open"/>, or the last index where none does.</summary>
    public static int SkipText(string text, int open)
    {
        for (var i = open + 1; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == text[open]) return i;
        }

        return text.Length - 1;
    }
}
