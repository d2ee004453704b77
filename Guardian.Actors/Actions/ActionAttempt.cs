using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Actions;

/// <summary>
/// How an attempt ended. <see cref="Fault"/> is an exception that the action should not have thrown; <see cref="Hanging"/> an attempt that did not end in time;
/// an outcome that is open: its target gave no answer.
/// </summary>
internal sealed record AttemptResult(KeyOutcome Outcome, Exception? Fault = null, Task<AttemptResult>? Hanging = null);

/// <summary>
/// Carries an attempt out on the thread pool within its deadline. Only an exception proves that there was no effect; an
/// attempt that was cancelled, or that goes on after its deadline, may have had one: its outcome is unknown.
/// </summary>
internal static class ActionAttempt
{
    /// <summary>What obeys its token ends well within this; what does not is left behind.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest delay of a .NET timer, rounded down.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>Never throws.</summary>
    public static async Task<AttemptResult> RunAsync(Func<CancellationToken, Task<KeyOutcome>> work, DateTimeOffset deadline, TimeProvider time, CancellationToken cancel)
    {
        var left = deadline - time.GetUtcNow();
        if (left <= TimeSpan.Zero || cancel.IsCancellationRequested)
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Failed, Reason: cancel.IsCancellationRequested
                ? "cancelled before it was started"
                : $"its deadline {deadline:O} passed before it was started"));
        }

        using var timeout = new CancellationTokenSource(left < LongestTimer ? left : LongestTimer, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        var token = either.Token;
        var running = Task.Run(() => GuardedAsync(work, token), CancellationToken.None);
        var first = await Task.WhenAny(running, CancelledAndGraceAsync(time, token)).ConfigureAwait(false);
        if (first == running) return await running.ConfigureAwait(false);
        return new AttemptResult(new KeyOutcome(OutcomeKind.Unknown, Reason: "it did not end when it was told to; whether the effect took place is not known"), Hanging: running);
    }

    private static async Task<AttemptResult> GuardedAsync(Func<CancellationToken, Task<KeyOutcome>> work, CancellationToken token)
    {
        try
        {
            return new AttemptResult(await work(token).ConfigureAwait(false));
        }
        catch (ActionFailedException e)
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Failed, Reason: e.Message));
        }
        catch (ActionUnknownException e)
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Unknown, Reason: e.Message));
        }
        catch (ActionUnreachableException e)
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Unknown, Reason: e.Message, Open: true));
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Unknown, Reason: "it was cancelled or ran out of time; whether the effect took place is not known"));
        }
        catch (Exception e) // whatever an action throws becomes its explicit outcome
        {
            return new AttemptResult(new KeyOutcome(OutcomeKind.Failed, Reason: $"{e.GetType().Name}: {e.Message}"), Fault: e);
        }
    }

    private static async Task CancelledAndGraceAsync(TimeProvider time, CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (token.UnsafeRegister(x => ((TaskCompletionSource)x!).TrySetResult(), cancelled))
        {
            await cancelled.Task.ConfigureAwait(false);
        }

        await Task.Delay(Grace, time, CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>What a dispatch asks of an action, as work for <see cref="ActionAttempt"/>.</summary>
internal static class ActionWork
{
    private const string UndoSuffix = "/undo";

    public static async Task<KeyOutcome> PerformAsync(ActionBinding binding, DispatchAction dispatch, SecretStore secrets, Func<string?> held, CancellationToken cancellation)
    {
        var context = Context(dispatch, dispatch.Key) with { Held = held };
        var (input, used) = secrets.Fill(dispatch.Input, binding.Spec.Inputs);
        try
        {
            if (!dispatch.Undo) return new KeyOutcome(OutcomeKind.Succeeded, SecretStore.Hide(await binding.ExecuteAsync(input, context, cancellation).ConfigureAwait(false), used));
            await binding.UndoAsync(input, dispatch.Output, context, cancellation).ConfigureAwait(false);
            return new KeyOutcome(OutcomeKind.Succeeded);
        }
        catch (Exception e) when (used.Count > 0 && e is not (OperationCanceledException or ActionUnreachableException))
        {
            // Neither the journal nor the log may learn from an error what the input held.
            var kind = e is ActionFailedException or ActionUnknownException ? "" : $"{e.GetType().Name}: ";
            return new KeyOutcome(e is ActionUnknownException ? OutcomeKind.Unknown : OutcomeKind.Failed, Reason: kind + SecretStore.Hide(e.Message, used));
        }
    }

    /// <summary>Asks the action's own probe. For an undo the probe is about the act: an effect that is not there counts as undone.</summary>
    public static async Task<KeyOutcome> ResolveAsync(ActionBinding binding, DispatchAction dispatch, SecretStore secrets, CancellationToken cancellation)
    {
        var (kind, output) = await ProbeAsync(binding, dispatch, secrets, cancellation).ConfigureAwait(false);
        if (dispatch.Undo)
        {
            (kind, output) = kind switch
            {
                OutcomeKind.Succeeded => (OutcomeKind.NotDone, (JsonElement?)null),
                OutcomeKind.NotDone => (OutcomeKind.Succeeded, null),
                _ => (OutcomeKind.Unknown, null),
            };
        }

        return kind == OutcomeKind.Unknown
            ? new KeyOutcome(kind, Reason: $"the agent has no record of '{dispatch.Key}' and {dispatch.Action} cannot tell whether it was carried out")
            : new KeyOutcome(kind, output);
    }

    private static async Task<(OutcomeKind, JsonElement?)> ProbeAsync(ActionBinding binding, DispatchAction dispatch, SecretStore secrets, CancellationToken cancellation)
    {
        try
        {
            var (input, used) = secrets.Fill(dispatch.Input, binding.Spec.Inputs);
            var (kind, output) = await binding.ProbeAsync(input, Context(dispatch, ActKey(dispatch)), cancellation).ConfigureAwait(false);
            return (kind, output is { } given ? SecretStore.Hide(given, used) : null);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ActionUnreachableException))
        {
            return (OutcomeKind.Unknown, null); // a probe that could not look has learned nothing, however it failed
        }
    }

    private static string ActKey(DispatchAction dispatch) => !dispatch.Undo ? dispatch.Key
        : dispatch.Cancels ?? (dispatch.Key.EndsWith(UndoSuffix, StringComparison.Ordinal) ? dispatch.Key[..^UndoSuffix.Length] : dispatch.Key);

    private static ActionContext Context(DispatchAction dispatch, string key) =>
        new(key, dispatch.RunId, dispatch.IncidentKey, dispatch.IncidentId, dispatch.Playbook)
        {
            IncidentType = dispatch.IncidentType ?? "", Subject = dispatch.Subject ?? "", ActKey = ActKey(dispatch), ApprovedBy = dispatch.ApprovedByDefault ? null : dispatch.ApprovedBy, Compensates = dispatch.Compensates,
            Cancels = dispatch.Undo ? ActKey(dispatch) : dispatch.Cancels,
        };
}
