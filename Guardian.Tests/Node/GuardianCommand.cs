using System.Diagnostics;

namespace Guardian.Tests.Node;

/// <summary>The command line as a user runs it: a process, its exit code and everything it printed.</summary>
internal static class GuardianCommand
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunAsync(Path.GetTempPath(), arguments);

    public static async Task<(int ExitCode, string Output)> RunAsync(string directory, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "guardian.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var timeout = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"guardian {string.Join(' ', arguments)} did not end: {await output}{await error}");
        }

        return (process.ExitCode, await output + await error);
    }
}
