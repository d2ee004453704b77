using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Leasekeeping;
using Npgsql;

namespace Guardian.Host.Chaos;

/// <summary>A database for one drill. Its end is secured before it is made: when this process dies, the leasekeeper drops it.</summary>
internal sealed class ThrowawayDatabaseLease : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly string _server;
    private readonly string _name;
    private readonly string _folder;
    private readonly ILeasekeeper _keeper;

    private ThrowawayDatabaseLease(string server, string name, string folder, ILeasekeeper keeper)
    {
        (_server, _name, _folder, _keeper) = (server, name, folder, keeper);
        Direct = new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
    }

    /// <summary>Connection string of the database itself.</summary>
    public string Direct { get; }

    /// <param name="server">Connection string of the server.</param>
    /// <param name="folder">Of the drill; deleted with the database when this process dies.</param>
    /// <param name="keeper">Who does that.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ChaosUnsupportedException">The server lets nobody make one.</exception>
    public static async Task<ThrowawayDatabaseLease> TakeAsync(string server, string folder, ILeasekeeper keeper, CancellationToken cancellation)
    {
        var lease = new ThrowawayDatabaseLease(server, ThrowawayDatabase.NewName(), folder, keeper);
        if (keeper.Unsupported is null)
        {
            var file = Path.Combine(folder, "postgres");
            var secret = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) secret.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var stream = new FileStream(file, secret))
            await using (var writer = new StreamWriter(stream)) await writer.WriteAsync(server);
            try
            {
                await keeper.TakeAsync(new OsLease { Id = folder, Owner = "chaos", Reason = "throw-away database", For = Longest, Undo = [new DropDatabase(lease._name, file), new DeletePath(folder)] }, cancellation);
            }
            catch (LeaseRefusedException e)
            {
                throw new ChaosTargetException($"the end of the drill's database cannot be secured, so it is not made: {e.Message}", e);
            }
        }

        try
        {
            await ThrowawayDatabase.CreateAsync(server, lease._name, cancellation);
            return lease;
        }
        catch (NpgsqlException e)
        {
            await lease.ForgetAsync();
            throw new ChaosUnsupportedException($"PostgreSQL makes no database for the drill: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var pooled = new NpgsqlConnection(Direct)) NpgsqlConnection.ClearPool(pooled);
        try
        {
            await ThrowawayDatabase.DropAsync(_server, _name);
        }
        catch (NpgsqlException)
        {
            return; // the keeper drops it at the lease's end, or when this process ends
        }

        File.Delete(Path.Combine(_folder, "postgres")); // with the server's password in it
        await ForgetAsync();
    }

    private async Task ForgetAsync()
    {
        try
        {
            await _keeper.ForgetAsync(_folder, CancellationToken.None);
        }
        catch (LeaseRefusedException)
        {
            // At the lease's end it finds the database gone.
        }
    }
}
