using System.Globalization;
using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Values written in a file, as typed JSON.</summary>
internal static class Literals
{
    private const NumberStyles Decimals = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    /// <summary>The type of a value as it is written: what stands in quotes is text.</summary>
    public static FieldType Infer(YamlNode node) => node switch
    {
        { Kind: YamlKind.List } => FieldType.List,
        { Kind: YamlKind.Map } => FieldType.Object,
        { IsPlain: false } => FieldType.String,
        { Text: "true" or "false" } => FieldType.Bool,
        _ when long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => FieldType.Int,
        _ when IsNumber(node.Text) => FieldType.Double,
        _ when Duration.TryParse(node.Text, out _) => FieldType.Duration,
        _ when Rate.TryParse(node.Text, out _) => FieldType.Rate,
        _ when ByteSize.TryParse(node.Text, out _) => FieldType.Size,
        _ when Percentage.TryParse(node.Text, out _) => FieldType.Percentage,
        _ => FieldType.String,
    };

    /// <summary>True where a value written like this may be given for <paramref name="type"/>.</summary>
    public static bool Fits(YamlNode node, FieldType type) => type switch
    {
        FieldType.Any => true,
        FieldType.Double => Infer(node) is FieldType.Double or FieldType.Int,
        FieldType.Duration => node.Kind == YamlKind.Scalar && Duration.TryParse(node.Text, out _),
        FieldType.Rate => node.Kind == YamlKind.Scalar && Rate.TryParse(node.Text, out _),
        FieldType.Size => node.Kind == YamlKind.Scalar && ByteSize.TryParse(node.Text, out _),
        FieldType.Percentage => node.Kind == YamlKind.Scalar && Percentage.TryParse(node.Text, out _),
        FieldType.String => Infer(node) is FieldType.String or FieldType.Duration or FieldType.Rate or FieldType.Size or FieldType.Percentage,
        _ => Infer(node) == type,
    };

    /// <summary>How a value of this type is written.</summary>
    public static string Form(FieldType type) => type switch
    {
        FieldType.Bool => "true or false",
        FieldType.Int => "a whole number",
        FieldType.Double => "a number",
        FieldType.String => "text (put numbers and true/false in quotes)",
        FieldType.Duration => "a duration such as 200ms, 10s, 5m, 1h",
        FieldType.Rate => "a rate such as 10/s, 600/m, 1000/h",
        FieldType.Size => "a size such as 64MiB, 2GiB",
        FieldType.Percentage => "a percentage such as 50%",
        _ => TypeNames.Of(type),
    };

    /// <summary>A scalar as JSON; durations and rates as text.</summary>
    public static JsonElement Scalar(YamlNode node, FieldType type) => type switch
    {
        FieldType.Bool => JsonElement.Parse(node.Text),
        FieldType.Int => JsonElement.Parse(long.Parse(node.Text, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)),
        FieldType.Double => JsonElement.Parse(double.Parse(node.Text, Decimals, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture)),
        _ => JsonElement.Parse($"\"{JsonEncodedText.Encode(node.Text)}\""),
    };

    /// <summary>A value with everything below it as JSON, by the types as they are written.</summary>
    public static TemplatePart Part(YamlNode node) => node.Kind switch
    {
        YamlKind.List => new TemplatePart.List([.. node.Items.Select(Part)]),
        YamlKind.Map => new TemplatePart.Map([.. node.Entries.Select(x => (x.Key, Part(x.Value)))]),
        _ => new TemplatePart.Constant(Scalar(node, Infer(node))),
    };

    private static bool IsNumber(string text) => double.TryParse(text, Decimals, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value);
}
