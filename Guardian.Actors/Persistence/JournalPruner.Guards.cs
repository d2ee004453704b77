using System.Data.Common;
using Guardian.Actors.Guards;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Persistence;

/// <content>Guards: there is one for every lock that a run ever took.</content>
internal sealed partial class JournalPruner
{
    /// <summary>Guards in one look: each is a transaction of some rows.</summary>
    private const int MaxGuards = 200;

    private readonly GuardianSerializer _serializer = new(null!);

    /// <summary>
    /// Deletes the guards on which nothing depends any more: no lease, no open breaker, nothing held, and their latest event is older than any
    /// window looks back. One that is asked again begins anew. One that still lives goes on with its next number: nothing behind the
    /// latest event that was looked at is touched. Returns how many events.
    /// </summary>
    public long DeleteQuietGuards(DateTimeOffset now)
    {
        var old = new List<(string Id, long Last)>();
        using var journal = Open(database.Journal);
        using (var command = Command(journal, null, """
            select persistence_id, max(sequence_number) from guardian_journal where persistence_id like 'guard-%' group by persistence_id having max(created) < @a
            """, (now - GuardState.Longest).UtcTicks))
        using (var reader = command.ExecuteReader())
            while (reader.Read()) old.Add((reader.GetString(0), reader.GetInt64(1)));

        using var snapshots = Open(database.Snapshots);
        var (guards, events) = (0, 0L);
        foreach (var (id, last) in old)
        {
            if (StateOf(journal, snapshots, id, last)?.IsQuiet(now) != true) continue;
            // The snapshot first: one without its events would stand for the first events of the guard's next life.
            Run(snapshots, null, "delete from guardian_snapshot where persistence_id = @a and sequence_number <= @b", id, last);
            using var transaction = journal.BeginTransaction();
            Run(journal, transaction, "delete from guardian_tags where persistence_id = @a and sequence_nr <= @b", id, last);
            events += Run(journal, transaction, "delete from guardian_journal where persistence_id = @a and sequence_number <= @b", id, last);
            transaction.Commit();
            if (++guards == MaxGuards) break;
        }

        return events;
    }

    /// <summary>The guard after that event; null where something cannot be read: then nothing is known, and nothing is deleted.</summary>
    private GuardState? StateOf(DbConnection journal, DbConnection snapshots, string id, long last)
    {
        var (state, from) = (GuardState.Empty, 0L);
        using (var command = Command(snapshots, null, "select sequence_number, manifest, snapshot from guardian_snapshot where persistence_id = @a order by sequence_number desc limit 1", id))
        using (var reader = command.ExecuteReader())
        {
            if (reader.Read())
            {
                if (_serializer.FromBinary((byte[])reader.GetValue(2), reader.GetString(1)) is not GuardState taken) return null;
                (state, from) = (taken, reader.GetInt64(0));
            }
        }

        using (var command = Command(journal, null, "select manifest, message from guardian_journal where persistence_id = @a and sequence_number > @b and sequence_number <= @c order by sequence_number", id, from, last))
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                if (_serializer.FromBinary((byte[])reader.GetValue(1), reader.GetString(0)) is not GuardEvent e) return null;
                state = state.Apply(e);
            }
        }

        return state;
    }
}
