namespace Guardian.Playbooks.Yaml;

/// <summary>What a node is.</summary>
internal enum YamlKind
{
    /// <summary>Text, number, boolean or nothing.</summary>
    Scalar,

    /// <summary>A list.</summary>
    List,

    /// <summary>Keys with values.</summary>
    Map,
}

/// <summary>A key of a map with its value. <see cref="KeyNode"/> has the key's place.</summary>
internal sealed record YamlEntry(YamlNode KeyNode, YamlNode Value)
{
    /// <summary>The key's text.</summary>
    public string Key => KeyNode.Text;
}

/// <summary>A node of a YAML document with its place in the file.</summary>
internal sealed class YamlNode
{
    private readonly int _exactValueColumn;

    private YamlNode(YamlKind kind, int line, int column, string text, bool plain, int exactValueColumn)
    {
        Kind = kind;
        Line = line;
        Column = column;
        Text = text;
        IsPlain = plain;
        _exactValueColumn = exactValueColumn;
    }

    /// <summary>What it is.</summary>
    public YamlKind Kind { get; }

    /// <summary>1-based.</summary>
    public int Line { get; }

    /// <summary>1-based.</summary>
    public int Column { get; }

    /// <summary>A scalar's value; empty for the others.</summary>
    public string Text { get; }

    /// <summary>True for a scalar without quotes: only such a one can be a number, a boolean or null.</summary>
    public bool IsPlain { get; }

    /// <summary>Items of a list; empty for the others.</summary>
    public IReadOnlyList<YamlNode> Items { get; private init; } = [];

    /// <summary>Entries of a map in the file's order; empty for the others.</summary>
    public IReadOnlyList<YamlEntry> Entries { get; private init; } = [];

    /// <summary>True for <c>null</c>, <c>~</c> and nothing at all.</summary>
    public bool IsNull => Kind == YamlKind.Scalar && IsPlain && (Text is "" or "~" or "null");

    /// <summary>For messages: <c>a list</c>, <c>a map</c>, <c>'text'</c>.</summary>
    public string Describe() => Kind switch
    {
        YamlKind.List => "a list",
        YamlKind.Map => "a map",
        _ when IsNull => "nothing",
        _ => "'" + Shorten(Text) + "'",
    };

    /// <summary>The value of a key, null where the map does not have it or this is no map.</summary>
    public YamlNode? Get(string key)
    {
        foreach (var entry in Entries)
        {
            if (entry.Key == key) return entry.Value;
        }

        return null;
    }

    /// <summary>Column of a character of a scalar's value; the scalar's start where escapes or line folds make that unknowable.</summary>
    public int ColumnAt(int offset) => _exactValueColumn > 0 ? _exactValueColumn + offset : Column;

    internal static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";

    internal static YamlNode Scalar(int line, int column, string text, bool plain, int exactValueColumn) =>
        new(YamlKind.Scalar, line, column, text, plain, exactValueColumn);

    internal static YamlNode List(int line, int column, IReadOnlyList<YamlNode> items) =>
        new(YamlKind.List, line, column, "", false, 0) { Items = items };

    internal static YamlNode Map(int line, int column, IReadOnlyList<YamlEntry> entries) =>
        new(YamlKind.Map, line, column, "", false, 0) { Entries = entries };
}
