namespace Guardian.Actors.Notifications;

/// <summary>
/// Where a secret comes from. Read for each use, so that one that is set or rotated later counts at once; never kept, logged or
/// put into a message.
/// </summary>
/// <param name="Option">The option's path without its last part, for messages.</param>
/// <param name="Variable">Environment variable; empty: none.</param>
/// <param name="File">Path; empty: none.</param>
/// <param name="Environment">Reads an environment variable.</param>
internal sealed record SecretSource(string Option, string Variable, string File, Func<string, string?> Environment)
{
    /// <summary>A secret is a line, not a document.</summary>
    private const int MaxBytes = 4096;

    public static SecretSource None { get; } = new("", "", "", _ => null);

    public bool IsConfigured => Variable.Length > 0 || File.Length > 0;

    /// <summary>The secret; null with null where none is configured, and with the reason where it cannot be had.</summary>
    public (string? Value, string? Problem) Read()
    {
        if (!IsConfigured) return (null, null);
        if (Variable.Length > 0)
        {
            var value = Environment(Variable);
            return string.IsNullOrEmpty(value) ? (null, $"environment variable {Variable} is not set ({Option}:SecretFromEnvironment)") : (value, null);
        }

        try
        {
            if (new FileInfo(File).Length > MaxBytes) return (null, $"{File} is longer than a secret ({Option}:SecretFromFile)");
            var text = System.IO.File.ReadAllText(File).TrimEnd('\r', '\n');
            return text.Length == 0 ? (null, $"{File} is empty ({Option}:SecretFromFile)") : (text, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"{File} cannot be read ({Option}:SecretFromFile): {e.Message}");
        }
    }
}
