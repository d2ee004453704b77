using System.ComponentModel;
using System.Globalization;

namespace Guardian.Playbooks.Model;

/// <summary>
/// A length of time written as in YAML and configuration: a non-negative number and a unit,
/// <c>200ms</c>, <c>10s</c>, <c>5m</c>, <c>1h</c>, <c>30d</c>. Range 0 to 3650 days.
/// </summary>
/// <param name="Value">The same length as a <see cref="TimeSpan"/>.</param>
[TypeConverter(typeof(DurationConverter))]
public readonly record struct Duration(TimeSpan Value)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Reads <paramref name="text"/>; false when it is not a duration in range.</summary>
    public static bool TryParse(string? text, out Duration duration)
    {
        duration = default;
        if (string.IsNullOrWhiteSpace(text)) return false;
        var span = text.AsSpan().Trim();
        var digits = 0;
        while (digits < span.Length && (char.IsAsciiDigit(span[digits]) || span[digits] == '.')) digits++;
        if (!double.TryParse(span[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var unit = span[digits..] switch
        {
            "ms" => 1d,
            "s" => 1_000d,
            "m" => 60_000d,
            "h" => 3_600_000d,
            "d" => 86_400_000d,
            _ => double.NaN,
        };
        var milliseconds = number * unit;
        if (double.IsNaN(milliseconds) || milliseconds > Longest.TotalMilliseconds) return false;
        duration = new Duration(TimeSpan.FromMilliseconds(milliseconds));
        return true;
    }

    /// <summary>Reads <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">Not a duration; the message shows the accepted form.</exception>
    public static Duration Parse(string? text) => TryParse(text, out var duration)
        ? duration
        : throw new FormatException($"'{text}' is not a duration; write a number and a unit, e.g. 200ms, 10s, 5m, 1h, 30d");

    /// <summary>The shortest exact text, e.g. <c>90s</c> or <c>5m</c>.</summary>
    public override string ToString()
    {
        var ms = Value.TotalMilliseconds;
        (double Size, string Unit)[] units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        foreach (var (size, unit) in units)
        {
            if (ms >= size && ms % size == 0) return (ms / size).ToString(CultureInfo.InvariantCulture) + unit;
        }

        return ms.ToString(CultureInfo.InvariantCulture) + "ms";
    }

    /// <summary>The duration as a <see cref="TimeSpan"/>.</summary>
    public static implicit operator TimeSpan(Duration duration) => duration.Value;

    /// <summary>A <see cref="TimeSpan"/> as a duration.</summary>
    public static implicit operator Duration(TimeSpan value) => new(value);

    /// <summary>Named alternate of the conversion to <see cref="TimeSpan"/>.</summary>
    public TimeSpan ToTimeSpan() => Value;

    /// <summary>Named alternate of the conversion from <see cref="TimeSpan"/>.</summary>
    public static Duration FromTimeSpan(TimeSpan value) => new(value);
}

/// <summary>Lets configuration binding read a <see cref="Duration"/>.</summary>
public sealed class DurationConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) =>
        sourceType == typeof(string) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
        value is string text ? Duration.Parse(text) : base.ConvertFrom(context, culture, value);
}
