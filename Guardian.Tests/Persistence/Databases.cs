using System.Reflection;
using Npgsql;
using Xunit.Sdk;

namespace Guardian.Tests.Persistence;

/// <summary>The PostgreSQL that tests may use; <c>.ci/postgres.sh</c> starts one.</summary>
internal static class Postgres
{
    public const string Variable = "GUARDIAN_TEST_POSTGRES";

    public static string? Server { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? text : null;

    /// <summary>Why a test is skipped; null where there is a server.</summary>
    public static string? Missing => Server is null ? $"needs PostgreSQL: eval \"$(.ci/postgres.sh start)\" sets {Variable}" : null;

    /// <summary>A database of its own; give the connection string to <see cref="Drop"/> in the end.</summary>
    public static string Create()
    {
        var name = "guardian_" + Guid.NewGuid().ToString("N");
        Run($"create database {name}");
        return new NpgsqlConnectionStringBuilder(Server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
    }

    public static void Drop(string connectionString)
    {
        using (var pooled = new NpgsqlConnection(connectionString)) NpgsqlConnection.ClearPool(pooled);
        Run($"drop database if exists {new NpgsqlConnectionStringBuilder(connectionString).Database} with (force)");
    }

    public static void Run(string sql)
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Server) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}

/// <summary>A fact that needs PostgreSQL; skips itself with the reason where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = Postgres.Missing;
}

/// <summary>A theory's row <c>"sqlite"</c>, with what else the test takes.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class OnSqliteAttribute(params object[] more) : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [["sqlite", .. more]];
}

/// <summary>A theory's row <c>"postgres"</c>, with what else the test takes; skipped with the reason where there is none.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class OnPostgresAttribute : DataAttribute
{
    private readonly object[] _more;

    public OnPostgresAttribute(params object[] more) => (_more, Skip) = (more, Postgres.Missing);

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [["postgres", .. _more]];
}
