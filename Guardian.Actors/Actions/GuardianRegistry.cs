using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>
/// Every action and probe that playbooks may name on this node: the built-in ones and those an application adds.
/// Built once; names are unique, so an application cannot replace a built-in action unnoticed.
/// </summary>
internal sealed class GuardianRegistry
{
    private readonly FrozenDictionary<string, ActionBinding> _actions;
    private readonly FrozenDictionary<string, ProbeBinding> _probes;

    /// <exception cref="ArgumentException">A name is empty or given twice, or a type does not derive from the base class.</exception>
    public GuardianRegistry(IEnumerable<IncidentType> incidents, IEnumerable<IGuardianAction> actions, IEnumerable<IGuardianProbe> probes, SecretStore? secrets = null)
    {
        _actions = Index("action", actions.Select(ActionBinding.Of), x => x.Spec.Name);
        _probes = Index("probe", probes.Select(ProbeBinding.Of), x => x.Spec.Name);
        Vocabulary = new Vocabulary(incidents, _actions.Values.Select(x => x.Spec), _probes.Values.Select(x => x.Spec), (secrets ?? SecretStore.None).Names);
        Secrets = secrets ?? SecretStore.None;
    }

    /// <summary>What the playbook language may name.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The node's secrets.</summary>
    public SecretStore Secrets { get; }

    public bool TryGetAction(string name, [NotNullWhen(true)] out ActionBinding? action) => _actions.TryGetValue(name, out action);

    public bool TryGetProbe(string name, [NotNullWhen(true)] out ProbeBinding? probe) => _probes.TryGetValue(name, out probe);

    /// <summary>What an action with this input would hold; nothing where it is not known here.</summary>
    public TouchedTargets Touches(string action, JsonElement input) =>
        _actions.TryGetValue(action, out var binding) ? binding.Touches(input) : TouchedTargets.None;

    private static FrozenDictionary<string, T> Index<T>(string kind, IEnumerable<T> items, Func<T, string> nameOf)
    {
        var byName = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var name = nameOf(item);
            if (string.IsNullOrWhiteSpace(name)) throw new ArgumentException($"an {kind} without a name was registered");
            if (!byName.TryAdd(name, item)) throw new ArgumentException($"{kind} '{name}' is registered twice; give one of them another name");
        }

        return byName.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
