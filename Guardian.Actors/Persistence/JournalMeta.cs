using System.Data.Common;
using System.Globalization;

namespace Guardian.Actors.Persistence;

/// <summary>
/// A few words about the journal, kept in the journal's own database: the version of its schema, and the number from which
/// incidents of pruned keys go on.
/// </summary>
internal static class JournalMeta
{
    /// <summary>Raise it when an older version must not write to what a newer one wrote.</summary>
    public const int SchemaVersion = 1;

    private const string Table = "create table if not exists guardian_meta (name varchar(64) primary key, value bigint not null)";

    /// <summary>Makes the table and notes this version where nothing is noted yet. Returns the version that is noted.</summary>
    public static int Prepare(DbConnection connection)
    {
        if (Read(connection, "schema") is { } known) return (int)known;
        Run(connection, Table);
        Run(connection, string.Create(CultureInfo.InvariantCulture, $"insert into guardian_meta (name, value) values ('schema', {SchemaVersion}) on conflict (name) do nothing"));
        return (int)(Read(connection, "schema") ?? SchemaVersion);
    }

    /// <summary>Why this version must not write; null where it may.</summary>
    public static string? Refusal(int version, string where) => version <= SchemaVersion
        ? null
        : string.Create(CultureInfo.InvariantCulture,
            $"{where} was written by a newer Guardian (data schema {version}; this version knows {SchemaVersion}): start that version, or restore a backup that was made by this one");

    /// <summary>Numbers up to this may have been given to incidents that were pruned.</summary>
    public static int NumberFloor(DbConnection connection) => (int)(Read(connection, "number-floor") ?? 0);

    /// <summary>Raises the floor; never lowers it.</summary>
    public static void RaiseNumberFloor(DbConnection connection, int floor) => Run(connection, string.Create(CultureInfo.InvariantCulture,
        $"insert into guardian_meta (name, value) values ('number-floor', {floor}) on conflict (name) do update set value = case when excluded.value > guardian_meta.value then excluded.value else guardian_meta.value end"));

    private static long? Read(DbConnection connection, string name)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this class
        command.CommandText = $"select value from guardian_meta where name = '{name}'";
#pragma warning restore CA2100
        try
        {
            return command.ExecuteScalar() is { } value ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : null;
        }
        catch (DbException e) when (e is Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 1 } or Npgsql.PostgresException { SqlState: Npgsql.PostgresErrorCodes.UndefinedTable })
        {
            return null; // no table yet
        }
    }

    private static void Run(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants and numbers of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
