using System.Collections.Frozen;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Reads <c>with:</c> against the declared inputs of an action or a probe.</summary>
/// <param name="names">Names that <c>${…}</c> may use.</param>
/// <param name="present">Optional names that the step's condition vouches for.</param>
/// <param name="sink">Where errors go.</param>
/// <param name="vocabulary">Names of configured secrets, and of probes.</param>
internal sealed class WithReader(NameTable names, IReadOnlyList<string> present, ErrorSink sink, Vocabulary vocabulary)
{
    /// <summary>Reads the inputs of <paramref name="owner"/>; <paramref name="at"/> is where a missing one is reported.</summary>
    public Template Read(YamlNode? with, IReadOnlyList<FieldSpec> inputs, string owner, YamlNode at)
    {
        if (with is not null && with.Kind != YamlKind.Map)
        {
            sink.Add(with, $"'with' must be a map of inputs, not {with.Describe()}");
            return Template.Empty;
        }

        var rules = new InputRules(vocabulary.Probes, sink);
        rules.Check(with, inputs, owner, at);
        var members = new List<(string Key, TemplatePart Value)>();
        foreach (var entry in with?.Entries ?? [])
        {
            var spec = inputs.FirstOrDefault(x => x.Name == entry.Key);
            if (spec is null)
                sink.Add(entry.KeyNode, $"'{owner}' has no input '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, inputs.Select(x => x.Name))}");
            else if (spec.Rule is InputRule.ProbeName or InputRule.ProbeCheck)
                members.Add((entry.Key, new TemplatePart.Constant(Literals.Scalar(entry.Value, FieldType.String)))); // as it stands: the rules have checked it
            else if (spec.Rule == InputRule.ProbeInput)
                members.Add((entry.Key, rules.ProbeOf(with, inputs) is { } probe ? Read(entry.Value, probe.Inputs, probe.Name, entry.Value).Root : Template.Empty.Root));
            else if ((spec.Secret ? SecretPart(entry.Value, spec.Type, entry.Key) : Part(entry.Value, spec.Type, entry.Key)) is { } part)
                members.Add((entry.Key, part));
            if (spec is { Values.Count: > 0 } && entry.Value.Kind == YamlKind.Scalar && !entry.Value.Text.Contains("${", StringComparison.Ordinal) && !spec.Values.Contains(entry.Value.Text))
                sink.Add(entry.Value, $"'{entry.Key}' must be one of {string.Join(", ", spec.Values)}, not {entry.Value.Describe()}");
        }

        foreach (var missing in inputs.Where(x => x.Required && with?.Get(x.Name) is null))
            sink.Add(with ?? at, $"'{owner}' needs the input '{missing.Name}': {Literals.Form(missing.Type)}");
        return new Template(new TemplatePart.Map(members));
    }

    /// <summary>Reads a text that may hold <c>${…}</c>.</summary>
    public Template? Text(YamlNode node, string key) => Part(node, FieldType.String, key) is { } part ? new Template(part) : null;

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

    /// <summary>An input that is secret. A text without a secret would be one that everybody reads in the file.</summary>
    private TemplatePart? SecretPart(YamlNode node, FieldType type, string key)
    {
        if (node.Kind == YamlKind.Scalar && !node.IsNull && NamesOf(node).Count == 0 && type is not (FieldType.Object or FieldType.List))
        {
            sink.Add(node, $"'{key}' is secret: write ${{secrets.<name>}} and configure it under Guardian:Secrets; a value in this file could be read by everybody");
            return null;
        }

        if (node.Kind == YamlKind.Scalar && type is not (FieldType.String or FieldType.Any)) return Part(node, type, key);
        return BelowSecret(node, key);
    }

    /// <summary>Headers that are there for credentials.</summary>
    private static readonly FrozenSet<string> Credentials =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "Private-Token");

    private TemplatePart? BelowSecret(YamlNode node, string key)
    {
        switch (node.Kind)
        {
            case YamlKind.List: return new TemplatePart.List([.. node.Items.Select(x => BelowSecret(x, key)).OfType<TemplatePart>()]);
            case YamlKind.Map: return new TemplatePart.Map([.. node.Entries.Select(x => (x.Key, Value: BelowSecret(x.Value, x.Key)!)).Where(x => x.Value is not null)]);
        }

        var named = NamesOf(node);
        if (named.Count == 0 && Credentials.Contains(key))
        {
            sink.Add(node, $"'{key}' carries a credential; name it as ${{secrets.<name>}}, a readable one would end up in the journal");
            return null;
        }

        if (named.Count == 0)
            return Part(node, FieldType.Any, key) is { } part ? part is TemplatePart.Computed computed ? new TemplatePart.ComputedScalar(computed.Expression) : part : null;
        foreach (var (offset, name) in named.Where(x => !vocabulary.Secrets.Contains(x.Name)))
            sink.Add(node, offset, $"no secret is called '{name}'{Spelling.Hint(name, vocabulary.Secrets)}; secrets are configured under Guardian:Secrets");
        var pieces = TemplateText.Split(node.Text)!.Select(x => x switch
        {
            { IsExpression: false } => (x.Text, null, null),
            _ when SecretName(x) is { } name => ((string?)null, (CompiledExpression?)null, (string?)name),
            _ => (null, Compile(node, x, FieldType.Any), null),
        }).ToList();
        return pieces.Any(x => x is (null, null, null)) ? null : new TemplatePart.SecretText(pieces);
    }

    private static List<(int Offset, string Name)> NamesOf(YamlNode node) => node.Kind != YamlKind.Scalar ? [] :
        [.. (TemplateText.Split(node.Text) ?? []).Select(x => (x.Offset, Name: SecretName(x)!)).Where(x => x.Name is not null)];

    private static string? SecretName(TemplateText.Piece piece)
    {
        var text = piece.Text.Trim();
        return piece.IsExpression && text.StartsWith("secrets.", StringComparison.Ordinal) && Names.IsIdentifier(text[8..]) ? text[8..] : null;
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
