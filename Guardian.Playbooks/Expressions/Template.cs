using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Guardian.Playbooks.Expressions;

/// <summary>A value of <c>with:</c>: literals with <c>${…}</c> in them, type-checked when loaded. Substituted values are never parsed again.</summary>
public sealed class Template
{
    private readonly TemplatePart _root;

    internal Template(TemplatePart root) => _root = root;

    internal TemplatePart Root => _root;

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

    /// <summary>Renders a template that is a text.</summary>
    /// <exception cref="EvaluationException">As <see cref="Render"/>.</exception>
    public string RenderText(EvaluationScope scope)
    {
        var value = Render(scope);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
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

    /// <summary>
    /// Text of an input that is secret: literals, values and the names of secrets, as <c>{"$secret": ["Bearer ", {"name": "token"}]}</c>.
    /// Whoever carries the action out puts the values in; what stands in the list as text is never looked up. Of each piece one is set.
    /// </summary>
    public sealed record SecretText(IReadOnlyList<(string? Literal, CompiledExpression? Expression, string? Secret)> Pieces) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            writer.WriteStartObject();
            writer.WriteStartArray(Execution.SecretForm.Member);
            foreach (var (literal, expression, secret) in Pieces)
            {
                if (secret is null)
                {
                    writer.WriteStringValue(literal ?? expression!.Substitute(scope).Render());
                    Bound(writer, 0);
                    continue;
                }

                writer.WriteStartObject();
                writer.WriteString(Execution.SecretForm.Name, secret);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }
    }

    /// <summary>A computed value below a secret input: only a simple one, so that no data from outside can have the form of a secret.</summary>
    public sealed record ComputedScalar(CompiledExpression Expression) : TemplatePart
    {
        public override void Write(Utf8JsonWriter writer, EvaluationScope scope)
        {
            var value = Expression.Substitute(scope);
            if (value.Kind is Model.FieldType.Object or Model.FieldType.List)
                throw new EvaluationException($"'{Expression.Source}' is {TypeNames.Of(value.Kind)}; an input that holds secrets takes only simple values");
            value.Write(writer);
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
