using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos;

/// <summary>Kernels that a scenario gives its node, checked as <c>kernels.yaml</c> is and written down as the text of one.</summary>
internal static partial class NodeKernels
{
    /// <summary>Null where something is wrong; it is reported at its place.</summary>
    public static string? Read(YamlNode list, ErrorSink sink)
    {
        var before = sink.Count;
        KernelsFileReader.Read(list, sink);
        if (sink.Count > before) return null;
        var text = new StringBuilder("apiVersion: guardian/v1\nkind: Kernels\nkernels: ");
        Write(list, text);
        return text.Append('\n').ToString();
    }

    /// <summary>In flow style: JSON, but for scalars that were not quoted and may be numbers or durations.</summary>
    private static void Write(YamlNode node, StringBuilder text)
    {
        switch (node.Kind)
        {
            case YamlKind.List:
                text.Append('[');
                foreach (var item in node.Items)
                {
                    if (item != node.Items[0]) text.Append(", ");
                    Write(item, text);
                }

                text.Append(']');
                break;
            case YamlKind.Map:
                text.Append("{ ");
                foreach (var entry in node.Entries)
                {
                    if (entry != node.Entries[0]) text.Append(", ");
                    text.Append(JsonSerializer.Serialize(entry.Key, ScenarioText.Default.String)).Append(": ");
                    Write(entry.Value, text);
                }

                text.Append(" }");
                break;
            default:
                text.Append(node.IsPlain && Bare().IsMatch(node.Text) ? node.Text : JsonSerializer.Serialize(node.Text, ScenarioText.Default.String));
                break;
        }
    }

    [GeneratedRegex("^[A-Za-z0-9._~%-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex Bare();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ScenarioText : System.Text.Json.Serialization.JsonSerializerContext;
