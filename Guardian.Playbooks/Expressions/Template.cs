using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Guardian.Playbooks.Expressions;

/// <summary>A value of <c>with:</c>: literals with <c>${…}</c> in them, type-checked when loaded. Substituted values are never parsed again.</summary>
public sealed class Template
{
    private readonly TemplatePart _root;

    internal Template(TemplatePart root) => _root = root;

    /// <summary>An object without members.</summary>
    internal static Template Empty { get; } = new(new TemplatePart.Map([]));

    /// <summary>Renders to a JSON object.</summary>
    /// <exception cref="EvaluationException">A name has no value or a cost limit was reached; the message says which.</exception>
    public JsonElement Render(EvaluationScope scope)
    {
        ArgumentNullException.ThrowIfNull(scope);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            _root.Write(writer, scope);
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}

/// <summary>A part of a template.</summary>
internal abstract record TemplatePart
{
    /// <summary>Writes what it is now.</summary>
    public abstract void Write(Utf8JsonWriter writer, EvaluationScope scope);

    private static void Bound(Utf8JsonWriter writer, long more)
    {
        if (writer.BytesCommitted + writer.BytesPending + more > ExpressionLimits.Rendered)
            throw new EvaluationException($"the rendered input is larger than {ExpressionLimits.Rendered} bytes; shorten its texts");
    }

    /// <summary>A value that never changes.</summary>
    public sealed record Constant(JsonElement Value) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope) => Value.WriteTo(writer);
    }

    /// <summary>A value that is only <c>${e}</c>: it keeps its type.</summary>
    public sealed record Computed(CompiledExpression Expression) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            Expression.Substitute(scope).Write(writer);
            Bound(writer, 0);
        }
    }

    /// <summary>Text with <c>${e}</c> inside. Of each piece one is set.</summary>
    public sealed record Text(IReadOnlyList<(string? Literal, CompiledExpression? Expression)> Pieces) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            var text = new StringBuilder();
            foreach (var (literal, expression) in Pieces)
            {
                text.Append(literal ?? expression!.Substitute(scope).Render());
                Bound(writer, text.Length);
            }

            writer.WriteStringValue(text.ToString());
            Bound(writer, 0);
        }
    }

    /// <summary>An object.</summary>
    public sealed record Map(IReadOnlyList<(string Key, TemplatePart Value)> Members) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            writer.WriteStartObject();
            foreach (var (key, value) in Members)
            {
                writer.WritePropertyName(key);
                value.Write(writer, scope);
            }

            writer.WriteEndObject();
        }
    }

    /// <summary>A list.</summary>
    public sealed record List(IReadOnlyList<TemplatePart> Items) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            writer.WriteStartArray();
            foreach (var item in Items) item.Write(writer, scope);
            writer.WriteEndArray();
        }
    }
}
