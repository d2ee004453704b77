using System.Globalization;

namespace Guardian.Playbooks.Model;

/// <summary>A share, written <c>50%</c> or <c>12.5%</c>. Range 0 to 100.</summary>
/// <param name="Value">In percent.</param>
public readonly record struct Percentage(double Value)
{
    /// <summary>Reads <paramref name="text"/>; false when it is not a share in range.</summary>
    public static bool TryParse(string? text, out Percentage percentage)
    {
        percentage = default;
        var trimmed = text?.Trim();
        if (trimmed is null || !trimmed.EndsWith('%')) return false;
        if (!double.TryParse(trimmed.AsSpan()[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value > 100) return false;
        percentage = new Percentage(value);
        return true;
    }

    /// <summary>Reads <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">Not a share; the message shows the accepted form.</exception>
    public static Percentage Parse(string? text) => TryParse(text, out var percentage)
        ? percentage
        : throw new FormatException($"'{text}' is not a percentage; write a number from 0 to 100 and '%', e.g. 50%");

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture) + "%";
}
