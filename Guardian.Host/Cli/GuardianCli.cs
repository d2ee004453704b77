using System.CommandLine;
using System.CommandLine.Parsing;
using Guardian.Host.Hosting;

namespace Guardian.Host.Cli;

/// <summary>The command line: <c>guardian &lt;command&gt;</c>; without a command it runs the node.</summary>
internal static class GuardianCli
{
    /// <summary>Under <c>chaos</c> every code is a verdict; usage is the harness's own error.</summary>
    private const int ChaosUsage = 6;

    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var (overrides, rest) = NodeConfiguration.Split(args);
        var root = Create(overrides);
        var parsed = root.Parse(rest, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors) await error.WriteLineAsync(problem.Message);
            await error.WriteLineAsync("guardian --help shows the commands");
            return IsChaos(parsed.CommandResult) ? ChaosUsage : ExitCodes.Usage;
        }

        // Signals are the host's: it needs up to 90 s to shut down in order, not the parser's two.
        var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await parsed.InvokeAsync(configuration, cancellation);
        }
        catch (CliException e)
        {
            await error.WriteLineAsync(e.Message);
            return IsChaos(parsed.CommandResult) ? ChaosUsage : e.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Done; // Ctrl-C ends a stream
        }
    }

    private static bool IsChaos(SymbolResult? result) =>
        result is CommandResult { Command.Name: "chaos" } || result is not null && IsChaos(result.Parent);

    public static RootCommand Create(IReadOnlyList<string> overrides)
    {
        var options = new CliOptions(overrides);
        var root = new RootCommand("Guardian keeps an Akka.NET cluster healthy by itself. Without a command it runs the node. Every option of the node may be given as --Guardian:<Key>=<value>.");
        root.Add(options.Url);
        root.Add(options.Key);
        root.Add(options.Json);
        root.Add(RunCommand.Create(options));
        root.Add(StatusCommand.Create(options));
        root.Add(KernelsCommand.Create(options));
        root.Add(IncidentsCommand.Create(options));
        root.Add(RunsCommand.Create(options));
        foreach (var verb in (string[])["approve", "reject", "cancel"]) root.Add(RunsCommand.Direct(options, verb));
        root.Add(BlacklistCommand.Create(options));
        root.Add(MitigationsCommand.Create(options));
        root.Add(SilenceCommand.Create(options));
        root.Add(ModeCommand.Create(options));
        root.Add(ModeCommand.Hold(options));
        root.Add(ModeCommand.Resume(options));
        root.Add(EventsCommand.Create(options));
        root.Add(PolicyCommand.Create(options));
        root.Add(PlaybooksCommand.Create(options, CliVocabulary.Make));
        root.Add(KeysCommand.Create(options));
        root.Add(DataCommand.Create(options));
        root.Add(DemoCommand.Create(options));
        root.Add(ChaosCommand.Create(options));
        root.Add(ReplayCommand.Create(options));
        RunCommand.SetRun(root, options);
        return root;
    }
}

/// <summary>A command cannot go on; the message says why, without a stack trace.</summary>
internal sealed class CliException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
