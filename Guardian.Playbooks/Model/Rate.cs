using System.Globalization;

namespace Guardian.Playbooks.Model;

/// <summary>Permits per unit of time, written <c>10/s</c>, <c>600/m</c> or <c>1000/h</c>. Count 1 to 10,000,000.</summary>
/// <param name="Count">Permits in one period.</param>
/// <param name="Period">The period: a second, a minute or an hour.</param>
public readonly record struct Rate(int Count, TimeSpan Period)
{
    /// <summary>Reads <paramref name="text"/>; false when it is not a rate in range.</summary>
    public static bool TryParse(string? text, out Rate rate)
    {
        rate = default;
        var parts = text?.Trim().Split('/');
        if (parts is not { Length: 2 }) return false;
        if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > 10_000_000) return false;
        TimeSpan? period = parts[1] switch
        {
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => null,
        };
        if (period is null) return false;
        rate = new Rate(count, period.Value);
        return true;
    }

    /// <summary>Reads <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">Not a rate; the message shows the accepted form.</exception>
    public static Rate Parse(string? text) => TryParse(text, out var rate)
        ? rate
        : throw new FormatException($"'{text}' is not a rate; write a count and a unit, e.g. 10/s, 600/m, 1000/h");

    /// <summary>Permits per second, for comparing which of two rates is stricter.</summary>
    public double PerSecond => Count / Period.TotalSeconds;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Count}/{(Period.TotalSeconds < 60 ? "s" : Period.TotalSeconds < 3600 ? "m" : "h")}");
}
