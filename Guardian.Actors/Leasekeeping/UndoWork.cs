using System.ComponentModel;
using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Guardian.Actors.Leasekeeping;

/// <summary>Carries undos out. Identity is checked anew before each signal.</summary>
internal sealed class UndoWork : IDisposable
{
    /// <summary>A killed process is gone from the table within milliseconds, unless it hangs in the kernel.</summary>
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2); // it is repeated
    private static readonly string BootFile = "/proc/sys/kernel/random/boot_id";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = CallTimeout };

    /// <summary>Identifies this boot; processes and mounts of another are gone.</summary>
    public static string Boot { get; } = File.Exists(BootFile) ? File.ReadAllText(BootFile).Trim() : "";

    /// <summary>Null where all is undone; else what is not, and why. Later undos are tried also where an earlier one fails.</summary>
    public async Task<string?> RunAsync(OsLease lease)
    {
        var problems = new List<string>();
        foreach (var undo in lease.Undo)
        {
            try
            {
                if (await OneAsync(undo, lease.Boot == Boot).ConfigureAwait(false) is { } problem) problems.Add(problem);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception or HttpRequestException or DbException or OperationCanceledException or InvalidOperationException)
            {
                problems.Add($"{undo}: {e.Message}");
            }
        }

        return problems.Count == 0 ? null : string.Join("; ", problems);
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> OneAsync(LeaseUndo undo, bool sameBoot)
    {
        switch (undo)
        {
            case ResumeProcess x when sameBoot:
                Posix.Signal(x.Process, Posix.SIGCONT);
                break;
            case KillProcess x when sameBoot:
                return await KillAsync(x.Process).ConfigureAwait(false);
            case ReniceProcess x when sameBoot:
                Posix.Renice(x.Process, x.Nice);
                break;
            case KillKernels x when sameBoot:
                await Kernels.Processes.KernelLeftovers.EndAsync(x.DataDirectory).ConfigureAwait(false);
                break;
            case Unmount x when sameBoot:
                Posix.Unmount(x.Path);
                break;
            case RestoreFile x when File.Exists(x.Path):
                await File.WriteAllTextAsync(x.Path, x.Content).ConfigureAwait(false);
                break;
            case ClearImmutable x when File.Exists(x.Path):
                Posix.SetImmutable(x.Path, false);
                break;
            case DeletePath x:
                Delete(x.Path);
                break;
            case DropDatabase x when File.Exists(x.ConnectionFile):
                await ThrowawayDatabase.DropAsync((await File.ReadAllTextAsync(x.ConnectionFile).ConfigureAwait(false)).Trim(), x.Name).ConfigureAwait(false);
                break;
            case CallLoopback x:
                return await CallAsync(x).ConfigureAwait(false);
        }

        return null;
    }

    private static async Task<string?> KillAsync(ProcessIdentity process)
    {
        if (!Posix.Signal(process, Posix.SIGKILL)) return null;
        var began = TimeProvider.System.GetTimestamp();
        while (process.Alive)
        {
            if (TimeProvider.System.GetElapsedTime(began) > GoneWithin) return string.Create(CultureInfo.InvariantCulture, $"process {process.Pid} does not end");
            await Task.Delay(5).ConfigureAwait(false);
        }

        return null;
    }

    private static void Delete(string path)
    {
        if (path.StartsWith("/sys/fs/cgroup/", StringComparison.Ordinal))
        {
            DeleteCgroup(path);
            return;
        }

        try
        {
            if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
        catch (DirectoryNotFoundException) when (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            // It has gone with the folder around it, which may be another lease's.
        }
    }

    /// <summary>The files in a cgroup cannot be deleted and go with it.</summary>
    private static void DeleteCgroup(string path)
    {
        if (!Directory.Exists(path)) return;
        foreach (var child in Directory.EnumerateDirectories(path)) DeleteCgroup(child);
        Directory.Delete(path);
    }

    private async Task<string?> CallAsync(CallLoopback call)
    {
        using var request = new HttpRequestMessage(new HttpMethod(call.Method), call.Url);
        if (call.KeyFile is { } file && File.Exists(file))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(file).ConfigureAwait(false)).Trim());
        try
        {
            using var response = await _http.SendAsync(request).ConfigureAwait(false);
            return response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"{call.Method} {call.Url} answered {(int)response.StatusCode}");
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return null;
        }
    }
}
