using System.Text.Json.Serialization;

namespace Guardian.Actors.Leasekeeping;

/// <summary>Node to keeper, one JSON object a line. Each may be sent again: taking, renewing and releasing twice is the same as once.</summary>
internal sealed record KeeperRequest
{
    public required long Number { get; init; }

    /// <summary><c>take</c>, <c>renew</c>, <c>release</c> (undo it now), <c>forget</c> (without undo), <c>list</c>, <c>end</c> (undo all and end).</summary>
    public required string Op { get; init; }

    /// <summary>Of <c>take</c>.</summary>
    public OsLease? Lease { get; init; }

    /// <summary>Of <c>renew</c>, <c>release</c>, <c>forget</c>.</summary>
    public string? Id { get; init; }

    /// <summary>Of <c>renew</c>: from receipt.</summary>
    public TimeSpan For { get; init; }
}

/// <summary>Keeper to node, one JSON object a line: the answer to the request of that number, or, with number 0, what happened.</summary>
internal sealed record KeeperReply
{
    public long Number { get; init; }

    /// <summary>Whether the lease was there; of <c>take</c> and <c>list</c> true.</summary>
    public bool Held { get; init; }

    /// <summary>Why it was not done.</summary>
    public string? Error { get; init; }

    /// <summary>Of <c>list</c>.</summary>
    public IReadOnlyList<OsLease>? Leases { get; init; }

    /// <summary>Something worth a line in the node's log.</summary>
    public string? Event { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeeperRequest))]
[JsonSerializable(typeof(KeeperReply))]
[JsonSerializable(typeof(OsLease))]
internal sealed partial class LeasekeepingJson : JsonSerializerContext;
