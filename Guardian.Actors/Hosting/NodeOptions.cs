namespace Guardian.Actors.Hosting;

/// <summary><c>Guardian:Node</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>Unique in the cluster, letters, digits, dot, dash, underscore, at most 64; empty: made at first start and kept in the data directory.</summary>
    public string Name { get; set; } = "";

    /// <summary>Created where missing. Relative to the working directory.</summary>
    public string DataDirectory { get; set; } = "data";
}

/// <summary><c>Guardian:Cluster</c>.</summary>
public sealed class ClusterOptions
{
    /// <summary>The actor system's name.</summary>
    public string SystemName { get; set; } = "guardian";

    /// <summary>Address that other nodes reach this one by.</summary>
    public string Hostname { get; set; } = "127.0.0.1";

    /// <summary>0: any free port, for a single node.</summary>
    public int Port { get; set; }

    /// <summary>Empty: a single node that joins itself.</summary>
    public IList<string> SeedNodes { get; set; } = [];

    /// <summary>Roles besides <c>guardian</c>.</summary>
    public IList<string> Roles { get; set; } = [];
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
