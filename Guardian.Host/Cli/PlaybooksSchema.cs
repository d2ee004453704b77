using System.CommandLine;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Schema;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks schema</c>: the JSON schema for editors; with <c>--url</c> that of a running node, its application's actions included.</summary>
internal static class PlaybooksSchema
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var command = new Command("schema", $"The JSON schema of playbooks for editors ({PlaybookSchema.FileName}); with --url with what a node's application registered");
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = options.Output(parsed);
            if (parsed.GetValue(options.Url) is null)
            {
                await output.Writer.WriteAsync(PlaybookSchema.Generate(vocabulary()));
                return ExitCodes.Done;
            }

            using var client = options.Client(parsed);
            output.JsonLine(await client.GetAsync("api/v1/playbooks/schema", cancellation));
            return ExitCodes.Done;
        });
        return command;
    }
}
