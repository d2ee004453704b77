using System.Globalization;
using Guardian.Actors.Guards;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Backup;

/// <summary>What a journal holds and what is wrong with it.</summary>
/// <param name="Events">Events read.</param>
/// <param name="Entities">Persistence ids.</param>
/// <param name="Incidents">Incidents.</param>
/// <param name="Runs">Runs.</param>
/// <param name="Unfinished">Runs that are not over.</param>
/// <param name="Problems">One line each; at most <see cref="JournalVerifier.MaxProblems"/>.</param>
internal sealed record VerifyReport(long Events, int Entities, int Incidents, int Runs, int Unfinished, IReadOnlyList<string> Problems);

/// <summary>
/// Reads a whole journal: gaps and doubles in every entity's numbers, manifests that nobody knows, events that cannot be read, tags that
/// lists would miss, and whether incidents and their runs tell the same story.
/// </summary>
internal sealed class JournalVerifier
{
    public const int MaxProblems = 1_000;

    private readonly GuardianSerializer _serializer = new(null!);
    private readonly List<string> _problems = [];
    private readonly Dictionary<string, long> _snapshots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _assigned = new(StringComparer.Ordinal); // run ▸ incident
    private readonly Dictionary<string, string> _settled = new(StringComparer.Ordinal); // run ▸ incident that says it is over
    private readonly Dictionary<string, (string Incident, bool Ended)> _runs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _incidents = new(StringComparer.Ordinal);
    private (string Id, long Sequence, long Ordering) _last = ("", 0, 0);
    private long _events;
    private int _entities;

    public static VerifyReport Verify(JournalView view) => new JournalVerifier().Read(view);

    private VerifyReport Read(JournalView view)
    {
        ReadSnapshots(view);
        using (var command = JournalCopy.Command(view.Journal, view.JournalRead,
            "select persistence_id, sequence_number, ordering, identifier, manifest, message from guardian_journal order by persistence_id, sequence_number"))
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                _events++;
                var (id, sequence) = (reader.GetString(0), reader.GetInt64(1));
                object? e = reader.IsDBNull(3) || reader.GetInt32(3) != GuardianSerializer.SerializerId ? null : _serializer.FromBinary((byte[])reader.GetValue(5), reader.GetString(4));
                Numbers(id, sequence, reader.GetInt64(2), e);
                Event(id, sequence, e);
            }
        }

        Tags(view);
        Stories();
        return new VerifyReport(_events, _entities, _incidents.Count, _runs.Count, _runs.Count(x => !x.Value.Ended), _problems);
    }

    private void ReadSnapshots(JournalView view)
    {
        using var command = JournalCopy.Command(view.Snapshots, view.SnapshotsRead, "select persistence_id, sequence_number, serializer_id, manifest, snapshot from guardian_snapshot order by persistence_id, sequence_number");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var (id, sequence) = (reader.GetString(0), reader.GetInt64(1));
            _snapshots[id] = sequence;
            if (!reader.IsDBNull(2) && reader.GetInt32(2) == GuardianSerializer.SerializerId && _serializer.FromBinary((byte[])reader.GetValue(4), reader.GetString(3)) is UnreadableMessage unreadable)
                Problem($"{id} snapshot {sequence}: {unreadable}");
        }
    }

    private void Numbers(string id, long sequence, long ordering, object? e)
    {
        if (id != _last.Id)
        {
            _entities++;
            // The beginning may have been pruned: behind a snapshot, up to where a key's next incident was opened, or of a guard on which nothing depended.
            var whole = sequence == 1 || _snapshots.GetValueOrDefault(id) >= sequence - 1 || e is IncidentOpened or GuardEvent or UnreadableMessage;
            if (!whole) Problem($"{id}: begins with number {sequence}, and no snapshot stands for what was before");
        }
        else if (sequence == _last.Sequence)
        {
            Problem($"{id}: number {sequence} is there twice");
        }
        else if (sequence != _last.Sequence + 1 && _snapshots.GetValueOrDefault(id) < sequence - 1)
        {
            Problem($"{id}: {_last.Sequence} is followed by {sequence}");
        }
        else if (ordering <= _last.Ordering)
        {
            Problem($"{id}: number {sequence} was written before number {_last.Sequence}");
        }

        _last = (id, sequence, ordering);
    }

    private void Event(string id, long sequence, object? e)
    {
        switch (e)
        {
            case UnreadableMessage x: Problem(string.Create(CultureInfo.InvariantCulture, $"{id} number {sequence}: {x}")); break;
            case IncidentOpened x: _incidents.Add(x.IncidentId); break;
            case IncidentRunAssigned x: _assigned[x.RunId] = x.IncidentId; break;
            case IncidentSettled { RunId: { } run } x: _settled[run] = x.IncidentId; break;
            case RunStarted x when id != "run-" + x.RunId: Problem($"{id}: holds the start of run {x.RunId}"); break;
            case RunStarted x: _runs[x.RunId] = (x.IncidentId, false); break;
            case RunEvent when !_runs.ContainsKey(Run(id)): Problem($"{id} number {sequence}: its run was never started"); break;
            case RunEnded: _runs[Run(id)] = _runs[Run(id)] with { Ended = true }; break;
        }
    }

    private void Tags(JournalView view)
    {
        var untagged = JournalCopy.Scalar(view.Journal, view.JournalRead, """
            select count(*) from guardian_journal j where (persistence_id like 'incident-%' or persistence_id like 'run-%' or persistence_id like 'outbox-%')
              and not exists (select 1 from guardian_tags t where t.ordering_id = j.ordering)
            """);
        if (untagged > 0) Problem($"{untagged} events have no tag: lists will never show them");
        var orphaned = JournalCopy.Scalar(view.Journal, view.JournalRead, "select count(*) from guardian_tags t where not exists (select 1 from guardian_journal j where j.ordering = t.ordering_id)");
        if (orphaned > 0) Problem($"{orphaned} tags belong to no event");
    }

    private void Stories()
    {
        foreach (var (run, (incident, _)) in _runs)
        {
            if (!_assigned.TryGetValue(run, out var assigned)) Problem($"run {run}: no incident has assigned it");
            else if (assigned != incident) Problem($"run {run}: says it belongs to incident {incident}, but {assigned} has assigned it");
        }

        foreach (var (run, incident) in _settled)
        {
            if (!_runs.TryGetValue(run, out var known)) Problem($"incident {incident}: says that run {run} is over, which is not in the journal");
            else if (!known.Ended) Problem($"incident {incident}: says that run {run} is over, but the run does not");
        }

        foreach (var (run, incident) in _assigned)
            if (!_incidents.Contains(incident)) Problem($"run {run}: was assigned by incident {incident}, which was never opened");
    }

    private static string Run(string persistenceId) => persistenceId["run-".Length..];

    private void Problem(string line)
    {
        if (_problems.Count < MaxProblems) _problems.Add(line);
        else if (_problems.Count == MaxProblems) _problems.Add("and more");
    }
}
