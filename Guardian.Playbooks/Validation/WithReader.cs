using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Reads <c>with:</c> against the declared inputs of an action or a probe.</summary>
/// <param name="names">Names that <c>${…}</c> may use.</param>
/// <param name="present">Optional names that the step's condition vouches for.</param>
/// <param name="sink">Where errors go.</param>
internal sealed class WithReader(NameTable names, IReadOnlyList<string> present, ErrorSink sink)
{
    /// <summary>Reads the inputs of <paramref name="owner"/>; <paramref name="at"/> is where a missing one is reported.</summary>
    public Template Read(YamlNode? with, IReadOnlyList<FieldSpec> inputs, string owner, YamlNode at)
    {
        if (with is not null && with.Kind != YamlKind.Map)
        {
            sink.Add(with, $"'with' must be a map of inputs, not {with.Describe()}");
            return Template.Empty;
        }

        var members = new List<(string Key, TemplatePart Value)>();
        foreach (var entry in with?.Entries ?? [])
        {
            var spec = inputs.FirstOrDefault(x => x.Name == entry.Key);
            if (spec is null)
                sink.Add(entry.KeyNode, $"'{owner}' has no input '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, inputs.Select(x => x.Name))}");
            else if (Part(entry.Value, spec.Type, entry.Key) is { } part)
                members.Add((entry.Key, part));
        }

        foreach (var missing in inputs.Where(x => x.Required && with?.Get(x.Name) is null))
            sink.Add(with ?? at, $"'{owner}' needs the input '{missing.Name}': {Literals.Form(missing.Type)}");
        return new Template(new TemplatePart.Map(members));
    }

    private TemplatePart? Part(YamlNode node, FieldType type, string key)
    {
        if (node.IsNull)
        {
            sink.Add(node, $"'{key}' is empty; give it a value or remove it");
            return null;
        }

        if (node.Kind == YamlKind.Scalar && node.Text.Contains("${", StringComparison.Ordinal)) return Substituted(node, type, key);
        if (!Literals.Fits(node, type))
        {
            sink.Add(node, $"'{key}' must be {Literals.Form(type)}, not {node.Describe()}");
            return null;
        }

        return node.Kind switch
        {
            YamlKind.List => new TemplatePart.List([.. node.Items.Select(x => Part(x, FieldType.Any, key)).OfType<TemplatePart>()]),
            YamlKind.Map => new TemplatePart.Map([.. node.Entries.Select(x => (x.Key, Value: Part(x.Value, FieldType.Any, x.Key)!)).Where(x => x.Value is not null)]),
            _ => new TemplatePart.Constant(Literals.Scalar(node, type == FieldType.Any ? Literals.Infer(node) : type)),
        };
    }

    private TemplatePart? Substituted(YamlNode node, FieldType type, string key)
    {
        var pieces = TemplateText.Split(node.Text);
        if (pieces is null)
        {
            sink.Add(node, node.Text.LastIndexOf("${", StringComparison.Ordinal), "'${' is not closed by '}'");
            return null;
        }

        if (pieces is [{ IsExpression: true } only])
            return Compile(node, only, type) is { } expression ? new TemplatePart.Computed(expression) : null;
        if (type is not (FieldType.String or FieldType.Any))
        {
            sink.Add(node, $"'{key}' must be {Literals.Form(type)}; text with '${{…}}' inside is always text");
            return null;
        }

        var parts = pieces.Select(x => x.IsExpression ? (Literal: (string?)null, Expression: Compile(node, x, FieldType.Any)) : (x.Text, null)).ToList();
        return parts.Any(x => x is { Literal: null, Expression: null }) ? null : new TemplatePart.Text(parts);
    }

    private CompiledExpression? Compile(YamlNode node, TemplateText.Piece piece, FieldType expected)
    {
        var (expression, errors) = ExpressionCompiler.Compile(piece.Text, names, expected, present);
        foreach (var error in errors) sink.Add(node, piece.Offset + error.Offset, error.Message);
        return expression;
    }
}

/// <summary>Text with <c>${…}</c> in it.</summary>
internal static class TemplateText
{
    /// <summary>A piece: literal text, or an expression without its <c>${}</c>.</summary>
    internal sealed record Piece(bool IsExpression, int Offset, string Text);

    /// <summary>The pieces in order; null where one is not closed. A brace inside quotes does not close.</summary>
    public static IReadOnlyList<Piece>? Split(string text)
    {
        var pieces = new List<Piece>();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            if (open < 0) open = text.Length;
            if (open > at) pieces.Add(new Piece(false, at, text[at..open]));
            if (open == text.Length) break;
            var close = open + 2;
            while (close < text.Length && text[close] != '}')
                close = text[close] is '\'' or '"' ? ExpressionText.SkipText(text, close) + 1 : close + 1;
            if (close >= text.Length) return null;
            pieces.Add(new Piece(true, open + 2, text[(open + 2)..close]));
            at = close + 1;
        }

        return pieces;
    }
}
