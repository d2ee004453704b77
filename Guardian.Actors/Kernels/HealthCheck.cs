using System.Globalization;
using System.Net.Sockets;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Kernels;

/// <summary>Asks a process whether it lives or is ready. Never throws for a no; not thread-safe: one question at a time.</summary>
internal abstract class HealthCheck
{
    /// <summary>Between questions about readiness: short, it is part of the start-up time.</summary>
    public static readonly TimeSpan ReadyEvery = TimeSpan.FromMilliseconds(50);

    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseProxy = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    public static HealthCheck Of(HealthProbe probe, TimeSpan within) => probe.Kind switch
    {
        ProbeKind.Http => new Http(new Uri(probe.Target), within),
        ProbeKind.Tcp => new Tcp(probe.Target, within),
        ProbeKind.Exec => new Exec(probe.Command ?? [], within),
        ProbeKind.File => new WrittenFile(probe.Target),
        _ => new Alive(),
    };

    public Task<bool> PassesAsync(ProcessInstance instance) =>
        instance.Identity.Alive && !ProcessTable.IsStopped(instance.Identity) ? AskAsync(instance) : Task.FromResult(false);

    protected abstract Task<bool> AskAsync(ProcessInstance instance);

    private sealed class Alive : HealthCheck
    {
        protected override Task<bool> AskAsync(ProcessInstance instance) => Task.FromResult(true);
    }

    private sealed class Http(Uri address, TimeSpan within) : HealthCheck
    {
        protected override async Task<bool> AskAsync(ProcessInstance instance)
        {
            using var timeout = new CancellationTokenSource(within);
            try
            {
                using var answer = await Client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
                return (int)answer.StatusCode < 400;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                return false;
            }
        }
    }

    private sealed class Tcp(string target, TimeSpan within) : HealthCheck
    {
        private readonly string _host = target[..target.LastIndexOf(':')];
        private readonly int _port = int.Parse(target.AsSpan(target.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);

        protected override async Task<bool> AskAsync(ProcessInstance instance)
        {
            using var timeout = new CancellationTokenSource(within);
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(_host, _port, timeout.Token).ConfigureAwait(false);
                return true;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                return false;
            }
        }
    }

    private sealed class Exec(IReadOnlyList<string> command, TimeSpan within) : HealthCheck
    {
        protected override async Task<bool> AskAsync(ProcessInstance instance)
        {
            // With the token it is ended together with the instance, should Guardian die meanwhile.
            var (pid, error) = await Task.Run(() => Posix.Spawn(command, [$"{ProcessInstance.TokenVariable}={instance.Record.Token}", $"PATH={Environment.GetEnvironmentVariable("PATH")}"],
                null, "/dev/null", "/dev/null", "/dev/null")).ConfigureAwait(false);
            if (error != 0) return false;
            var ended = Children.Instance.Ended(pid);
            try
            {
                return (await ended.WaitAsync(within).ConfigureAwait(false)).Code == 0;
            }
            catch (TimeoutException)
            {
                Posix.Signal(-pid, Posix.SIGKILL); // it is not reaped before it ended: the number is still its own
                await ended.ConfigureAwait(false);
                return false;
            }
        }
    }

    private sealed class WrittenFile(string path) : HealthCheck
    {
        private DateTime _seen;

        protected override Task<bool> AskAsync(ProcessInstance instance)
        {
            var written = File.GetLastWriteTimeUtc(path); // a file that is not there was written in 1601
            var passes = written > _seen && written >= instance.Record.StartedAt.UtcDateTime.AddSeconds(-1);
            _seen = written;
            return Task.FromResult(passes);
        }
    }
}
