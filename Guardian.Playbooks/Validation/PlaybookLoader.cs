using System.Security.Cryptography;
using System.Text;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>One thing wrong with a file.</summary>
/// <param name="File">Path as given.</param>
/// <param name="Line">1-based; 0 where the file as a whole is meant.</param>
/// <param name="Column">1-based; 0 likewise.</param>
/// <param name="Message">What is wrong and what would be right.</param>
public sealed record FileError(string File, int Line, int Column, string Message)
{
    /// <summary><c>file:line:column: message</c>.</summary>
    public override string ToString() => $"{File}:{Line}:{Column}: {Message}";
}

/// <summary>All valid playbooks and all errors of a set of files.</summary>
/// <param name="Playbooks">Valid ones.</param>
/// <param name="Errors">Every error of every file, by file, line, column.</param>
public sealed record PlaybookLoadResult(IReadOnlyList<Playbook> Playbooks, IReadOnlyList<FileError> Errors);

/// <summary>Reads playbooks and reports every error of every file in one pass.</summary>
public static class PlaybookLoader
{
    /// <summary>Reads the given texts as one set: names must be unique over all of them.</summary>
    public static PlaybookLoadResult Load(IEnumerable<(string File, string Text)> files, Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(vocabulary);
        var set = new Loading(vocabulary);
        foreach (var (file, text) in files)
        {
            var sink = new ErrorSink(file);
            set.Add(YamlReader.Read(text, sink), text, sink);
        }

        return set.Result();
    }

    /// <summary>Reads one file, bounded in size.</summary>
    public static PlaybookLoadResult LoadFile(string path, Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(vocabulary);
        return LoadFiles([path], vocabulary);
    }

    /// <summary>
    /// Reads all <c>*.yaml</c> and <c>*.yml</c> files of a folder, sorted by path; a missing folder is an error.
    /// Folders below it are left alone: mounted configuration keeps its older versions in such ones.
    /// </summary>
    public static PlaybookLoadResult LoadDirectory(string directory, Vocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(vocabulary);
        List<string> paths;
        try
        {
            paths = [.. Directory.EnumerateFiles(directory).Where(IsYaml).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new PlaybookLoadResult([], [new FileError(directory, 0, 0, $"the folder of playbooks cannot be read: {e.Message}")]);
        }

        if (paths.Count > PlaybookLimits.Files)
            return new PlaybookLoadResult([], [new FileError(directory, 0, 0, $"the folder has {paths.Count} playbooks; at most {PlaybookLimits.Files} are read")]);
        return LoadFiles(paths, vocabulary);
    }

    private static PlaybookLoadResult LoadFiles(IEnumerable<string> paths, Vocabulary vocabulary)
    {
        var set = new Loading(vocabulary);
        foreach (var path in paths)
        {
            var sink = new ErrorSink(path);
            var (root, text) = YamlReader.ReadFile(path, sink);
            set.Add(root, text, sink);
        }

        return set.Result();
    }

    private static bool IsYaml(string path) => Path.GetExtension(path) is ".yaml" or ".yml";

    /// <summary>A set of files while it is read.</summary>
    private sealed class Loading(Vocabulary vocabulary)
    {
        private readonly Dictionary<string, string> _fileOfName = new(StringComparer.Ordinal);
        private readonly List<Playbook> _playbooks = [];
        private readonly List<FileError> _errors = [];

        public void Add(YamlNode? root, string text, ErrorSink sink)
        {
            if (root is not null)
            {
                var (playbook, nameNode) = new PlaybookReader(vocabulary, sink).Read(root);
                if (nameNode is not null && !_fileOfName.TryAdd(nameNode.Text, sink.File))
                    sink.Add(nameNode, $"the name '{nameNode.Text}' is taken by {_fileOfName[nameNode.Text]}");
                if (playbook is not null && sink.Count == 0)
                {
                    var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
                    _playbooks.Add(playbook with { Definition = text, Hash = hash, File = sink.File });
                }
            }

            _errors.AddRange(sink.Errors);
        }

        public PlaybookLoadResult Result() => new(_playbooks, _errors);
    }
}
