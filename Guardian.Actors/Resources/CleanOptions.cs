using Guardian.Playbooks.Model;

namespace Guardian.Actors.Resources;

/// <summary><c>Guardian:Clean</c>: what <c>disk.clean</c> may delete. Nothing, unless it is configured.</summary>
public sealed class CleanOptions
{
    /// <summary>Folders by the name that playbooks use.</summary>
    public IDictionary<string, CleanFolderOptions> Folders { get; set; } = new Dictionary<string, CleanFolderOptions>();
}

/// <summary>A folder that may be cleaned.</summary>
public sealed class CleanFolderOptions
{
    /// <summary>Absolute path. Files below it may be deleted; links are neither followed nor deleted.</summary>
    public string Path { get; set; } = "";

    /// <summary>File names that may be deleted, with <c>*</c> and <c>?</c>.</summary>
    public string Pattern { get; set; } = "*";

    /// <summary>Nothing that was written within this is ever deleted, whatever a playbook says.</summary>
    public Duration MinAge { get; set; } = TimeSpan.FromHours(1);
}
