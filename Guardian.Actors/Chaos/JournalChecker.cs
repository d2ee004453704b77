using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>A row of the journal.</summary>
/// <param name="Ordering">Its place among the rows of all, ascending in the order of writing.</param>
/// <param name="PersistenceId">Whose event.</param>
/// <param name="Sequence">Its number, from 1.</param>
/// <param name="Writer">The process that wrote it; one that is started anew is another.</param>
internal sealed record JournalRow(long Ordering, string PersistenceId, long Sequence, string Writer);

/// <summary>
/// One writer at a time: per persistence id the sequence numbers have neither gaps nor doubles, and a process that was followed by another writes
/// again only after that one's end. An actor that moves from a living node to another one and back to the first is taken back from a node that is
/// gone; two that write in turns and both live are two at once. Events deleted behind a snapshot are no gap: only what stands is looked at.
/// </summary>
internal static class JournalChecker
{
    public static IReadOnlyList<string> Check(IReadOnlyList<JournalRow> rows)
    {
        var problems = new List<string>();
        var lastOf = rows.GroupBy(x => x.Writer, StringComparer.Ordinal).ToDictionary(x => x.Key, x => x.Max(y => y.Ordering), StringComparer.Ordinal);
        foreach (var stream in rows.GroupBy(x => x.PersistenceId, StringComparer.Ordinal))
        {
            JournalRow? before = null;
            var writers = new HashSet<string>(StringComparer.Ordinal);
            foreach (var row in stream.OrderBy(x => x.Sequence))
            {
                if (before is not null && row.Sequence == before.Sequence)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has number {row.Sequence} twice"));
                else if (before is not null && row.Sequence != before.Sequence + 1)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has a gap between {before.Sequence} and {row.Sequence}"));
                if (!writers.Add(row.Writer) && row.Writer != before!.Writer && lastOf[before.Writer] > row.Ordering)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has two writers at once, number {row.Sequence} is by one that was followed by another, which still lives"));
                before = row;
            }
        }

        return problems;
    }
}
