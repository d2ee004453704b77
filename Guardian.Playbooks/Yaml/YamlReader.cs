using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Guardian.Playbooks.Yaml;

/// <summary>
/// Reads one YAML document into nodes that know their place. A strict subset: no duplicate keys, aliases, anchors, tags,
/// second documents or control characters, and bounds on size, depth and number of nodes.
/// </summary>
internal sealed class YamlReader
{
    private readonly IParser _parser;
    private readonly ErrorSink _sink;
    private int _nodes;

    private YamlReader(IParser parser, ErrorSink sink)
    {
        _parser = parser;
        _sink = sink;
    }

    /// <summary>Reads a file from disk; null where it cannot be read or is no usable document, with the reasons in <paramref name="sink"/>.</summary>
    public static (YamlNode? Root, string Text) ReadFile(string path, ErrorSink sink)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > YamlLimits.Bytes)
            {
                sink.Add(0, 0, TooLarge(stream.Length));
                return (null, "");
            }

            using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
            var text = reader.ReadToEnd();
            return (Read(text, sink), text);
        }
        catch (DecoderFallbackException)
        {
            sink.Add(0, 0, "the file is not valid UTF-8; save it as UTF-8");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            sink.Add(0, 0, $"the file cannot be read: {e.Message}");
        }

        return (null, "");
    }

    /// <summary>Reads a text; null where it is no usable document. Errors that leave a usable tree (a duplicate key) are reported beside it.</summary>
    public static YamlNode? Read(string text, ErrorSink sink)
    {
        if (text.Length > YamlLimits.Bytes || Encoding.UTF8.GetByteCount(text) > YamlLimits.Bytes)
        {
            sink.Add(0, 0, TooLarge(Encoding.UTF8.GetByteCount(text)));
            return null;
        }

        if (HasControlCharacter(text, sink)) return null;
        try
        {
            return new YamlReader(new Parser(new StringReader(text.TrimStart('\uFEFF'))), sink).Document();
        }
        catch (Refused)
        {
            return null;
        }
        catch (YamlException e)
        {
            sink.Add((int)e.Start.Line, (int)e.Start.Column, $"not valid YAML: {Reason(e)}");
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // The parser has faults of its own on some malformed inputs; they are the file's errors, not ours.
            sink.Add(0, 0, $"not valid YAML: {e.Message}");
            return null;
        }
    }

    private static string TooLarge(long bytes) => $"the file has {bytes} bytes; at most {YamlLimits.Bytes} are read";

    private static string Reason(YamlException e) => e.Message.Length == 0 ? "malformed" : YamlNode.Shorten(e.Message.ReplaceLineEndings(" "));

    private static bool HasControlCharacter(string text, ErrorSink sink)
    {
        var line = 1;
        var lineStart = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\n') (line, lineStart) = (line + 1, i + 1);
            else if (c is < ' ' and not '\t' and not '\r' or '\u007f')
            {
                sink.Add(line, i - lineStart + 1, $"control character U+{(int)c:X4} is not allowed; the file is not plain text");
                return true;
            }
        }

        return false;
    }

    private YamlNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _))
        {
            _sink.Add(1, 1, "the file is empty");
            return null;
        }

        _parser.Consume<DocumentStart>();
        var root = Node(0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second)) Refuse(second, "a second document begins here; one file holds one document");
        _parser.Consume<StreamEnd>();
        return root;
    }

    private YamlNode Node(int depth)
    {
        if (_parser.Accept<AnchorAlias>(out var alias)) Refuse(alias, $"alias '*{alias.Value}' is not allowed; write the value out");
        var start = _parser.Consume<NodeEvent>();
        if (++_nodes > YamlLimits.Nodes) Refuse(start, $"the file has more than {YamlLimits.Nodes} values");
        if (depth > YamlLimits.Depth) Refuse(start, $"nested deeper than {YamlLimits.Depth} levels");
        if (!start.Anchor.IsEmpty) _sink.Add(Line(start), Column(start), $"anchor '&{start.Anchor.Value}' is not allowed; write the value where it is used");
        if (!start.Tag.IsEmpty) _sink.Add(Line(start), Column(start), $"tag '{YamlNode.Shorten(start.Tag.ToString())}' is not allowed; values have no tags");
        return start switch
        {
            Scalar scalar => ScalarNode(scalar),
            SequenceStart => Sequence(start, depth),
            _ => Mapping(start, depth),
        };
    }

    private static YamlNode ScalarNode(Scalar scalar)
    {
        var plain = scalar.Style == ScalarStyle.Plain;
        var quotes = plain ? 0 : 1;
        var written = scalar.End.Index - scalar.Start.Index - (2 * quotes);
        var exact = scalar.Start.Line == scalar.End.Line && written == scalar.Value.Length
            && scalar.Style is ScalarStyle.Plain or ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted;
        return YamlNode.Scalar(Line(scalar), Column(scalar), scalar.Value, plain, exact ? Column(scalar) + quotes : 0);
    }

    private YamlNode Sequence(NodeEvent start, int depth)
    {
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(depth + 1));
        return YamlNode.List(Line(start), Column(start), items);
    }

    private YamlNode Mapping(NodeEvent start, int depth)
    {
        var entries = new List<YamlEntry>();
        var seen = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1);
            if (key.Kind != YamlKind.Scalar) _sink.Add(key, $"a key must be text, not {key.Describe()}");
            else if (!seen.TryAdd(key.Text, key)) _sink.Add(key, $"duplicate key '{YamlNode.Shorten(key.Text)}'; it is already set on line {seen[key.Text].Line}");
            else entries.Add(new YamlEntry(key, value));
        }

        return YamlNode.Map(Line(start), Column(start), entries);
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void Refuse(ParsingEvent at, string message)
    {
        _sink.Add(Line(at), Column(at), message);
        throw new Refused();
    }

    private static int Line(ParsingEvent e) => (int)e.Start.Line;

    private static int Column(ParsingEvent e) => (int)e.Start.Column;

    /// <summary>Reading stops; the reason is in the sink already.</summary>
    private sealed class Refused : Exception;
}
