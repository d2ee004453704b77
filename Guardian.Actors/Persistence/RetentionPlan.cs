using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Guardian.Actors.Persistence;

/// <summary>What of one key can go.</summary>
/// <param name="Entity">Persistence id of the incidents of the key.</param>
/// <param name="Incidents">Incidents that are over for long enough.</param>
/// <param name="Runs">Their runs.</param>
/// <param name="Before">Events of the entity before this position can go: where the oldest incident begins that stays; null: all of them.</param>
/// <param name="Opened">Position at which the oldest of them was opened.</param>
internal sealed record PrunableEntity(string Entity, IReadOnlyList<string> Incidents, IReadOnlyList<string> Runs, long? Before, long Opened);

/// <summary>Finds what can go in the read model, which knows every incident's end. Reads only; SQLite blocks, so off actors' threads.</summary>
internal static class RetentionPlan
{
    /// <summary>Cooldown and quotas of a key look back; younger incidents never go, whatever the size.</summary>
    public static readonly TimeSpan Youngest = TimeSpan.FromHours(1);

    /// <summary>The keys whose incidents ended first.</summary>
    /// <param name="projection">The read model's file.</param>
    /// <param name="endedBefore">Incidents that ended then or before can go.</param>
    /// <param name="limit">Most keys.</param>
    public static IReadOnlyList<PrunableEntity> Next(string projection, DateTimeOffset endedBefore, int limit)
    {
        using var connection = Open(projection);
        var entities = Rows(connection, "select distinct entity from (select entity from incidents where open = 0 and ended <= $a order by ended limit $b)",
            x => x.GetString(0), endedBefore.UtcTicks, limit);
        return [.. entities.Select(x => Of(connection, x, endedBefore))];
    }

    /// <summary>Incidents that can go, and the greatest number that one of them has.</summary>
    public static (long Incidents, int Number) Count(string projection, DateTimeOffset endedBefore)
    {
        using var connection = Open(projection);
        return Rows(connection, "select count(*), coalesce(max(cast(substr(id, instr(id, '-') + 1) as integer)), 0) from incidents where open = 0 and ended <= $a",
            x => (x.GetInt64(0), x.GetInt32(1)), endedBefore.UtcTicks).Single();
    }

    /// <summary>Everything up to here is in the read model.</summary>
    public static long Position(string projection)
    {
        using var connection = Open(projection);
        return Rows(connection, "select position from meta", x => x.GetInt64(0)).Single();
    }

    private static PrunableEntity Of(SqliteConnection connection, string entity, DateTimeOffset endedBefore)
    {
        var all = Rows(connection, "select id, seq, open = 0 and ended <= $b from incidents where entity = $a order by seq",
            x => (Id: x.GetString(0), Seq: x.GetInt64(1), Over: x.GetInt64(2) == 1), entity, endedBefore.UtcTicks);
        // Only what is before the first that stays: the journal of a key is cut at its beginning.
        var going = all.TakeWhile(x => x.Over).ToList();
        var runs = going.SelectMany(x => Rows(connection, "select id from runs where incident = $a", r => r.GetString(0), x.Id)).ToList();
        return new PrunableEntity(entity, [.. going.Select(x => x.Id)], runs, going.Count < all.Count ? all[going.Count].Seq : null, all[0].Seq);
    }

    private static SqliteConnection Open(string projection)
    {
        var connection = new SqliteConnection(ProjectionFile.ReadConnectionString(projection));
        connection.Open();
        return connection;
    }

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object> values)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < values.Length; i++) command.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${(char)('a' + i)}"), values[i]);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(map(reader));
        return rows;
    }
}
