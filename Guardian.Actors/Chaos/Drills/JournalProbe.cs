using System.Text.Json;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Persistence;
using Npgsql;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>A write of the harness's own, on the way that the node's writes take.</summary>
internal static class JournalProbe
{
    private const string Table = "create table if not exists guardian_chaos_probe (id uuid primary key)";

    /// <summary><c>writable</c>: acknowledged. <c>committed</c>: it is there, looked for past what is in the way.</summary>
    public static async Task<JsonElement> WriteAsync(DrillTools tools, TimeProvider time, CancellationToken cancellation)
    {
        if (tools.Cluster is { Database: { } proxy, Journal: { } journal })
        {
            try
            {
                var (acknowledged, committed) = await PostgresAsync(proxy.Through, journal.Journal, cancellation).ConfigureAwait(false);
                return Answer(acknowledged, committed);
            }
            catch (NpgsqlException e)
            {
                throw new ChaosTargetException($"PostgreSQL itself does not answer: {e.Message}", e);
            }
        }

        var check = new JournalHealthCheck(JournalDatabase.From("sqlite", "", tools.DataDirectory ?? throw new ChaosTargetException("the node's data directory is not known here")), time);
        var health = await Task.Run(() => check.CheckAsync(cancellation), cancellation).ConfigureAwait(false); // SQLite blocks
        return Answer(health.Healthy, health.Healthy);
    }

    private static JsonElement Answer(bool acknowledged, bool committed) => TargetJson.Object(x =>
    {
        x.WriteBoolean("writable", acknowledged);
        x.WriteBoolean("committed", committed);
    });

    private static async Task<(bool Acknowledged, bool Committed)> PostgresAsync(string through, string direct, CancellationToken cancellation)
    {
        var id = Guid.NewGuid();
        await RunAsync(direct, Table, cancellation).ConfigureAwait(false);
        try
        {
            // A fresh connection: a pooled one would tell of its own past.
            var way = new NpgsqlConnectionStringBuilder(through) { Pooling = false, Timeout = 1, CommandTimeout = 1 }.ConnectionString;
            await RunAsync(way, $"insert into guardian_chaos_probe values ('{id}')", cancellation).ConfigureAwait(false);
            return (true, true);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            return (false, await RunAsync(direct, $"select 1 from guardian_chaos_probe where id = '{id}'", cancellation).ConfigureAwait(false));
        }
    }

    private static async Task<bool> RunAsync(string way, string sql, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(way);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellation).ConfigureAwait(false);
#pragma warning disable CA2100 // constants and a GUID of this class
            var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            await using (command.ConfigureAwait(false)) return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not null;
        }
    }
}
