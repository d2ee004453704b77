using System.Text.Json;
using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

/// <summary>Events of runs in the journal.</summary>
internal static class RunsSerialization
{
    public static SerializedRoom Room { get; } = new(RunsJson.Default,
    [
        (typeof(RunStarted), "run-started:v1"),
        (typeof(RunRecovered), "run-recovered:v1"),
        (typeof(RunHeld), "run-held:v1"),
        (typeof(RunReleased), "run-released:v1"),
        (typeof(RunAdmitted), "run-admitted:v1"),
        (typeof(StepTargeted), "step-targeted:v1"),
        (typeof(StepMeasured), "step-measured:v1"),
        (typeof(StepSkipped), "step-skipped:v1"),
        (typeof(StepObserved), "step-observed:v1"),
        (typeof(StepApprovalRequested), "step-approval-requested:v1"),
        (typeof(StepApprovalDecided), "step-approval-decided:v1"),
        (typeof(StepDispatched), "step-dispatched:v1"),
        (typeof(StepSucceeded), "step-succeeded:v1"),
        (typeof(StepFailed), "step-failed:v1"),
        (typeof(VerificationStarted), "verification-started:v1"),
        (typeof(VerificationProbed), "verification-probed:v1"),
        (typeof(RunCancelRequested), "run-cancel-requested:v1"),
        (typeof(RollbackStarted), "rollback-started:v1"),
        (typeof(UndoDispatched), "undo-dispatched:v1"),
        (typeof(UndoEnded), "undo-ended:v1"),
        (typeof(RunEnded), "run-ended:v1"),
        (typeof(RunState), "run-state:v1"),
    ]);
}

/// <summary>resolved, rolled_back, …</summary>
internal sealed class RunPhaseJson() : JsonStringEnumConverter<RunPhase>(JsonNamingPolicy.SnakeCaseLower);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    Converters = [typeof(RunPhaseJson)])]
[JsonSerializable(typeof(RunStarted))]
[JsonSerializable(typeof(RunRecovered))]
[JsonSerializable(typeof(RunHeld))]
[JsonSerializable(typeof(RunReleased))]
[JsonSerializable(typeof(RunAdmitted))]
[JsonSerializable(typeof(StepTargeted))]
[JsonSerializable(typeof(StepMeasured))]
[JsonSerializable(typeof(StepSkipped))]
[JsonSerializable(typeof(StepObserved))]
[JsonSerializable(typeof(StepApprovalRequested))]
[JsonSerializable(typeof(StepApprovalDecided))]
[JsonSerializable(typeof(StepDispatched))]
[JsonSerializable(typeof(StepSucceeded))]
[JsonSerializable(typeof(StepFailed))]
[JsonSerializable(typeof(VerificationStarted))]
[JsonSerializable(typeof(VerificationProbed))]
[JsonSerializable(typeof(RunCancelRequested))]
[JsonSerializable(typeof(RollbackStarted))]
[JsonSerializable(typeof(UndoDispatched))]
[JsonSerializable(typeof(UndoEnded))]
[JsonSerializable(typeof(RunEnded))]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunsJson : JsonSerializerContext;
