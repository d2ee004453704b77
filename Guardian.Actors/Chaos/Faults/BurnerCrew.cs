using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>
/// Processes that burn the processor once they are told to. Until then they wait for a word on their standard input, so that who
/// they are can be on disk first; when whoever started them dies before that, they read its end and go.
/// </summary>
internal sealed class BurnerCrew : IDisposable
{
    private const string Stress = "stress-ng";

    private readonly List<Process> _started;

    private BurnerCrew(List<Process> started, IReadOnlyList<ProcessIdentity> processes) => (_started, Processes) = (started, processes);

    public IReadOnlyList<ProcessIdentity> Processes { get; }

    /// <param name="count">Cores to keep busy.</param>
    /// <param name="length">They end by themselves after this.</param>
    /// <param name="whole">All of each core, so that a tool made for it can be used.</param>
    /// <exception cref="InvalidOperationException">They cannot be started.</exception>
    public static BurnerCrew Prepare(int count, TimeSpan length, bool whole)
    {
        var seconds = (int)Math.Ceiling(length.TotalSeconds);
        // A loop of our own ends at a limit of processor time, which the system keeps: nobody need be alive for that.
        IReadOnlyList<string> commands = whole && Installed(Stress)
            ? [string.Create(CultureInfo.InvariantCulture, $"read go && exec {Stress} --quiet --cpu {count} --timeout {seconds}s")]
            : [.. Enumerable.Repeat(string.Create(CultureInfo.InvariantCulture, $"ulimit -t {seconds}; read go && while :; do :; done"), count)];
        var started = new List<Process>(commands.Count);
        try
        {
            foreach (var command in commands)
            {
                var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardInput = true };
                started.Add(Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start"));
            }

            var processes = started.Select(x => ProcessIdentity.Of(x.Id) ?? throw new InvalidOperationException("a burner ended at once")).ToList();
            return new BurnerCrew(started, processes);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            End(started);
            throw new InvalidOperationException($"the burners cannot be started: {e.Message}", e);
        }
    }

    public void Begin()
    {
        foreach (var process in _started)
        {
            process.StandardInput.WriteLine("go");
            process.StandardInput.Flush();
        }
    }

    public void Signal(int signal)
    {
        foreach (var process in Processes) Posix.Signal(process, signal);
    }

    /// <summary>Closes their input without a word, as the death of this process does.</summary>
    internal void Abandon()
    {
        foreach (var process in _started) process.StandardInput.Close();
    }

    /// <summary>Kills them with all that they started.</summary>
    public void Dispose() => End(_started);

    private static void End(List<Process> started)
    {
        foreach (var process in started)
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // It has ended.
            }

            process.Dispose();
        }
    }

    private static bool Installed(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(x => x.Length > 0 && File.Exists(Path.Combine(x, program)));
}
