using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Leasekeeping;

/// <summary>A process to do things to, ended with the test.</summary>
internal sealed class Victim : IDisposable
{
    private readonly Process _process;

    private Victim(Process process)
    {
        _process = process;
        Identity = ProcessIdentity.Of(process.Id)!;
    }

    public ProcessIdentity Identity { get; }
    public bool Alive => Identity.Alive;
    public bool Stopped => ProcessStat.TryRead(Identity.Pid, out var stat) && stat.Stopped;
    public int Nice => ProcessStat.TryRead(Identity.Pid, out var stat) ? stat.Nice : throw new InvalidOperationException("gone");

    public static Victim Start(string program = "sleep", params string[] arguments) => new(Process.Start(program, arguments.Length > 0 ? arguments : ["1000"]));

    /// <summary>SIGSTOP, and waits until it shows.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("STOP");
        await Eventually.HoldsAsync(() => Stopped);
    }

    public Task SignalAsync(string signal) => SignalAsync(signal, Identity.Pid);

    public static async Task SignalAsync(string signal, int pid)
    {
        using var kill = Process.Start("kill", ["-" + signal, "--", pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}

internal static class Eventually
{
    /// <summary>Awaits a condition; the deadline is for a loaded machine.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string what = "", double seconds = 30)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"not within {seconds} s: {what}");
            }
        }
    }
}
