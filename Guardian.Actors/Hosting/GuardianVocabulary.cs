using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Actions.Probes;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Hosting;

/// <summary>What playbooks may name: what is built in, and what the application adds by its options.</summary>
internal static class GuardianVocabulary
{
    private static readonly ActionDependencies Nobody = new()
    {
        Blacklist = ActorRefs.Nobody, Bus = ActorRefs.Nobody, Outbox = ActorRefs.Nobody, Time = TimeProvider.System,
        CountViolations = (_, _, _) => throw new InvalidOperationException("no node runs here"),
    };

    /// <summary>The names alone, for validation without a node.</summary>
    public static Vocabulary Of(GuardianOptions options) => Registry(options, Nobody).Vocabulary;

    /// <summary>The actions and probes of a node.</summary>
    public static GuardianRegistry Registry(GuardianOptions options, ActionDependencies dependencies)
    {
        var registry = new GuardianRegistry(
            BuiltInIncidents.All.Concat(options.IncidentTypes),
            BuiltInActions.Create(dependencies).Concat(options.Actions),
            BuiltInProbes.Create(dependencies).Concat(options.Probes),
            new SecretStore(options.Secrets.AsReadOnly()));
        dependencies.Probes.Use(registry);
        return registry;
    }
}
