using Guardian.Playbooks.Model;

namespace Guardian.Playbooks.Yaml;

/// <summary>
/// Reads the keys of one map as typed values. Every key asked for becomes a known one; <see cref="Finish"/> reports the rest.
/// A value that does not fit is reported at its place and the default is returned, so that reading goes on to the next error.
/// </summary>
internal sealed class MapReader
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly string _what;

    private MapReader(YamlNode node, ErrorSink sink, string what)
    {
        Node = node;
        Sink = sink;
        _what = what;
    }

    /// <summary>The map.</summary>
    public YamlNode Node { get; }

    /// <summary>Where errors go.</summary>
    public ErrorSink Sink { get; }

    /// <summary>Reads <paramref name="node"/> as a map; null, reported, where it is none. <paramref name="what"/> names it in messages: <c>step</c>.</summary>
    public static MapReader? Of(YamlNode? node, ErrorSink sink, string what)
    {
        if (node is null) return null;
        if (node.Kind == YamlKind.Map) return new MapReader(node, sink, what);
        sink.Add(node, $"{what} must be a map of keys and values, not {node.Describe()}");
        return null;
    }

    /// <summary>The key's value; null where it is absent or empty.</summary>
    public YamlNode? Take(string key)
    {
        _known.Add(key);
        var value = Node.Get(key);
        return value is null || value.IsNull ? null : value;
    }

    /// <summary>The key's value; its absence is an error.</summary>
    public YamlNode? Require(string key)
    {
        var value = Take(key);
        if (value is null) Sink.Add(Node.Get(key) ?? Node, $"{_what} needs '{key}'");
        return value;
    }

    /// <summary>Text, null where absent.</summary>
    public string? Text(string key) => Take(key) is { } node ? YamlValues.Text(node, Sink, key) : null;

    /// <summary>Text that must be there; null where it is not, reported.</summary>
    public string? RequireText(string key) => Require(key) is { } node ? YamlValues.Text(node, Sink, key) : null;

    /// <summary>A whole number in a range.</summary>
    public int Int(string key, int fallback, int min = int.MinValue, int max = int.MaxValue) =>
        Take(key) is { } node ? YamlValues.Int(node, Sink, key, min, max) ?? fallback : fallback;

    /// <summary>A number in a range.</summary>
    public double Double(string key, double fallback, double min = double.MinValue, double max = double.MaxValue) =>
        Take(key) is { } node ? YamlValues.Double(node, Sink, key, min, max) ?? fallback : fallback;

    /// <summary>true or false.</summary>
    public bool Bool(string key, bool fallback) => Take(key) is { } node ? YamlValues.Bool(node, Sink, key) ?? fallback : fallback;

    /// <summary>A duration in a range.</summary>
    public TimeSpan Duration(string key, TimeSpan fallback, TimeSpan? min = null, TimeSpan? max = null) =>
        Take(key) is { } node ? YamlValues.Duration(node, Sink, key, min ?? TimeSpan.Zero, max ?? TimeSpan.MaxValue) ?? fallback : fallback;

    /// <summary>A rate, null where absent.</summary>
    public Rate? Rate(string key) => Take(key) is { } node ? YamlValues.Rate(node, Sink, key) : null;

    /// <summary>One of an enum's values, written in snake_case.</summary>
    public T Enum<T>(string key, T fallback)
        where T : struct, Enum => Take(key) is { } node ? YamlValues.Enum<T>(node, Sink, key) ?? fallback : fallback;

    /// <summary>The items of a list; empty where absent.</summary>
    public IReadOnlyList<YamlNode> List(string key) => Take(key) is { } node ? YamlValues.List(node, Sink, key) : [];

    /// <summary>Texts of a list; empty where absent.</summary>
    public IReadOnlyList<string> Texts(string key) =>
        [.. List(key).Select(x => YamlValues.Text(x, Sink, key)).OfType<string>()];

    /// <summary>A map below this one; null where absent.</summary>
    public MapReader? Map(string key, string? what = null) => Of(Take(key), Sink, what ?? $"'{key}'");

    /// <summary>Reports a key that is understood but not supported yet. It is never silently ignored.</summary>
    public void NotSupported(string key, string remedy = "remove it")
    {
        _known.Add(key);
        var entry = Node.Entries.FirstOrDefault(x => x.Key == key);
        if (entry is not null) Sink.Add(entry.KeyNode, $"'{key}' is not supported by this release; {remedy}");
    }

    /// <summary>Reports every key that nobody asked for, with the nearest right name.</summary>
    public void Finish()
    {
        foreach (var entry in Node.Entries)
        {
            if (!_known.Contains(entry.Key))
                Sink.Add(entry.KeyNode, $"{_what} has no key '{YamlNode.Shorten(entry.Key)}'{Spelling.Hint(entry.Key, _known)}");
        }
    }
}
