using System.ComponentModel;
using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>wait</c>: a length, or a probe with a check, or both.</summary>
internal sealed record WaitInput
{
    [Description("How long; with a probe: at most. Shorter than the step's timeout.")]
    [WithinTimeout]
    public Duration? For { get; init; }

    [Description("Waits until a check on this probe holds.")]
    [Probe(ProbePart.Name)]
    public string? Probe { get; init; }

    [Description("The probe's input.")]
    [Probe(ProbePart.Input)]
    public JsonElement? With { get; init; }

    [Description("A bare expression on the probe's result, e.g. result.healthy.")]
    [Probe(ProbePart.Check)]
    public string? Check { get; init; }

    [Description("Pause between two measurements, at least 50ms; 500ms where it is missing.")]
    public Duration? Every { get; init; }
}

/// <summary>Output of <c>wait</c>.</summary>
internal sealed record WaitOutput(
    [property: Description("How long it waited.")] Duration Waited,
    [property: Description("Measurements taken.")] int Measured);

/// <summary>Waits. It holds no thread, and a place only among the actions without risk.</summary>
internal sealed class Wait(ActionDependencies dependencies) : GuardianAction<WaitInput, WaitOutput>
{
    private static readonly TimeSpan DefaultEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ShortestEvery = TimeSpan.FromMilliseconds(50);

    public override string Name => "wait";

    public override string Summary => "Waits for a duration, or until a check on a probe holds.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.None;

    public override bool Idempotent => true;

    public override async Task<WaitOutput> ExecuteAsync(WaitInput input, ActionContext context, CancellationToken cancellation)
    {
        var started = dependencies.Time.GetTimestamp();
        try
        {
            if (input.Probe is not null) return await UntilAsync(input, started, cancellation).ConfigureAwait(false);
            if (input.For is not { } length) throw new ActionFailedException($"{Name}: give 'for', or 'probe' and 'check'");
            await Task.Delay(length, dependencies.Time, cancellation).ConfigureAwait(false);
            return new WaitOutput(length, 0);
        }
        catch (OperationCanceledException)
        {
            var waited = new Duration(dependencies.Time.GetElapsedTime(started));
            throw new ActionFailedException($"{Name}: the step ended after {waited}, before its wait was over; give it a timeout that is longer than its wait");
        }
    }

    public override Task<(OutcomeKind Kind, WaitOutput? Output)> ProbeAsync(WaitInput input, ActionContext context, CancellationToken cancellation) =>
        Task.FromResult((OutcomeKind.NotDone, (WaitOutput?)null));

    private async Task<WaitOutput> UntilAsync(WaitInput input, long started, CancellationToken cancellation)
    {
        var probe = dependencies.Probes.Find(input.Probe!) ?? throw new ActionFailedException($"{Name}: no probe '{input.Probe}' is registered on this node");
        var check = ProbeCheck.Compile(input.Check ?? "", probe.Spec) is (var compiled, []) ? compiled! : throw new ActionFailedException($"{Name}: the check '{input.Check}' does not fit {input.Probe}");
        var every = input.Every?.Value is { } given && given > ShortestEvery ? given : input.Every is null ? DefaultEvery : ShortestEvery;
        var last = "not measured";
        for (var measured = 1; ; measured++)
        {
            try
            {
                var result = await probe.MeasureAsync(input.With ?? default, cancellation).ConfigureAwait(false);
                var scope = new EvaluationScope { Result = result };
                if (check.Test(scope)) return new WaitOutput(dependencies.Time.GetElapsedTime(started), measured);
                last = check.Explain(scope);
            }
            catch (Exception e) when (e is ActionFailedException or EvaluationException)
            {
                last = $"could not measure: {e.Message}"; // unknown is not true
            }

            if (input.For is { } bound && dependencies.Time.GetElapsedTime(started) + every > bound.Value)
                throw new ActionFailedException($"{Name}: '{input.Check}' did not hold within {bound}; last: {last}");
            await Task.Delay(every, dependencies.Time, cancellation).ConfigureAwait(false);
        }
    }
}
