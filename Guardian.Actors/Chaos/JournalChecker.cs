using System.Globalization;

namespace Guardian.Actors.Chaos;

/// <summary>A row of the journal.</summary>
/// <param name="PersistenceId">Whose event.</param>
/// <param name="Sequence">Its number, from 1.</param>
/// <param name="Writer">The incarnation that wrote it.</param>
internal sealed record JournalRow(string PersistenceId, long Sequence, string Writer);

/// <summary>
/// One writer at a time: per persistence id the sequence numbers have neither gaps nor doubles, and an incarnation that was
/// followed by another never writes again. Events deleted behind a snapshot are no gap: only what stands is looked at.
/// </summary>
internal static class JournalChecker
{
    public static IReadOnlyList<string> Check(IEnumerable<JournalRow> rows)
    {
        var problems = new List<string>();
        foreach (var stream in rows.GroupBy(x => x.PersistenceId, StringComparer.Ordinal))
        {
            JournalRow? before = null;
            var gone = new HashSet<string>(StringComparer.Ordinal);
            foreach (var row in stream.OrderBy(x => x.Sequence))
            {
                if (before is not null && row.Sequence == before.Sequence)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has number {row.Sequence} twice"));
                else if (before is not null && row.Sequence != before.Sequence + 1)
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has a gap between {before.Sequence} and {row.Sequence}"));
                if (before is not null && row.Writer != before.Writer) gone.Add(before.Writer);
                if (gone.Contains(row.Writer))
                    problems.Add(string.Create(CultureInfo.InvariantCulture, $"journal: {stream.Key} has two writers at once, number {row.Sequence} is by one that was followed by another"));
                before = row;
            }
        }

        return problems;
    }
}
