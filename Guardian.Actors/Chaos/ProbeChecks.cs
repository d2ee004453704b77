using System.Text.Json;
using Guardian.Actors.Chaos.Targets;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos;

/// <summary>Reads <c>{ probe, with, check }</c>; names and types are those of <see cref="ChaosProbes"/>.</summary>
internal static class ProbeChecks
{
    public static ProbeCheck? Read(YamlNode node, ErrorSink sink)
    {
        if (MapReader.Of(node, sink, "a check") is not { } map) return null;
        var name = map.RequireText("probe");
        var text = map.RequireText("check");
        var with = map.Map("with");
        map.Finish();
        if (name is null) return null;
        if (!ChaosProbes.Vocabulary.Probes.TryGetValue(name, out var probe))
        {
            sink.Add(map.Node.Get("probe")!, $"scenarios have no probe '{name}'{Spelling.Hint(name, ChaosProbes.Vocabulary.Probes.Keys)}");
            return null;
        }

        var input = Input(probe, map, with, sink);
        return text is not null && Compile(map.Node.Get("check")!, probe, sink) is { } check ? new ProbeCheck(name, input, check) : null;
    }

    private static CompiledExpression? Compile(YamlNode check, ProbeSpec probe, ErrorSink sink)
    {
        var (expression, errors) = ExpressionCompiler.Compile(check.Text, NameTable.Empty.WithResult(probe.Results), FieldType.Bool);
        foreach (var error in errors) sink.Add(check, error.Offset, error.Message);
        return expression;
    }

    private static JsonElement Input(ProbeSpec probe, MapReader check, MapReader? with, ErrorSink sink)
    {
        var given = new List<(string Name, string Value)>();
        foreach (var field in probe.Inputs)
        {
            var value = with?.Text(field.Name);
            if (value is not null) given.Add((field.Name, value));
            else if (field.Required && with?.Node.Get(field.Name) is null) sink.Add(with?.Node ?? check.Node, $"{probe.Name} needs '{field.Name}' in 'with'");
            if (value is not null && field.Type == FieldType.Duration && !Duration.TryParse(value, out _))
                sink.Add(with!.Node.Get(field.Name)!, $"'{field.Name}' must be a duration such as 1s, not '{value}'");
        }

        with?.Finish();
        return TargetJson.Object(x =>
        {
            foreach (var (name, value) in given) x.WriteString(name, value);
        });
    }
}
