using Guardian.Actors.Hosting;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Cli;

/// <summary>What playbooks may name, without a running node.</summary>
internal static class CliVocabulary
{
    public static Vocabulary Make() => GuardianVocabulary.Of(new GuardianOptions());
}
