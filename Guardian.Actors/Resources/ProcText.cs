using System.Buffers.Text;

namespace Guardian.Actors.Resources;

/// <summary>Reads numbers out of the kernel's text files without making strings.</summary>
internal static class ProcText
{
    /// <summary>The number after a name at the start of a line, e.g. <c>MemTotal:</c>; false where it is missing or no number.</summary>
    public static bool TryField(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name, out long value)
    {
        value = 0;
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(name) && line.Length > name.Length && line[name.Length] is (byte)' ' or (byte)'\t')
                return TryNumber(line[(name.Length + 1)..], out value, out _);
        }

        return false;
    }

    /// <summary>The next number, blanks before it skipped; <paramref name="rest"/> is what follows.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out long value, out ReadOnlySpan<byte> rest)
    {
        text = text.TrimStart(" \t"u8);
        if (Utf8Parser.TryParse(text, out value, out int used) && IsEnd(text, used))
        {
            rest = text[used..];
            return true;
        }

        value = 0;
        rest = text;
        return false;
    }

    /// <summary>PSI: the ten-second average of <c>some</c>, percent.</summary>
    public static bool TryPressure(ReadOnlySpan<byte> text, out double percent)
    {
        percent = 0;
        var prefix = "some avg10="u8;
        return text.StartsWith(prefix) && Utf8Parser.TryParse(text[prefix.Length..], out percent, out int _) && percent is >= 0 and <= 100;
    }

    private static bool IsEnd(ReadOnlySpan<byte> text, int at) => at == text.Length || text[at] is (byte)' ' or (byte)'\t' or (byte)'\n';
}
