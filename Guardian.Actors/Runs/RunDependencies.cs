using System.Collections.Concurrent;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Autonomy;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Actors.Runs;

/// <summary>A stored definition as it reads today, or why it does not.</summary>
internal readonly record struct LoadedDefinition(Playbook? Playbook, string? Error);

/// <summary>What a run needs of the node.</summary>
/// <param name="Time">Clock.</param>
/// <param name="Vocabulary">What playbooks may name.</param>
/// <param name="Mode">How far Guardian may act now.</param>
/// <param name="Agent">The agent of a node by name; <c>all</c> is every node's.</param>
/// <param name="Load">Reads the definition that a run stored.</param>
internal sealed record RunDependencies(
    TimeProvider Time, Vocabulary Vocabulary, ModeView Mode, Func<string, ICanTell> Agent, Func<string, string, LoadedDefinition> Load)
{
    /// <summary>This node's name.</summary>
    public string? Self { get; init; }

    /// <summary>The cluster's nodes; null where they are not known.</summary>
    public Func<IReadOnlyList<TargetNode>?> Nodes { get; init; } = static () => null;

    /// <summary>What an action with this input would hold.</summary>
    public Func<string, JsonElement, TouchedTargets> Touches { get; init; } = static (_, _) => TouchedTargets.None;

    /// <summary>A kernel's own <c>remediation</c>; null where it declares none.</summary>
    public Func<string, OperatingMode?> Remediation { get; init; } = static _ => null;

    /// <summary>Number of declared kernels.</summary>
    public Func<int> Kernels { get; init; } = static () => 0;

    /// <summary>Shard region of guards.</summary>
    public IActorRef Guards { get; init; } = ActorRefs.Nobody;

    /// <summary>Hears of every stored event.</summary>
    public RunTap Tap { get; init; } = new();

    /// <summary>What a run sees at this moment; <paramref name="held"/> is a reason besides the global hold and the silences.</summary>
    public RunView View(JsonElement incident, string? held = null) => new(
        Time.GetUtcNow(), incident, Mode.HeldFor(Text(incident, "type"), Text(incident, "key"), Text(incident, "subject")) ?? held, Mode.For)
    {
        Global = Mode.Mode, Nodes = Nodes(), Self = Self, Touches = Touches, Remediation = Remediation, Kernels = Kernels(),
    };

    private static string? Text(JsonElement incident, string name) =>
        incident.ValueKind == JsonValueKind.Object && incident.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Definitions kept parsed; runs of one playbook share theirs. More texts than this at once are read anew.</summary>
    private const int KeptDefinitions = 256;

    /// <summary>Reads definitions with the loader, each text once: a run's start costs no parsing.</summary>
    public static Func<string, string, LoadedDefinition> Loader(Vocabulary vocabulary)
    {
        var known = new ConcurrentDictionary<(string Name, string Definition), LoadedDefinition>();
        return (name, definition) =>
        {
            if (known.Count >= KeptDefinitions) known.Clear();
            return known.GetOrAdd((name, definition), x => Read(x.Name, x.Definition, vocabulary));
        };
    }

    private static LoadedDefinition Read(string name, string definition, Vocabulary vocabulary)
    {
        var result = PlaybookLoader.Load([(name, definition)], vocabulary);
        return result.Errors.Count == 0 && result.Playbooks.Count == 1
            ? new LoadedDefinition(result.Playbooks[0], null)
            : new LoadedDefinition(null, string.Join("; ", result.Errors.Take(3)));
    }
}
