using System.Collections.Frozen;
using System.Globalization;
using Akka.Persistence.Query;
using Guardian.Actors.Incidents;
using Guardian.Actors.Notifications;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Persistence;

/// <summary>An event with its place in the journal.</summary>
/// <param name="Offset">Position in the journal.</param>
/// <param name="PersistenceId">Who wrote it.</param>
/// <param name="Event">What.</param>
/// <param name="WrittenAt">When it was written, UTC.</param>
internal sealed record ProjectedEvent(long Offset, string PersistenceId, object Event, DateTimeOffset WrittenAt)
{
    private const string RunPrefix = "run-";

    private static readonly FrozenDictionary<Type, string> TypeNames = GuardianSerializer.Known
        .ToFrozenDictionary(x => x.Type, x => x.Manifest.Split(':')[0]);

    public static ProjectedEvent From(EventEnvelope envelope) => new(
        ((Sequence)envelope.Offset).Value,
        envelope.PersistenceId,
        envelope.Event,
        new DateTimeOffset(envelope.Timestamp, TimeSpan.Zero));

    /// <summary>The run that a run's event belongs to; its later events do not carry it.</summary>
    public string RunId => PersistenceId.StartsWith(RunPrefix, StringComparison.Ordinal) ? PersistenceId[RunPrefix.Length..] : PersistenceId;

    /// <summary>As the stream of events shows it.</summary>
    public EventView View => new(
        Offset,
        Event is UnreadableMessage unreadable ? unreadable.Manifest.Split(':')[0] : TypeNames.GetValueOrDefault(Event.GetType(), "unknown"),
        Event switch { IncidentEvent x => x.IncidentId, RunEvent => RunId, _ => PersistenceId },
        Event switch { IncidentEvent x => x.At, RunEvent x => x.At, OutboxEvent x => x.At, _ => WrittenAt },
        Summary);

    /// <summary>One line, without payloads.</summary>
    private string Summary => Event switch
    {
        IncidentOpened x => $"{x.Raised.Type} about {x.Raised.Subject} on {x.Raised.Node}, severity {x.Raised.Severity}",
        IncidentJoined { Dropped: true } x => $"detected again by {x.Type}; dropped, since a run is under way",
        IncidentJoined x => string.Create(CultureInfo.InvariantCulture, $"detected again by {x.Type}, {x.Occurrences} times now"),
        IncidentCounted x => string.Create(CultureInfo.InvariantCulture, $"{x.Violations} violations"),
        IncidentRunAssigned x => $"playbook {x.Playbook} runs as {x.RunId}",
        IncidentRunDeclined x => $"no run: {x.Reason}",
        IncidentSettled x => $"{x.State}: {x.Reason}",
        RunStarted x => $"playbook {x.Playbook} for {x.IncidentKey}: {x.Because}",
        RunRecovered x => string.Create(CultureInfo.InvariantCulture, $"taken over, epoch {x.Epoch}"),
        RunHeld x => $"held: {x.Reason}",
        RunReleased => "goes on",
        RunAdmitted x => x.Reason is null ? "its guards let it go on" : $"its guards: {x.Reason}",
        StepTargeted x => $"{x.StepId} goes to {string.Join(", ", x.Nodes)}",
        StepMeasured x => $"{x.StepId}: measured, {x.Reason}",
        StepSkipped x => $"{x.StepId} skipped: {x.Reason}",
        StepObserved x => $"{x.StepId} only observed: {x.Reason}",
        StepApprovalRequested x => $"{x.StepId} waits for approval: {x.Reason}",
        StepApprovalDecided x => $"{x.StepId} {(x.Approved ? "approved" : "rejected")} by {x.By}",
        StepDispatched x => string.Create(CultureInfo.InvariantCulture, $"{x.StepId}: {x.Action} on {x.Node}, attempt {x.Attempt}"),
        StepSucceeded x => $"{x.StepId} succeeded",
        StepFailed x => $"{x.StepId} failed: {x.Reason}",
        VerificationStarted => "verification begins",
        VerificationProbed x => $"{x.Id} {(x.Passed ? "passed" : "did not pass")}{(x.Reason is null ? "" : ": " + x.Reason)}",
        RunCancelRequested x => $"cancel asked for by {x.By}: {x.Reason}",
        RollbackStarted x => $"undo begins: {x.Reason}",
        UndoDispatched x => $"{x.StepId} is being undone",
        UndoEnded x => x.Undone ? $"{x.StepId} undone" : $"{x.StepId} could not be undone: {x.Reason}",
        RunEnded x => $"{RunProjection.Name(x.Phase)}: {x.Reason}",
        DeliveryAccepted x => $"{x.Item.Kind} for channel {x.Item.Channel}: {x.Item.Title}",
        DeliveryDone x => $"{x.Key} delivered",
        DeliveryPartlyDone x => $"{x.Key}: {string.Join(", ", x.Ends.Select(e => e.Refused is null ? $"{e.Receiver} has it" : $"{e.Receiver} refused it"))}; the others are tried again",
        DeliveryCollected x => $"{x.Key} waits for the next digest: the channel's rate is used up",
        DeliveryMuted x => $"{x.Key} not sent: {x.Reason}",
        UnreadableMessage x => $"cannot be read by this version: {x}",
        DeliveryDead x => $"{x.Key} given up: {x.Reason}",
        _ => "",
    };
}
