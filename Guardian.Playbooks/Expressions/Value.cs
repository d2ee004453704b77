using System.Globalization;
using System.Text;
using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Expressions;

/// <summary>A value while an expression is evaluated. JSON strings, lists and objects are looked at in place, never copied.</summary>
internal readonly struct Value
{
    private readonly long _bits;
    private readonly object? _reference;
    private readonly JsonElement _json;

    private Value(FieldType kind, long bits, object? reference = null, JsonElement json = default)
    {
        Kind = kind;
        _bits = bits;
        _reference = reference;
        _json = json;
    }

    /// <summary>Its type at run time; never Any nor Rate.</summary>
    public FieldType Kind { get; }

    /// <summary>A boolean's value.</summary>
    public bool Bool => _bits != 0;

    /// <summary>A whole number's value.</summary>
    public long Int => _bits;

    /// <summary>A number's value as floating point.</summary>
    public double Double => Kind == FieldType.Int ? _bits : BitConverter.Int64BitsToDouble(_bits);

    /// <summary>A duration's value.</summary>
    public TimeSpan Duration => new(_bits);

    /// <summary>A text's value.</summary>
    public string Text => _reference switch
    {
        string text => text,
        LiteralText literal => literal.Text,
        _ => _json.GetString()!,
    };

    /// <summary>The JSON of an object, or of a list that came as JSON.</summary>
    public JsonElement Json => _json;

    /// <summary>The items of a list that the expression made; null for a list that came as JSON.</summary>
    public Value[]? Items => _reference as Value[];

    /// <summary>Length of a list.</summary>
    public int Count => Items?.Length ?? _json.GetArrayLength();

    /// <summary>True for whole and floating-point numbers.</summary>
    public bool IsNumber => Kind is FieldType.Int or FieldType.Double;

    public static Value From(bool value) => new(FieldType.Bool, value ? 1 : 0);

    public static Value From(long value) => new(FieldType.Int, value);

    public static Value From(double value) => new(FieldType.Double, BitConverter.DoubleToInt64Bits(value));

    public static Value From(TimeSpan value) => new(FieldType.Duration, value.Ticks);

    public static Value From(string value) => new(FieldType.String, 0, value);

    public static Value From(Value[] items) => new(FieldType.List, 0, items);

    /// <summary>A constant text: its UTF-8 form is kept for comparing with JSON.</summary>
    public static Value Literal(string value) => new(FieldType.String, 0, new LiteralText(value, Encoding.UTF8.GetBytes(value)));

    /// <summary>False for null and undefined, which are no values.</summary>
    public static bool TryFrom(JsonElement json, out Value value)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Number:
                value = json.TryGetInt64(out var whole) ? From(whole) : From(json.GetDouble());
                return true;
            case JsonValueKind.String:
                value = new Value(FieldType.String, 0, null, json);
                return true;
            case JsonValueKind.True or JsonValueKind.False:
                value = From(json.ValueKind == JsonValueKind.True);
                return true;
            case JsonValueKind.Array:
                value = new Value(FieldType.List, 0, null, json);
                return true;
            case JsonValueKind.Object:
                value = new Value(FieldType.Object, 0, null, json);
                return true;
            default:
                value = default;
                return false;
        }
    }

    /// <summary>True where both are texts with the same characters. Allocates nothing unless both came as JSON.</summary>
    public static bool TextEquals(in Value a, in Value b)
    {
        if (a._reference is LiteralText x) return b.EqualsLiteral(x);
        if (b._reference is LiteralText y) return a.EqualsLiteral(y);
        if (a._reference is null) return a._json.ValueEquals(b.Text);
        return b._reference is null ? b._json.ValueEquals(a.Text) : a.Text == b.Text;
    }

    /// <summary>As text inside a longer text.</summary>
    public string Render() => Kind switch
    {
        FieldType.Bool => Bool ? "true" : "false",
        FieldType.Int => Int.ToString(CultureInfo.InvariantCulture),
        FieldType.Double => Double.ToString("R", CultureInfo.InvariantCulture),
        FieldType.Duration => new Duration(Duration).ToString(),
        FieldType.String => Text,
        FieldType.List when Items is { } items => "[" + string.Join(", ", items.Select(x => x.Render())) + "]",
        _ => _json.GetRawText(),
    };

    /// <summary>As JSON; durations as text.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case FieldType.Bool: writer.WriteBooleanValue(Bool); break;
            case FieldType.Int: writer.WriteNumberValue(Int); break;
            case FieldType.Double: writer.WriteNumberValue(Double); break;
            case FieldType.List when Items is { } items:
                writer.WriteStartArray();
                foreach (var item in items) item.Write(writer);
                writer.WriteEndArray();
                break;
            case FieldType.List or FieldType.Object: _json.WriteTo(writer); break;
            default: writer.WriteStringValue(Render()); break;
        }
    }

    private bool EqualsLiteral(LiteralText literal) => _reference is null ? _json.ValueEquals(literal.Utf8) : Text == literal.Text;

    private sealed record LiteralText(string Text, byte[] Utf8);
}
