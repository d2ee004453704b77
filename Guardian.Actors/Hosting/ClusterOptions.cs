namespace Guardian.Actors.Hosting;

/// <summary><c>Guardian:Cluster</c>.</summary>
public sealed class ClusterOptions
{
    /// <summary>Port of a node in a cluster where none is configured.</summary>
    public const int DefaultPort = 4053;

    /// <summary>The actor system's name; nodes of another name are not let in.</summary>
    public string SystemName { get; set; } = "guardian";

    /// <summary>Address that other nodes reach this one by. Beyond loopback it needs <see cref="Tls"/> or <see cref="AllowPlaintext"/>.</summary>
    public string Hostname { get; set; } = "127.0.0.1";

    /// <summary>Address to listen on where it is another one, e.g. 0.0.0.0 in a container; empty: <see cref="Hostname"/>.</summary>
    public string BindHostname { get; set; } = "";

    /// <summary>0: any free port for a single node, 4053 in a cluster.</summary>
    public int Port { get; set; }

    /// <summary>Port to listen on where others reach this node by another one; 0: <see cref="Port"/>.</summary>
    public int BindPort { get; set; }

    /// <summary>
    /// Addresses such as <c>akka.tcp://guardian@10.0.0.1:4053</c>, with and without TLS the same, in the same order on every node; the
    /// first may begin a cluster.
    /// Empty, and no <see cref="Discovery"/>: a single node that joins itself.
    /// </summary>
    public IList<string> SeedNodes { get; set; } = [];

    /// <summary>Seed nodes from a DNS name instead.</summary>
    public DiscoveryOptions Discovery { get; set; } = new();

    /// <summary>Roles besides <c>guardian</c>.</summary>
    public IList<string> Roles { get; set; } = [];

    /// <summary>Mutual TLS between the nodes; null: plain text.</summary>
    public ClusterTlsOptions? Tls { get; set; }

    /// <summary>Lets the nodes talk beyond loopback without TLS: whoever reaches the port can then speak for every principal.</summary>
    public bool AllowPlaintext { get; set; }

    /// <summary>True where other nodes are meant to be there.</summary>
    public bool HasPeers => SeedNodes.Count > 0 || Discovery.Name.Length > 0;

    /// <summary>The port to listen on.</summary>
    public int EffectivePort => Port == 0 && HasPeers ? DefaultPort : Port;
}

/// <summary><c>Guardian:Cluster:Discovery</c>.</summary>
public sealed class DiscoveryOptions
{
    /// <summary>A DNS name with one address for each node, <see cref="ClusterOptions.Hostname"/> of each; empty: none.</summary>
    public string Name { get; set; } = "";

    /// <summary>Addresses that must be there before a cluster is begun: half of the nodes and one. 1 to 100.</summary>
    public int Required { get; set; } = 2;
}

/// <summary><c>Guardian:Cluster:Tls</c>: PEM files. Each node has a certificate of the CA; nothing else is trusted, the system's CAs neither.</summary>
public sealed class ClusterTlsOptions
{
    /// <summary>This node's certificate, followed by its intermediate ones.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>Its private key.</summary>
    public string KeyPath { get; set; } = "";

    /// <summary>The CA that signs for the nodes of this cluster, and for nobody else.</summary>
    public string CaPath { get; set; } = "";
}
