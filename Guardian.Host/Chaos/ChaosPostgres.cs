using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Leasekeeping;
using Npgsql;

namespace Guardian.Host.Chaos;

/// <summary>
/// The PostgreSQL in which clusters of a run have their journals, each in a database of its own: the one that is given, else, where
/// PostgreSQL is installed on this machine, a server of the run's own on a socket in a folder of its own. Asked for once, when a scenario needs it.
/// </summary>
internal sealed class ChaosPostgres(string? given, string? programs, ILeasekeeper keeper, TimeProvider time) : IAsyncDisposable
{
    /// <summary>A connection string in it is as good as one on the command line, and nobody else sees it.</summary>
    public const string Variable = "GUARDIAN_CHAOS_POSTGRES";

    private const string Debian = "/usr/lib/postgresql";
    private const string Account = "postgres"; // of Debian's package: the server refuses to run as root
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1); // the keeper's longest lease; a run of all scenarios takes ten minutes

    private readonly Lock _gate = new();
    private Task<string>? _server;
    private Process? _process;
    private string? _home;

    /// <summary>Folder of PostgreSQL's programs on this machine; null where it is not installed.</summary>
    public static string? Installed => Directory.Exists(Debian)
        ? Directory.EnumerateDirectories(Debian).Select(x => Path.Combine(x, "bin")).Where(x => File.Exists(Path.Combine(x, "initdb"))).OrderBy(x => x, StringComparer.Ordinal).LastOrDefault()
        : null;

    /// <summary>Connection string of the server.</summary>
    /// <exception cref="ChaosUnsupportedException">There is none, or it does not answer.</exception>
    public Task<string> ServerAsync(CancellationToken cancellation)
    {
        lock (_gate) return _server ??= FindAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        if (_home is null) return;
        Directory.Delete(_home, recursive: true);
        await ForgetAsync(_home);
    }

    private async Task<string> FindAsync(CancellationToken cancellation)
    {
        if (given is not null)
        {
            if (await AnswerAsync(given, cancellation) is { } reason) throw new ChaosUnsupportedException($"the PostgreSQL that was given does not answer: {reason}");
            return given;
        }

        if (programs is null || Posix.Unsupported is not null)
            throw new ChaosUnsupportedException($"needs PostgreSQL: give one with --postgres or {Variable} (its user must be allowed to create databases), or install it on this machine");
        return await StartAsync(programs, cancellation);
    }

    private async Task<string> StartAsync(string bin, CancellationToken cancellation)
    {
        // Short: a socket's path has 107 characters at most.
        var home = Directory.CreateTempSubdirectory("guardian-chaos-pg-").FullName;
        _home = home;
        await TakeAsync(new OsLease { Id = home, Owner = "chaos", Reason = "PostgreSQL of a chaos run", For = Longest, Undo = [new DeletePath(home)] }, cancellation);
        if (Posix.IsRoot) await RunAsync("chown", [Account, home], cancellation);
        var data = Path.Combine(home, "data");
        await RunAsync(AsOwner(Path.Combine(bin, "initdb"), "-D", data, "-U", "guardian", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"), cancellation);
        // Thrown away after the run: nothing needs to reach the disk.
        var (file, arguments) = AsOwner(Path.Combine(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", $"unix_socket_directories={home}", "-c", "max_connections=200", "-c", "fsync=off", "-c", "full_page_writes=off");
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = home, RedirectStandardError = true, RedirectStandardOutput = true };
        var process = Process.Start(start) ?? throw new ChaosTargetException($"{file} did not start");
        _process = process;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        if (ProcessIdentity.Of(process.Id) is { } identity)
            await TakeAsync(new OsLease { Id = home, Owner = "chaos", Reason = "PostgreSQL of a chaos run", For = Longest, Undo = [new KillProcess(identity), new DeletePath(home)] }, cancellation);
        var server = new NpgsqlConnectionStringBuilder { Host = home, Username = "guardian", Database = "postgres" }.ConnectionString;
        var began = time.GetTimestamp();
        while (await AnswerAsync(server, cancellation) is { } reason)
        {
            if (process.HasExited || time.GetElapsedTime(began) > ReadyWithin) throw new ChaosUnsupportedException($"the PostgreSQL of this machine cannot be started: {reason}");
            await Task.Delay(Poll, time, cancellation);
        }

        return server;
    }

    private static (string File, string[] Arguments) AsOwner(string program, params string[] arguments) => Posix.IsRoot
        ? ("setpriv", [$"--reuid={Account}", $"--regid={Account}", "--init-groups", program, .. arguments])
        : (program, arguments);

    private static Task RunAsync((string File, string[] Arguments) command, CancellationToken cancellation) => RunAsync(command.File, command.Arguments, cancellation);

    private static async Task RunAsync(string file, string[] arguments, CancellationToken cancellation)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { WorkingDirectory = "/", RedirectStandardError = true, RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = await process.StandardError.ReadToEndAsync(cancellation);
            await output;
            await process.WaitForExitAsync(cancellation);
            if (process.ExitCode != 0) throw new ChaosUnsupportedException(string.Create(CultureInfo.InvariantCulture, $"the PostgreSQL of this machine cannot be started: {Path.GetFileName(file)} ended with {process.ExitCode}: {errors.Trim()}"));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ChaosUnsupportedException($"the PostgreSQL of this machine cannot be started: {e.Message}");
        }
    }

    private static async Task<string?> AnswerAsync(string server, CancellationToken cancellation)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false, Timeout = 5 }.ConnectionString);
            await connection.OpenAsync(cancellation);
            return null;
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException or IOException)
        {
            return e.Message;
        }
    }

    private async Task TakeAsync(OsLease lease, CancellationToken cancellation)
    {
        try
        {
            await keeper.TakeAsync(lease, cancellation);
        }
        catch (LeaseRefusedException e)
        {
            throw new ChaosUnsupportedException($"the end of a PostgreSQL of its own cannot be secured: {e.Message}");
        }
    }

    private async Task ForgetAsync(string lease)
    {
        try
        {
            await keeper.ForgetAsync(lease, CancellationToken.None);
        }
        catch (LeaseRefusedException)
        {
            // At the lease's end it finds nothing to do.
        }
    }
}
