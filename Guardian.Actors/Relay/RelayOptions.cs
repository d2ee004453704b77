namespace Guardian.Actors.Relay;

/// <summary><c>Guardian:Relay</c>: the bus between nodes.</summary>
public sealed class RelayOptions
{
    /// <summary>Messages waiting for one node; further ones are dropped for it and counted. 1 to 1,000,000.</summary>
    public int Queue { get; set; } = 10_000;

    /// <summary>Bytes of their bodies and of what goes with them, estimated from above; one message always fits, further ones are dropped likewise. 262,144 to 1,073,741,824.</summary>
    public int QueueBytes { get; set; } = 16 * 1024 * 1024;
}
