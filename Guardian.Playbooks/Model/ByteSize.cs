using System.Globalization;

namespace Guardian.Playbooks.Model;

/// <summary>A number of bytes, written <c>512B</c>, <c>64KiB</c>, <c>64MiB</c>, <c>2GiB</c> or <c>1TiB</c>. Range 0 to 1,024 TiB.</summary>
/// <param name="Bytes">In bytes.</param>
public readonly record struct ByteSize(long Bytes)
{
    private static readonly (string Unit, long Bytes)[] Units =
        [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1)];

    /// <summary>Reads <paramref name="text"/>; false when it is not a size in range.</summary>
    public static bool TryParse(string? text, out ByteSize size)
    {
        size = default;
        var trimmed = text?.Trim() ?? "";
        foreach (var (unit, bytes) in Units)
        {
            if (!trimmed.EndsWith(unit, StringComparison.Ordinal)) continue;
            if (!double.TryParse(trimmed.AsSpan()[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return false;
            if (value * bytes > 1024d * (1L << 40) || value * bytes % 1 != 0) return false;
            size = new ByteSize((long)(value * bytes));
            return true;
        }

        return false;
    }

    /// <summary>Reads <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">Not a size; the message shows the accepted form.</exception>
    public static ByteSize Parse(string? text) => TryParse(text, out var size)
        ? size
        : throw new FormatException($"'{text}' is not a size; write a number and a unit, e.g. 512B, 64KiB, 64MiB, 2GiB");

    /// <summary>The shortest exact text, e.g. <c>64MiB</c>.</summary>
    public override string ToString()
    {
        var bytes = Bytes;
        var (unit, size) = Units.First(x => x.Bytes == 1 || (bytes >= x.Bytes && bytes % x.Bytes == 0));
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{unit}");
    }
}
