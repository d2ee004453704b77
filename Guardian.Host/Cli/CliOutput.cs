using System.Text.Json;
using Spectre.Console;

namespace Guardian.Host.Cli;

/// <summary>A table where a terminal is attached, plain tab-separated lines where not, JSON alone where asked for.</summary>
internal sealed class CliOutput(TextWriter output, TextWriter error, bool json)
{
    private readonly bool _terminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;

    public bool Json => json;

    public TextWriter Writer => output;

    /// <summary>For people; silent with <c>--json</c>.</summary>
    public void Line(string text)
    {
        if (!json) output.WriteLine(text);
    }

    public void Problem(string text) => error.WriteLine(text);

    /// <summary>For scripts.</summary>
    public void JsonLine(JsonElement value) => output.WriteLine(value.ValueKind == JsonValueKind.Undefined ? "{}" : value.GetRawText());

    /// <summary>A list: its items as JSON, or the columns named <c>title=path.to.field</c>.</summary>
    public void List(JsonElement items, string whenEmpty, params string[] columns)
    {
        if (json)
        {
            JsonLine(items);
            return;
        }

        if (items.GetArrayLength() == 0) output.WriteLine(whenEmpty);
        else Table([.. columns.Select(x => x.Split('=')[0])], items.EnumerateArray().Select(item => columns.Select(x => Text(item, x.Split('=')[^1])).ToArray()));
    }

    /// <summary>Name and value, one a line.</summary>
    public void Facts(IEnumerable<(string Name, string Value)> facts)
    {
        foreach (var (name, value) in facts) output.WriteLine($"{name,-14} {value}");
    }

    public void Table(string[] columns, IEnumerable<string[]> rows)
    {
        if (!_terminal)
        {
            output.WriteLine(string.Join('\t', columns));
            foreach (var row in rows) output.WriteLine(string.Join('\t', row));
            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)));
        foreach (var row in rows) table.AddRow(row.Select(x => Markup.Escape(x)).ToArray());
        AnsiConsole.Write(table);
    }

    /// <summary>A field's text, <c>-</c> where there is none; control characters of others never reach the terminal.</summary>
    public static string Text(JsonElement item, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out item)) return "-";
        }

        var text = item.ValueKind switch
        {
            JsonValueKind.Array => string.Join(", ", item.EnumerateArray().Select(x => x.ToString())),
            JsonValueKind.Null => "-",
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            _ => item.ToString(),
        };
        return Clean(text);
    }

    /// <summary>Without control characters.</summary>
    public static string Clean(string text) => string.Concat(text.Select(x => char.IsControl(x) ? ' ' : x));
}
