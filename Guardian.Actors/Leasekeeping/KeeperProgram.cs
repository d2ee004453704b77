using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// <c>guardian leasekeeper --directory &lt;data&gt;/leases --node &lt;pid&gt;:&lt;start&gt; --longest &lt;seconds&gt;</c>: started by a node, by nobody else.
/// It leaves the node's session and ignores signals to end: what it must do is over when the node is.
/// </summary>
internal static class KeeperProgram
{
    public const string Command = "leasekeeper";

    /// <summary>A predecessor ends within moments of its node; one that does not is reported.</summary>
    private static readonly TimeSpan LockWithin = TimeSpan.FromSeconds(20);

    /// <summary>Arguments for the node that is <paramref name="node"/>.</summary>
    public static string[] Arguments(string directory, ProcessIdentity node, TimeSpan longest) =>
        [Command, "--directory", directory, "--node", node.ToString(), "--longest", longest.TotalSeconds.ToString(CultureInfo.InvariantCulture)];

    /// <summary>The exit code: 0 done, 2 wrong usage, 1 the folder cannot be used.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextReader input, TextWriter output, TextWriter error)
    {
        var directory = Value(arguments, "--directory");
        if (directory is null || !ProcessIdentity.TryParse(Value(arguments, "--node"), out var node)
            || !double.TryParse(Value(arguments, "--longest"), CultureInfo.InvariantCulture, out var longest))
        {
            await error.WriteLineAsync($"{Command} is started by a node: --directory, --node and --longest are needed").ConfigureAwait(false);
            return 2;
        }

        if (Posix.Unsupported is { } reason)
        {
            await error.WriteLineAsync(reason).ConfigureAwait(false);
            return 1;
        }

        Posix.LeaveSession();
        PosixSignal[] ignored = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];
        var signals = ignored.Select(x => PosixSignalRegistration.Create(x, context => context.Cancel = true)).ToList();
        try
        {
            var files = new LeaseFiles(directory);
            using var held = await LockAsync(directory, node).ConfigureAwait(false);
            var gate = new Lock();
            void Answer(KeeperReply reply)
            {
                lock (gate)
                {
                    output.WriteLine(JsonSerializer.Serialize(reply, LeasekeepingJson.Default.KeeperReply)); // a reader that died is no error on a console stream
                    output.Flush();
                }
            }

            using var keeper = new Keeper(node, files, TimeSpan.FromSeconds(longest), TimeProvider.System, Answer, new KeeperLog(Path.Combine(directory, "keeper.log")));
            await keeper.RunAsync(input).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"{directory} cannot be used: {e.Message}").ConfigureAwait(false);
            return 1;
        }
        finally
        {
            foreach (var signal in signals) signal.Dispose();
        }
    }

    /// <summary>One keeper per folder: the lock ends with its process, however that ends.</summary>
    private static async Task<FileStream> LockAsync(string directory, ProcessIdentity node)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(directory, "keeper.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (node.Alive && TimeProvider.System.GetElapsedTime(began) < LockWithin)
            {
                await Task.Delay(20).ConfigureAwait(false);
            }
        }
    }

    private static string? Value(IReadOnlyList<string> arguments, string name)
    {
        for (var i = 0; i + 1 < arguments.Count; i++)
        {
            if (arguments[i] == name) return arguments[i + 1];
        }

        return null;
    }
}
