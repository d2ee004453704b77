using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>Ids of operations; they travel as the messages' bodies.</summary>
internal static class Operations
{
    private const string LoadPrefix = "op:";
    private const string FloodPrefix = "flood:";

    public static string Load(string drill, string principal, int sequence) => string.Create(CultureInfo.InvariantCulture, $"{LoadPrefix}{drill}:{principal}:{sequence}");

    public static string Flood(string drill, int index) => string.Create(CultureInfo.InvariantCulture, $"{FloodPrefix}{drill}:{index}");

    public static bool IsFlood(string body, string drill) => body.StartsWith($"{FloodPrefix}{drill}:", StringComparison.Ordinal);

    public static bool IsLoad(string body, string drill) => body.StartsWith($"{LoadPrefix}{drill}:", StringComparison.Ordinal);
}
