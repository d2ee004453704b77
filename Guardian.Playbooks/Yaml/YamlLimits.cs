namespace Guardian.Playbooks.Yaml;

/// <summary>Bounds on a configuration file. None is an option: a file near one of them is not configuration any more.</summary>
internal static class YamlLimits
{
    /// <summary>Largest file, in UTF-8 bytes. Read at start and on reload: the whole folder must stay quick to check.</summary>
    public const int Bytes = 256 * 1024;

    /// <summary>Deepest nesting. The deepest shipped file needs 6; the bound keeps every reader's recursion far from the stack's end.</summary>
    public const int Depth = 32;

    /// <summary>Most nodes (values and keys). 256 KiB of <c>[,,,]</c> would otherwise become 10 MB of objects.</summary>
    public const int Nodes = 50_000;

    /// <summary>Most errors reported of one file; a reader of more than that would start with the first ones anyway.</summary>
    public const int Errors = 200;
}
