using Guardian.Actors.Chaos.Proxies;
using Guardian.Tests.Persistence;
using Npgsql;

namespace Guardian.Tests.Chaos.Proxies;

public sealed class DatabaseProxyTests
{
    [PostgresFact]
    public async Task Each_trouble_is_what_it_says_and_ends()
    {
        var database = Postgres.Create();
        await using (var proxy = new DatabaseProxy(database))
        {
            await RunAsync(proxy.Through, "create table t (n int)");
            await RunAsync(proxy.Through, "insert into t values (1)");

            proxy.Begin(DatabaseTrouble.Refused);
            await FailsAsync(proxy, "insert into t values (2)");
            (await CountAsync(database)).Should().Be(1);

            proxy.Begin(DatabaseTrouble.Hangs);
            await FailsAsync(proxy, "insert into t values (3)");
            proxy.End();
            await RunAsync(proxy.Through, "insert into t values (4)");

            proxy.Begin(DatabaseTrouble.Unacknowledged);
            var before = await CountAsync(database);
            await FailsAsync(proxy, "insert into t values (5)");
            await FailsAsync(proxy, "begin; insert into t values (6); commit");
            (await CountAsync(database)).Should().Be(before + 2, "both were committed, and nobody was told");
            proxy.Lost.Should().Be(2);
            (await CountAsync(proxy.Through)).Should().Be(before + 2, "reads are answered");

            proxy.End();
            await RunAsync(proxy.Through, "insert into t values (7)");
            (await CountAsync(proxy.Through)).Should().Be(before + 3);
        }

        Postgres.Drop(database);
    }

    private static async Task FailsAsync(DatabaseProxy proxy, string sql) => await FluentActions.Awaiting(() => RunAsync(proxy.Through, sql)).Should().ThrowAsync<Exception>();

    private static async Task RunAsync(string way, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(way) { Pooling = false, Timeout = 2, CommandTimeout = 2 }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> CountAsync(string way)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(way) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select count(*) from t", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
