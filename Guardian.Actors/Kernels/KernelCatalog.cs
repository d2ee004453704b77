using System.Security.Cryptography;
using System.Text;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Kernels;

/// <summary>The kernels declared, from file and code. A file that has errors never replaces the last good one. Thread-safe.</summary>
internal sealed class KernelCatalog
{
    private readonly string? _path;
    private readonly IReadOnlyList<KernelDefinition> _code;
    private volatile KernelSet _current;
    private volatile IReadOnlyList<FileError> _errors = [];

    /// <param name="path">Full path of the file; null: none.</param>
    /// <param name="code">Declared in code.</param>
    public KernelCatalog(string? path, IReadOnlyList<KernelDefinition> code)
    {
        (_path, _code) = (path, code);
        _current = new KernelSet(code, "");
    }

    /// <summary>The file that is watched; null where there is none.</summary>
    public string? Path => _path;

    public KernelSet Current => _current;

    /// <summary>What is wrong with the file as it is now.</summary>
    public IReadOnlyList<FileError> Errors => _errors;

    /// <summary>Reads the file; true where it is good. A file that does not exist declares nothing.</summary>
    public bool TryReload()
    {
        string text;
        try
        {
            if (_path is not null && !File.Exists(_path) && _current.Hash.Length > 0)
            {
                _errors = [new FileError(_path, 0, 0, "the file is gone; an empty list of kernels ends them all, a missing file does not")];
                return false;
            }

            if (_path is null || !File.Exists(_path)) text = "";
            else text = File.ReadAllText(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _errors = [new FileError(_path!, 0, 0, $"the file cannot be read: {e.Message}")];
            return false;
        }

        var (kernels, errors) = text.Length == 0 ? ([], []) : KernelsFileReader.Read(_path!, text);
        if (errors.Count == 0)
        {
            var twice = kernels.Where(x => _code.Any(y => y.Name == x.Name)).ToList();
            errors = [.. twice.Select(x => new FileError(_path!, 0, 0, $"kernel '{x.Name}' is declared in code already; rename one of them"))];
        }

        _errors = errors;
        if (errors.Count > 0) return false;
        _current = new KernelSet([.. _code, .. kernels], text.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
        return true;
    }
}

/// <summary>Kernels that belong together; <paramref name="Hash"/> is the file's SHA-256, empty without a file.</summary>
internal sealed record KernelSet(IReadOnlyList<KernelDefinition> Kernels, string Hash);
