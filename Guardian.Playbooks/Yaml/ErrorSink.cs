using Guardian.Playbooks.Validation;

namespace Guardian.Playbooks.Yaml;

/// <summary>Collects the errors of one file, so that all of them are reported in one pass.</summary>
internal sealed class ErrorSink(string file)
{
    private readonly List<FileError> _errors = [];

    /// <summary>Path as given.</summary>
    public string File { get; } = file;

    /// <summary>Errors by place. Past <see cref="YamlLimits.Errors"/> one last entry says how many more there are.</summary>
    public IReadOnlyList<FileError> Errors
    {
        get
        {
            List<FileError> sorted = [.. _errors.OrderBy(x => x.Line).ThenBy(x => x.Column).Distinct()];
            if (Suppressed > 0) sorted.Add(new FileError(File, 0, 0, $"{Suppressed} more errors are not shown"));
            return sorted;
        }
    }

    /// <summary>Errors found so far.</summary>
    public int Count => _errors.Count + Suppressed;

    private int Suppressed { get; set; }

    /// <summary>Reports an error at a node.</summary>
    public void Add(YamlNode node, string message) => Add(node.Line, node.Column, message);

    /// <summary>Reports an error at a character of a scalar's value.</summary>
    public void Add(YamlNode scalar, int offset, string message) => Add(scalar.Line, scalar.ColumnAt(offset), message);

    /// <summary>Reports an error at a place; 0, 0 is the file as a whole.</summary>
    public void Add(int line, int column, string message)
    {
        if (_errors.Count >= YamlLimits.Errors) Suppressed++;
        else _errors.Add(new FileError(File, line, column, message));
    }
}
