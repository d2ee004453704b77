using System.Text.Json;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>The node that is broken on purpose, seen from outside. Every call obeys its token and is safe from any thread.</summary>
internal interface IChaosTarget : IAsyncDisposable
{
    /// <summary>Publishes as the principal. Never throws for a refusal or a broken connection: that is an answer without an outcome.</summary>
    Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation);

    /// <summary>Reads what the principal may read; returns once the subscription stands.</summary>
    /// <exception cref="ChaosTargetException">Refused or unreachable.</exception>
    Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation);

    /// <summary>The latest incidents.</summary>
    Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation);

    /// <summary>The latest runs.</summary>
    Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation);

    /// <summary>Who is banned now.</summary>
    Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation);

    /// <summary>Measures one of <see cref="ChaosProbes"/>; an object.</summary>
    /// <exception cref="ChaosTargetException">It cannot be measured: unknown is never zero.</exception>
    Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation);

    /// <summary>Injects a fault that works inside the node; returns when it is over or, soon after the token, withdrawn. The node itself withdraws it at its end.</summary>
    /// <exception cref="ChaosTargetException">Refused or unreachable.</exception>
    Task InjectAsync(InNodeFault fault, CancellationToken withdraw);
}

/// <summary>A fault as it is sent to the node.</summary>
/// <param name="Id">Made by the runner, so that it can be withdrawn by whoever finds it on disk.</param>
/// <param name="Kind">The fault's name.</param>
/// <param name="With">Its input.</param>
/// <param name="Ttl">The node withdraws it after this.</param>
/// <param name="Drill">The drill's name.</param>
/// <param name="Seed">The drill's seed.</param>
internal sealed record InNodeFault(string Id, string Kind, JsonElement With, TimeSpan Ttl, string Drill, int Seed);

/// <summary>An answer to a publish; no outcome where it is not known.</summary>
internal readonly record struct ChaosAnswer(PublishOutcome? Outcome, string Text)
{
    /// <summary>The node that gave it; empty where there is one alone.</summary>
    public string Node { get => field ?? ""; init; }

    /// <summary>Nobody listened: it was certainly not sent.</summary>
    public bool NotSent { get; init; }

    public static ChaosAnswer Of(PublishOutcome outcome) => new(outcome, JsonNamingPolicy.KebabCaseLower.ConvertName(outcome.ToString()));

    public static ChaosAnswer Unknown(string why) => new(null, why);
}

/// <summary>A running subscription; dispose it to end it.</summary>
internal interface IChaosSubscription : IAsyncDisposable
{
    /// <summary>Messages as they come; ends with the subscription.</summary>
    IAsyncEnumerable<ChaosMessage> Messages(CancellationToken cancellation);
}

internal sealed record ChaosMessage(string Topic, string Principal, string Body);

internal sealed record TargetIncident(string Id, string Key, string Type, string Subject, long? Violations, string State, DateTimeOffset OpenedAt,
    IReadOnlyList<string> Rules, IReadOnlyList<string> Runs);

internal sealed record TargetRun(string Id, string Playbook, string Incident, string State, IReadOnlyList<(string Id, string State)> Steps)
{
    private static readonly string[] Over = ["resolved", "rolled_back", "escalated", "cancelled", "observed"];
    private static readonly string[] Open = ["pending", "running", "unknown", "awaiting_approval"];

    public bool Ended => Over.Contains(State);

    /// <summary>When it ended, where that is known.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Verification comes after the last step, so it proves the steps too.</summary>
    public bool StepsDone => Ended || State == "verifying" || (Steps.Count > 0 && !Steps.Any(x => Open.Contains(x.State)));
}

/// <summary>The node cannot be asked, or refuses.</summary>
internal sealed class ChaosTargetException(string message, Exception? inner = null) : Exception(message, inner);
