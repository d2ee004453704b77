using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>An action as the agent calls it: JSON in, JSON out.</summary>
internal abstract class ActionBinding(IGuardianAction action)
{
    public IGuardianAction Action { get; } = action;

    public ActionSpec Spec { get; } = new(action.Name, action.Risk, RecordFields.Of(action.InputType),
        RecordFields.Of(action.OutputType), action.HasUndo, action.Idempotent, action.Summary) { Anywhere = action.Anywhere };

    /// <summary>What the effect would hold; nothing where the input does not fit: the action will refuse it by itself.</summary>
    public abstract TouchedTargets Touches(JsonElement input);

    public abstract Task<JsonElement> ExecuteAsync(JsonElement input, ActionContext context, CancellationToken cancellation);

    public abstract Task UndoAsync(JsonElement input, JsonElement? output, ActionContext context, CancellationToken cancellation);

    public abstract Task<(OutcomeKind Kind, JsonElement? Output)> ProbeAsync(JsonElement input, ActionContext context, CancellationToken cancellation);

    /// <exception cref="ArgumentException">It does not derive from <see cref="GuardianAction{TInput,TOutput}"/>.</exception>
    public static ActionBinding Of(IGuardianAction action)
    {
        var arguments = GenericBase.Arguments(action.GetType(), typeof(GuardianAction<,>))
            ?? throw new ArgumentException($"action '{action.Name}' ({action.GetType()}) must derive from GuardianAction<TInput, TOutput>");
        return (ActionBinding)Activator.CreateInstance(typeof(Typed<,>).MakeGenericType(arguments), action)!;
    }

    private sealed class Typed<TInput, TOutput>(GuardianAction<TInput, TOutput> action) : ActionBinding(action)
        where TInput : class
        where TOutput : class
    {
        public override TouchedTargets Touches(JsonElement input)
        {
            try
            {
                return action.Touches(Read(input));
            }
            catch (ActionFailedException)
            {
                return TouchedTargets.None;
            }
        }

        public override async Task<JsonElement> ExecuteAsync(JsonElement input, ActionContext context, CancellationToken cancellation) =>
            ActionJson.Write(await action.ExecuteAsync(Read(input), context, cancellation).ConfigureAwait(false));

        public override Task UndoAsync(JsonElement input, JsonElement? output, ActionContext context, CancellationToken cancellation) =>
            action.HasUndo
                ? action.UndoAsync(Read(input), ReadOutput(output), context, cancellation)
                : throw new ActionFailedException($"{action.Name} has no undo; remove 'undo' from its step");

        public override async Task<(OutcomeKind Kind, JsonElement? Output)> ProbeAsync(JsonElement input, ActionContext context, CancellationToken cancellation)
        {
            var (kind, output) = await action.ProbeAsync(Read(input), context, cancellation).ConfigureAwait(false);
            return (kind, output is null ? null : ActionJson.Write(output));
        }

        private TInput Read(JsonElement input) => ActionJson.Read<TInput>(action.Name, input, Spec.Inputs);

        private static TOutput? ReadOutput(JsonElement? output)
        {
            try
            {
                return output is { ValueKind: JsonValueKind.Object } given ? given.Deserialize<TOutput>(ActionJson.Options) : null;
            }
            catch (JsonException)
            {
                return null; // written by another version of the action: an undo must cope with an unknown output anyway
            }
        }
    }
}

/// <summary>A probe as the agent calls it.</summary>
internal abstract class ProbeBinding(IGuardianProbe probe)
{
    public ProbeSpec Spec { get; } = new(probe.Name, RecordFields.Of(probe.InputType), RecordFields.Of(probe.ResultType), probe.Summary) { Anywhere = probe.Anywhere };

    public abstract Task<JsonElement> MeasureAsync(JsonElement input, CancellationToken cancellation);

    /// <exception cref="ArgumentException">It does not derive from <see cref="GuardianProbe{TInput,TResult}"/>.</exception>
    public static ProbeBinding Of(IGuardianProbe probe)
    {
        var arguments = GenericBase.Arguments(probe.GetType(), typeof(GuardianProbe<,>))
            ?? throw new ArgumentException($"probe '{probe.Name}' ({probe.GetType()}) must derive from GuardianProbe<TInput, TResult>");
        return (ProbeBinding)Activator.CreateInstance(typeof(Typed<,>).MakeGenericType(arguments), probe)!;
    }

    private sealed class Typed<TInput, TResult>(GuardianProbe<TInput, TResult> probe) : ProbeBinding(probe)
        where TInput : class
        where TResult : class
    {
        public override async Task<JsonElement> MeasureAsync(JsonElement input, CancellationToken cancellation) =>
            ActionJson.Write(await probe.MeasureAsync(ActionJson.Read<TInput>(probe.Name, input, Spec.Inputs), cancellation).ConfigureAwait(false));
    }
}

internal static class GenericBase
{
    /// <summary>Type arguments with which <paramref name="type"/> derives from the open generic class; null where it does not.</summary>
    public static Type[]? Arguments(Type type, Type open)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (at.IsGenericType && at.GetGenericTypeDefinition() == open) return at.GetGenericArguments();
        }

        return null;
    }
}
