using System.CommandLine;

namespace Guardian.Host.Cli;

/// <summary><c>guardian run</c>: the node.</summary>
internal static class RunCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("run", "Run the node (what happens without a command, too)");
        SetRun(command, options);
        return command;
    }

    public static void SetRun(Command command, CliOptions options) => command.SetAction((parsed, cancellation) =>
    {
        // --url says where a running node is; here it would be read as where to listen, and silently not be.
        if (parsed.GetValue(options.Url) is not null) throw new CliException(ExitCodes.Usage, "run: use --Guardian:Http:Url=… to say where to listen");
        return NodeHost.RunAsync(options.Overrides, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
    });
}
