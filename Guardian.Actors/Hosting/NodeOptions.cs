namespace Guardian.Actors.Hosting;

/// <summary><c>Guardian:Node</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>Unique in the cluster, letters, digits, dot, dash, underscore, at most 64; empty: made at first start and kept in the data directory.</summary>
    public string Name { get; set; } = "";

    /// <summary>Created where missing. Relative to the working directory.</summary>
    public string DataDirectory { get; set; } = "data";
}

/// <summary><c>Guardian:Management</c>.</summary>
public sealed class ManagementOptions
{
    /// <summary>The cluster can be looked at, not changed: every method of <c>/cluster</c> but GET answers 405. Off: administrators may join, leave and down.</summary>
    public bool ReadOnly { get; set; } = true;
}

/// <summary><c>Guardian:Persistence</c>.</summary>
public sealed class PersistenceOptions
{
    /// <summary><c>sqlite</c> (one node) or <c>postgres</c>.</summary>
    public string Provider { get; set; } = "sqlite";

    /// <summary>Empty with sqlite: files in the data directory. Required with postgres.</summary>
    public string ConnectionString { get; set; } = "";
}

/// <summary><c>Guardian:Files</c>. Relative paths are looked up in the working directory, then beside the executable.</summary>
public sealed class FileOptions
{
    /// <summary>The access policy.</summary>
    public string Policy { get; set; } = "policies/access.yaml";

    /// <summary>Folder of playbooks.</summary>
    public string Playbooks { get; set; } = "playbooks";

    /// <summary>Folder of scenarios.</summary>
    public string Scenarios { get; set; } = "scenarios";

    /// <summary>The kernels; empty, or a file that is not there: none but those declared in code.</summary>
    public string Kernels { get; set; } = "kernels.yaml";

    /// <summary>Reload when a file changes.</summary>
    public bool Watch { get; set; } = true;
}
