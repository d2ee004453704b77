using System.Globalization;
using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Yaml;

/// <summary>Reads scalars and lists as typed values; what does not fit is reported and null is returned.</summary>
internal static class YamlValues
{
    /// <summary>A scalar's text.</summary>
    public static string? Text(YamlNode node, ErrorSink sink, string key)
    {
        if (node is { Kind: YamlKind.Scalar, IsNull: false }) return node.Text;
        sink.Add(node, $"'{key}' must be text, not {node.Describe()}");
        return null;
    }

    /// <summary>A whole number.</summary>
    public static int? Int(YamlNode node, ErrorSink sink, string key, int min, int max)
    {
        if (!IsPlainScalar(node) || !int.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return Wrong<int>(node, sink, $"'{key}' must be a whole number, not {node.Describe()}");
        return value >= min && value <= max ? value : Wrong<int>(node, sink, $"'{key}' must be {Range(min, max, int.MinValue, int.MaxValue)}, not {value}");
    }

    /// <summary>A number.</summary>
    public static double? Double(YamlNode node, ErrorSink sink, string key, double min, double max)
    {
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        if (!IsPlainScalar(node) || !double.TryParse(node.Text, styles, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            return Wrong<double>(node, sink, $"'{key}' must be a number, not {node.Describe()}");
        return value >= min && value <= max ? value : Wrong<double>(node, sink, $"'{key}' must be {Range(min, max, double.MinValue, double.MaxValue)}, not {node.Text}");
    }

    /// <summary>true or false.</summary>
    public static bool? Bool(YamlNode node, ErrorSink sink, string key) => node switch
    {
        { IsPlain: true, Text: "true" } => true,
        { IsPlain: true, Text: "false" } => false,
        _ => Wrong<bool>(node, sink, $"'{key}' must be true or false, not {node.Describe()}"),
    };

    /// <summary>A duration.</summary>
    public static TimeSpan? Duration(YamlNode node, ErrorSink sink, string key, TimeSpan min, TimeSpan max)
    {
        if (node.Kind != YamlKind.Scalar || !Model.Duration.TryParse(node.Text, out var value))
            return Wrong<TimeSpan>(node, sink, $"'{key}' must be a duration such as 200ms, 10s, 5m, 1h, not {node.Describe()}");
        return value.Value >= min && value.Value <= max
            ? value.Value
            : Wrong<TimeSpan>(node, sink, max == TimeSpan.MaxValue
                ? $"'{key}' must be at least {new Duration(min)}, not {value}"
                : $"'{key}' must be between {new Duration(min)} and {new Duration(max)}, not {value}");
    }

    /// <summary>A rate.</summary>
    public static Rate? Rate(YamlNode node, ErrorSink sink, string key) =>
        node.Kind == YamlKind.Scalar && Model.Rate.TryParse(node.Text, out var value)
            ? value
            : Wrong<Rate>(node, sink, $"'{key}' must be a rate such as 10/s, 600/m, 1000/h, not {node.Describe()}");

    /// <summary>One of an enum's values in snake_case.</summary>
    public static T? Enum<T>(YamlNode node, ErrorSink sink, string key)
        where T : struct, Enum
    {
        var values = System.Enum.GetValues<T>();
        foreach (var value in values)
        {
            if (node.Kind == YamlKind.Scalar && node.Text == Snake(value)) return value;
        }

        return Wrong<T>(node, sink, $"'{key}' must be one of {string.Join(", ", values.Select(Snake))}, not {node.Describe()}");
    }

    /// <summary>The items of a list.</summary>
    public static IReadOnlyList<YamlNode> List(YamlNode node, ErrorSink sink, string key)
    {
        if (node.Kind == YamlKind.List) return node.Items;
        sink.Add(node, $"'{key}' must be a list, not {node.Describe()}");
        return [];
    }

    /// <summary>An enum's value as YAML and JSON write it.</summary>
    public static string Snake<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static bool IsPlainScalar(YamlNode node) => node is { Kind: YamlKind.Scalar, IsPlain: true };

    private static T? Wrong<T>(YamlNode node, ErrorSink sink, string message)
        where T : struct
    {
        sink.Add(node, message);
        return null;
    }

    private static string Range<T>(T min, T max, T lowest, T highest)
        where T : IEquatable<T> =>
        max.Equals(highest) ? FormattableString.Invariant($"at least {min}")
        : min.Equals(lowest) ? FormattableString.Invariant($"at most {max}")
        : FormattableString.Invariant($"between {min} and {max}");
}
