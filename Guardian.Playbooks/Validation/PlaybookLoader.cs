using System.Text.Json;
using Guardian.Playbooks.Model;

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
    public static PlaybookLoadResult Load(IEnumerable<(string File, string Text)> files, Vocabulary vocabulary) => throw new NotImplementedException();

    /// <summary>Reads all <c>*.yaml</c> and <c>*.yml</c> files of a folder, sorted by path; a missing folder is an error.</summary>
    public static PlaybookLoadResult LoadDirectory(string directory, Vocabulary vocabulary) => throw new NotImplementedException();
}

/// <summary>Finds the playbook for an incident.</summary>
public static class PlaybookMatcher
{
    /// <summary>The first playbook (by name) with a trigger that fits, with the clause and the values it saw; null when none.</summary>
    public static (Playbook Playbook, string Because)? Match(IEnumerable<Playbook> playbooks, string incidentType, JsonElement incident) => throw new NotImplementedException();
}
