using Guardian.Actors.Persistence;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>What the journal of a drill says in the end, read past the nodes.</summary>
internal sealed class DrillJournal(DrillTools tools, DrillClock clock)
{
    private JournalRows? _rows;

    /// <summary>Empty also where the journal cannot be looked into from here.</summary>
    public IReadOnlyList<string> Problems => _rows?.Problems ?? [];

    public async Task ReadAsync(CancellationToken cancellation)
    {
        var journal = tools.Cluster?.Journal ?? (tools.DataDirectory is { } data ? JournalDatabase.From("sqlite", "", data) : null);
        if (journal is not null) _rows = await JournalRows.ReadAsync(journal, cancellation).ConfigureAwait(false);
    }

    /// <summary>On the drill's clock, from the nodes' wall clock: they run on this machine.</summary>
    public TimeSpan? TakenOver(TimeSpan? proven) =>
        proven is { } t0 && _rows is { } rows && RunHistoryChecker.TakenOver(rows.Runs, clock.At(t0)) is { } at ? clock.Of(at) : null;
}
