using System.Data.Common;
using System.Globalization;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Takes events and snapshots out of the database, a bounded batch in each transaction, so that writers wait for milliseconds.
/// Repeating a batch that was cut short does no harm. Blocks: off actors' threads.
/// </summary>
internal sealed partial class JournalPruner(JournalDatabase database)
{
    /// <summary>Most events of one entity in a batch, of those that a snapshot stands for.</summary>
    private const int MaxBehindSnapshot = 2_000;

    /// <summary>What a row costs besides its payload, roughly: columns, tag and index entries.</summary>
    private const int RowBytes = 400;

    // The plus in max(+sequence_number): without it a planner may walk the index of sequence numbers, which all entities share, from its end.

    /// <summary>Deletes the entities' events. Returns how many.</summary>
    /// <param name="entities">What can go.</param>
    /// <param name="upTo">Nothing behind this position: an incident may just have been opened anew.</param>
    public long Delete(IReadOnlyList<PrunableEntity> entities, long upTo)
    {
        var deleted = 0L;
        using var connection = Open(database.Journal);
        using (var transaction = connection.BeginTransaction())
        {
            foreach (var entity in entities)
            {
                deleted += DeleteEvents(connection, transaction, entity.Entity, entity.Before is { } before ? Math.Min(before - 1, upTo) : upTo);
                foreach (var run in entity.Runs) deleted += DeleteEvents(connection, transaction, "run-" + run, upTo);
            }

            transaction.Commit();
        }

        DeleteSnapshots(entities);
        return deleted;
    }

    /// <summary>Deletes old events that a snapshot of their entity stands for; not those of incidents and runs, whose history is theirs. Returns how many.</summary>
    public long DeleteBehindSnapshots(DateTimeOffset writtenBefore)
    {
        var snapshots = new List<(string Id, long Sequence)>();
        using (var connection = Open(database.Snapshots))
        using (var command = Command(connection, null, "select persistence_id, max(sequence_number) from guardian_snapshot where persistence_id not like 'incident-%' and persistence_id not like 'run-%' group by persistence_id"))
        using (var reader = command.ExecuteReader())
            while (reader.Read()) snapshots.Add((reader.GetString(0), reader.GetInt64(1)));

        var deleted = 0L;
        using var journal = Open(database.Journal);
        foreach (var (id, sequence) in snapshots)
        {
            using var transaction = journal.BeginTransaction();
            var last = Scalar(journal, transaction, """
                select max(+sequence_number) from guardian_journal where persistence_id = @a and sequence_number < @b and created < @c
                  and sequence_number < (select min(+sequence_number) from guardian_journal where persistence_id = @a) + @d
                """, id, sequence, writtenBefore.UtcTicks, (long)MaxBehindSnapshot);
            if (last is not { } end) continue;
            Run(journal, transaction, "delete from guardian_tags where persistence_id = @a and sequence_nr <= @b", id, end);
            deleted += Run(journal, transaction, "delete from guardian_journal where persistence_id = @a and sequence_number <= @b", id, end);
            transaction.Commit();
        }

        return deleted;
    }

    /// <summary>Those of the entities whose oldest incident the journal has no longer: another node has pruned them.</summary>
    public IReadOnlyList<PrunableEntity> Gone(IReadOnlyList<PrunableEntity> entities)
    {
        using var connection = Open(database.Journal);
        return [.. entities.Where(x => Scalar(connection, null, "select count(*) from guardian_journal where ordering = @a", x.Opened) == 0)];
    }

    /// <summary>Bytes that events and snapshots take; room that was freed and can be used again does not count.</summary>
    public long Bytes() => database.IsSqlite
        ? Pages(database.Journal) + Pages(database.Snapshots)
        : PostgresBytes();

    private void DeleteSnapshots(IReadOnlyList<PrunableEntity> entities)
    {
        using var connection = Open(database.Snapshots);
        using var transaction = connection.BeginTransaction();
        foreach (var id in entities.Where(x => x.Before is null).Select(x => x.Entity).Concat(entities.SelectMany(x => x.Runs).Select(x => "run-" + x)))
            Run(connection, transaction, "delete from guardian_snapshot where persistence_id = @a", id);
        transaction.Commit();
    }

    private static long DeleteEvents(DbConnection connection, DbTransaction transaction, string id, long upTo)
    {
        if (Scalar(connection, transaction, "select max(+sequence_number) from guardian_journal where persistence_id = @a and ordering <= @b", id, upTo) is not { } end) return 0;
        Run(connection, transaction, "delete from guardian_tags where persistence_id = @a and sequence_nr <= @b", id, end);
        return Run(connection, transaction, "delete from guardian_journal where persistence_id = @a and sequence_number <= @b", id, end);
    }

    private long Pages(string connectionString)
    {
        using var connection = Open(connectionString);
        return (Scalar(connection, null, "pragma page_count")!.Value - Scalar(connection, null, "pragma freelist_count")!.Value) * Scalar(connection, null, "pragma page_size")!.Value;
    }

    /// <summary>Deleted rows leave a table as large as it was: counted exactly, but only where the table itself is large enough to matter.</summary>
    private long PostgresBytes()
    {
        using var connection = Open(database.Journal);
        return Scalar(connection, null, string.Create(CultureInfo.InvariantCulture, $"""
            select (select coalesce(sum(octet_length(message) + {RowBytes}), 0) from guardian_journal)
                 + (select coalesce(sum(octet_length(snapshot) + {RowBytes}), 0) from guardian_snapshot)
            """)) ?? 0;
    }

    private DbConnection Open(string connectionString)
    {
        var connection = database.Connect(connectionString);
        connection.Open();
        // SQLite's own waiting looks every few ms, the library's every 150: beside a busy writer that would find the lock taken again and again.
        if (database.IsSqlite) Run(connection, null, "pragma busy_timeout = 2000");
        return connection;
    }

    private static long? Scalar(DbConnection connection, DbTransaction? transaction, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, transaction, sql, values);
        return command.ExecuteScalar() is { } value and not DBNull ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : null;
    }

    private static int Run(DbConnection connection, DbTransaction? transaction, string sql, params ReadOnlySpan<object> values)
    {
        using var command = Command(connection, transaction, sql, values);
        return command.ExecuteNonQuery();
    }

    private static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql, params ReadOnlySpan<object> values)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // constants of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"@{(char)('a' + i)}");
            parameter.Value = values[i];
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
