using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Guardian.Actors.Incidents;

/// <summary>Names that follow from an incident's key.</summary>
internal static class IncidentKeys
{
    /// <summary>The entity: SHA-256 of the key, hex. A key may hold any character; an actor's name may not.</summary>
    public static string Entity(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Where the journal keeps the incidents of a key.</summary>
    public static string PersistenceId(string key) => "incident-" + Entity(key);

    /// <summary>What the key is about in the widest sense: its first segment, e.g. acl, resource, kernel.</summary>
    public static string Kind(string key) => key.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? key[..end] : key;

    /// <summary>Id of the n-th incident of an entity.</summary>
    public static string Incident(string entity, int n) => $"{entity[..12]}-{n}";

    /// <summary>Whether a run of any incident of the key goes by this name: <c>&lt;incident&gt;.&lt;n&gt;</c>.</summary>
    public static bool IsRunOf(string key, string run)
    {
        var start = Entity(key)[..12] + "-";
        if (!run.StartsWith(start, StringComparison.Ordinal)) return false;
        var numbers = run[start.Length..].Split('.');
        return numbers.Length == 2 && numbers.All(x => x.Length > 0 && x.All(char.IsAsciiDigit));
    }

    /// <summary>The n of an incident's id.</summary>
    public static int Number(string incident) => int.TryParse(incident.AsSpan(incident.LastIndexOf('-') + 1), CultureInfo.InvariantCulture, out var n) ? n : 0;

    /// <summary>The same for the same run in every process.</summary>
    public static int Seed(string runId) => BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(runId)));
}
