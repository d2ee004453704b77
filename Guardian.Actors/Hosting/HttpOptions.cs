namespace Guardian.Actors.Hosting;

/// <summary><c>Guardian:Http</c>.</summary>
public sealed class HttpOptions
{
    /// <summary>Where the API listens. Beyond loopback it needs keys, and TLS or <see cref="BehindTlsProxy"/>.</summary>
    public string Url { get; set; } = "http://127.0.0.1:8558";

    /// <summary>A second address that serves <c>/alive</c> and <c>/ready</c> alone, for probes; empty: none. Beyond loopback it needs keys, but neither TLS nor a key in the request.</summary>
    public string ProbeUrl { get; set; } = "";

    /// <summary>Keys; none: loopback only, reads open.</summary>
    public IList<ApiKeyOptions> ApiKeys { get; set; } = [];

    /// <summary>TLS in front of Guardian is somebody else's.</summary>
    public bool BehindTlsProxy { get; set; }

    /// <summary>Certificate and key for TLS.</summary>
    public TlsOptions? Tls { get; set; }

    /// <summary>Failed authentications per remote address and minute before 429. 1 to 100,000.</summary>
    public int FailedAuthenticationsPerMinute { get; set; } = 60;
}

/// <summary>PEM files.</summary>
public sealed class TlsOptions
{
    /// <summary>Certificate chain, PEM.</summary>
    public string CertificatePath { get; set; } = "";

    /// <summary>Private key, PEM.</summary>
    public string KeyPath { get; set; } = "";
}

/// <summary>An API key; only its hash is kept.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>The administrator's name for the key, unique where it is set; audits name <see cref="Principal"/>.</summary>
    public string Id { get; set; } = "";

    /// <summary>The principal on the bus, and the operator's name.</summary>
    public string Principal { get; set; } = "";

    /// <summary>SHA-256 of the key, 64 hex digits.</summary>
    public string KeySha256 { get; set; } = "";

    /// <summary>viewer, publisher, operator, admin.</summary>
    public IList<string> Roles { get; set; } = [];

    /// <summary>Not valid after; null: no end.</summary>
    public DateTimeOffset? Expires { get; set; }
}
