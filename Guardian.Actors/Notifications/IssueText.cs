using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Guardian.Actors.Notifications;

/// <summary>
/// What stands in an issue and its comments. Values come from outside: they can neither forge a mark nor call people. Pure.
/// </summary>
internal static partial class IssueText
{
    private const string CountLabel = "Occurrences: ";

    /// <summary>Marks the issue of an item key; not shown.</summary>
    public static string ItemMark(Deliver item) => $"<!-- guardian item {Hash(item.ItemKey ?? item.Key)} -->";

    /// <summary>Marks what a key has written; not shown.</summary>
    public static string KeyMark(Deliver item) => $"<!-- guardian key {Hash(item.Key)} -->";

    public static string Opening(Deliver item) => $"{Safe(item.Text)}\n\n{About(item)}\n{Count(1, item.At)}\n\n{ItemMark(item)}\n{KeyMark(item)}";

    public static string Comment(Deliver item, int count) => item.CommentOnly
        ? $"{Safe(item.Text)}\n\n{KeyMark(item)}"
        : string.Create(CultureInfo.InvariantCulture, $"Occurrence {count}: {Safe(item.Title)}\n\n{Safe(item.Text)}\n\n{About(item)}\n\n{KeyMark(item)}");

    /// <summary>The counter in an issue's text; 1 where people removed it.</summary>
    public static int CountIn(string body) => CountLine().Match(body) is { Success: true } x && int.TryParse(x.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1;

    /// <summary>The text with the counter set, where it stands or at the end.</summary>
    public static string WithCount(string body, int count, DateTimeOffset at) => CountLine().IsMatch(body)
        ? CountLine().Replace(body, Count(count, at), 1)
        : $"{body}\n\n{Count(count, at)}";

    private static string Count(int count, DateTimeOffset at) => string.Create(CultureInfo.InvariantCulture, $"{CountLabel}{count}, last at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");

    private static string About(Deliver item) => $"Incident {Safe(item.IncidentKey ?? "-")} ({item.IncidentId ?? "-"}), severity {item.Severity}, run {item.RunId ?? "-"}";

    /// <summary>A comment's beginning would hide or forge a mark; an @ would call whoever has that name.</summary>
    private static string Safe(string text) => text.Replace("<!--", "&lt;!--", StringComparison.Ordinal).Replace("@", "@\u200B", StringComparison.Ordinal);

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    [GeneratedRegex(@"^Occurrences: ([0-9]{1,9}), last at [^\r\n]*$", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex CountLine();
}
