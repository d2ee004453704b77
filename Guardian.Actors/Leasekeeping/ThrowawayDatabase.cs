using Npgsql;

namespace Guardian.Actors.Leasekeeping;

/// <summary>A PostgreSQL database that lives as long as what it was made for.</summary>
internal static class ThrowawayDatabase
{
    private const string Prefix = "guardian_chaos_";
    private const int AnswerWithinSeconds = 5;

    /// <summary>A name that nobody has.</summary>
    public static string NewName() => Prefix + Guid.NewGuid().ToString("N");

    public static bool IsName(string name) => name.Length is > 15 and <= 63 && name.StartsWith(Prefix, StringComparison.Ordinal) && name.All(x => x is '_' or (>= 'a' and <= 'z') or (>= '0' and <= '9'));

    /// <exception cref="NpgsqlException">The server does not answer, or its user may not create databases.</exception>
    public static Task CreateAsync(string server, string name, CancellationToken cancellation) => RunAsync(server, $"create database {Checked(name)}", cancellation);

    /// <summary>Also while somebody is connected to it; done where there is none.</summary>
    /// <exception cref="NpgsqlException">The server does not answer.</exception>
    public static Task DropAsync(string server, string name) => RunAsync(server, $"drop database if exists {Checked(name)} with (force)", CancellationToken.None);

    private static string Checked(string name) => IsName(name) ? name : throw new ArgumentException($"'{name}' is not a throw-away database of Guardian's", nameof(name));

    private static async Task RunAsync(string server, string sql, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false, Timeout = AnswerWithinSeconds, CommandTimeout = 4 * AnswerWithinSeconds }.ConnectionString);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellation).ConfigureAwait(false);
#pragma warning disable CA2100 // a checked name
            var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            await using (command.ConfigureAwait(false)) await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
    }
}
