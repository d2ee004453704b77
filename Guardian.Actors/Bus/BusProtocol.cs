using Akka.Actor;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Bus;

/// <summary>A message on the bus, as subscribers get it.</summary>
public sealed record BusMessage
{
    /// <summary>Unique.</summary>
    public required string Id { get; init; }

    /// <summary>Concrete topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Who published it; vouched for by the bus.</summary>
    public required string Principal { get; init; }

    /// <summary>At most 256 KiB.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Media type as given by the publisher, at most 255 characters.</summary>
    public string? ContentType { get; init; }

    /// <summary>When it was accepted, UTC.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>How a publish ended.</summary>
public enum PublishOutcome
{
    /// <summary>Enqueued; it will reach every subscriber of this moment on this node once.</summary>
    Accepted,

    /// <summary>Topic empty, over 255 characters, with a wildcard, an empty segment or a control character.</summary>
    InvalidTopic,

    /// <summary>Body over 256 KiB.</summary>
    TooLarge,

    /// <summary>The principal is banned; see <see cref="PublishResult.Until"/>.</summary>
    Blacklisted,

    /// <summary>The policy denies it; see <see cref="PublishResult.Rule"/>. A violation.</summary>
    AclDenied,

    /// <summary>A rate limit; see <see cref="PublishResult.RetryAfter"/>.</summary>
    RateLimited,

    /// <summary>A queue is full; see <see cref="PublishResult.RetryAfter"/>.</summary>
    QueueFull,

    /// <summary>The node is shutting down, or starts and does not know its bans yet.</summary>
    Draining,

    /// <summary>The port's owner has terminated.</summary>
    Revoked,

    /// <summary>Content type over 255 characters or with a control character.</summary>
    InvalidContentType,
}

/// <summary>Answer of a publish: accepted, or refused with the reason.</summary>
public readonly record struct PublishResult(PublishOutcome Outcome, string? MessageId = null, string? Rule = null, DateTimeOffset? Until = null, TimeSpan? RetryAfter = null)
{
    /// <summary>True when the message will be delivered.</summary>
    public bool Accepted => Outcome == PublishOutcome.Accepted;
}

// To the MessageBus actor.

/// <summary>Registers a principal; its port is revoked when <see cref="Owner"/> terminates. Answer: <see cref="BusRegistered"/>.</summary>
internal sealed record RegisterPrincipal(string Principal, IActorRef Owner) : INoSerializationVerificationNeeded;

/// <summary>The capability. Local by nature: it has no serializer.</summary>
internal sealed record BusRegistered(BusPort Port) : INoSerializationVerificationNeeded;

/// <summary>
/// Sets or renews the owner's rate-limit lease on a topic (or on one principal at it). With <see cref="DenialsOnly"/> only
/// denials above the rate are answered 429 without an event and accepted traffic is untouched; control topics allow only
/// that form. Answer: <see cref="BusCommandResult"/>.
/// </summary>
internal sealed record SetBusLimit(string Topic, string? Principal, Rate Rate, bool DenialsOnly, string Owner, string Reason, DateTimeOffset Until) : INoSerializationVerificationNeeded;

/// <summary>Lifts the owner's limits on the topic (and principal). Answer: <see cref="BusCommandResult"/>.</summary>
internal sealed record LiftBusLimit(string Topic, string? Principal, string Owner) : INoSerializationVerificationNeeded;

/// <summary>Lifts one limit by its mitigation id, whoever owns it (operators). Answer: <see cref="BusCommandResult"/>.</summary>
internal sealed record LiftMitigation(string Id) : INoSerializationVerificationNeeded;

/// <summary>The bus's limits. Answer: <see cref="BusMitigations"/>.</summary>
internal sealed record GetBusMitigations : INoSerializationVerificationNeeded
{
    public static readonly GetBusMitigations Instance = new();
}

internal sealed record BusMitigations(IReadOnlyList<Mitigations.Mitigation> Items) : INoSerializationVerificationNeeded;

/// <summary>
/// Restarts the bus by the same path as a crash: subscriptions, leases and queued messages stay. At most once per
/// 10 minutes and node, whatever asks; within that time the answer is refused with the time left. Answer after the restart:
/// <see cref="BusCommandResult"/>.
/// </summary>
internal sealed record RestartBus(string Key, string Reason) : INoSerializationVerificationNeeded;

internal sealed record BusCommandResult(bool Done, string? Reason = null) : INoSerializationVerificationNeeded;

/// <summary>Answer: <see cref="BusHealth"/>, at once when the actor is responsive.</summary>
internal sealed record GetBusHealth : INoSerializationVerificationNeeded
{
    public static readonly GetBusHealth Instance = new();
}

/// <param name="Healthy">Topics responsive, nothing stuck.</param>
/// <param name="Restarts">Restarts of the bus actor since the node started, crashes and commands.</param>
/// <param name="Parked">Messages parked because they crashed their handler.</param>
/// <param name="Queued">Messages accepted and not yet delivered.</param>
internal sealed record BusHealth(bool Healthy, long Restarts, int Parked, long Queued) : INoSerializationVerificationNeeded;

/// <summary>Counters since the node started. <c>Sent = Accepted + all refusals</c>, always.</summary>
internal sealed record BusCounters
{
    public required long Sent { get; init; }
    public required long Accepted { get; init; }
    public required long Delivered { get; init; }
    public required long Dropped { get; init; }
    public required long AclDenied { get; init; }
    public required long Blacklisted { get; init; }
    public required long RateLimited { get; init; }
    public required long QueueFull { get; init; }
    public required long Invalid { get; init; }
    public required long Draining { get; init; }
    public required long Queued { get; init; }
    public required long Topics { get; init; }
    public required long Subscriptions { get; init; }
    public required long Restarts { get; init; }
    public required long Parked { get; init; }

    /// <summary>The bus between nodes; null where there is none.</summary>
    public Relay.RelayCounters? Relay { get; init; }

    /// <summary>Publishes through a port whose owner has terminated.</summary>
    public long Revoked { get; init; }

    public long Refused => AclDenied + Blacklisted + RateLimited + QueueFull + Invalid + Draining + Revoked;
}

/// <summary>From now on publishes are refused; what was accepted is delivered. Answer when the queues are empty: <see cref="BusCommandResult"/>.</summary>
internal sealed record DrainBus : INoSerializationVerificationNeeded
{
    public static readonly DrainBus Instance = new();
}

/// <summary>A message that crashed its handler and was taken out, so that it cannot crash it again.</summary>
/// <param name="Path">The actor's path.</param>
/// <param name="Message">Type, or topic and id of a bus message; never the body.</param>
/// <param name="Reason">The exception.</param>
/// <param name="At">When, UTC.</param>
internal sealed record ParkedMessage(string Path, string Message, string Reason, DateTimeOffset At);
