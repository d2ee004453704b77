using System.Security.Cryptography;
using System.Text;

namespace Guardian.Actors.Incidents;

/// <summary>Names that follow from an incident's key.</summary>
internal static class IncidentKeys
{
    /// <summary>The entity: SHA-256 of the key, hex. A key may hold any character; an actor's name may not.</summary>
    public static string Entity(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Id of the n-th incident of an entity.</summary>
    public static string Incident(string entity, int n) => $"{entity[..12]}-{n}";

    /// <summary>The same for the same run in every process.</summary>
    public static int Seed(string runId) => BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(runId)));
}

/// <summary>Guardian's own persistence plug-ins, so that an embedding application's journal stays untouched.</summary>
internal static class GuardianJournal
{
    public const string Journal = "guardian.journal";
    public const string Snapshots = "guardian.snapshots";

    /// <summary>Every event carries it; the read model follows it.</summary>
    public const string Tag = "guardian";

    private static readonly string[] Tags = [Tag];

    public static Akka.Persistence.Journal.Tagged Tagged(object e) => new(e, Tags);
}
