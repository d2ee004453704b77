using System.Security.Cryptography;
using System.Text;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Runs;

/// <summary>The playbooks in force.</summary>
/// <param name="Playbooks">Valid ones, by name.</param>
/// <param name="Hash">SHA-256 over the hashes of all of them; nodes compare it.</param>
internal sealed record PlaybookSet(IReadOnlyList<Playbook> Playbooks, string Hash)
{
    public static PlaybookSet Of(IEnumerable<Playbook> playbooks)
    {
        Playbook[] sorted = [.. playbooks.OrderBy(x => x.Name, StringComparer.Ordinal)];
        var text = string.Join('\n', sorted.Select(x => $"{x.Name} {x.Hash}"));
        return new PlaybookSet(sorted, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}

/// <summary>Holds the playbooks in force: the folder is validated as a whole and swapped at once; with any error the last good set stays.</summary>
internal sealed class PlaybookCatalog(Func<PlaybookLoadResult> load)
{
    private volatile PlaybookSet _current = PlaybookSet.Of([]);
    private volatile IReadOnlyList<FileError> _errors = [];

    public PlaybookCatalog(string directory, Vocabulary vocabulary)
        : this(() => PlaybookLoader.LoadDirectory(directory, vocabulary))
    {
    }

    /// <summary>In force; read from any thread.</summary>
    public PlaybookSet Current => _current;

    /// <summary>What is wrong with the folder now; empty when all of it is in force.</summary>
    public IReadOnlyList<FileError> Errors => _errors;

    /// <summary>Reads the folder; false: it has errors and the last good set stays.</summary>
    public bool TryReload()
    {
        try
        {
            var result = load();
            _errors = result.Errors;
            if (result.Errors.Count > 0) return false;
            _current = PlaybookSet.Of(result.Playbooks);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _errors = [new FileError("playbooks", 0, 0, $"cannot be read: {e.Message}")];
            return false;
        }
    }
}
