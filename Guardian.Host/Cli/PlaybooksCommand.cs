using System.CommandLine;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks validate</c>: every error of every file, as <c>file:line:column: message</c>.</summary>
internal static class PlaybooksCommand
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var command = new Command("playbooks", "Playbooks");
        command.Add(Validate(options, vocabulary));
        return command;
    }

    private static Command Validate(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var path = new Argument<string?>("path") { Description = "File or folder, by default Guardian:Files:Playbooks", Arity = ArgumentArity.ZeroOrOne };
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("validate", "All errors of all playbooks; exit code 1 on any") { path, format };
        command.SetAction(parsed =>
        {
            var output = options.Output(parsed);
            var result = Load(ShippedFiles.Find(parsed.GetValue(path) ?? options.Configured.Files.Playbooks), vocabulary());
            if (output.Json || parsed.GetValue(format) == "json") WriteJson(output, result);
            else WriteText(output, result);
            return result.Errors.Count == 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static PlaybookLoadResult Load(string path, Vocabulary vocabulary)
    {
        if (!File.Exists(path)) return PlaybookLoader.LoadDirectory(path, vocabulary);
        try
        {
            return PlaybookLoader.Load([(path, File.ReadAllText(path))], vocabulary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new PlaybookLoadResult([], [new FileError(path, 0, 0, $"cannot be read: {e.Message}")]);
        }
    }

    private static void WriteText(CliOutput output, PlaybookLoadResult result)
    {
        foreach (var error in result.Errors) output.Writer.WriteLine(error.ToString());
        foreach (var playbook in result.Playbooks) output.Writer.WriteLine($"ok: {playbook.Name} version {playbook.Version} ({playbook.Hash[..12]})");
    }

    private static void WriteJson(CliOutput output, PlaybookLoadResult result) => output.Writer.WriteLine(new JsonObject
    {
        ["valid"] = result.Errors.Count == 0,
        ["playbooks"] = new JsonArray([.. result.Playbooks.Select(x => (JsonNode)new JsonObject { ["name"] = x.Name, ["version"] = x.Version, ["hash"] = x.Hash })]),
        ["errors"] = new JsonArray([.. result.Errors.Select(x => (JsonNode)new JsonObject { ["file"] = x.File, ["line"] = x.Line, ["column"] = x.Column, ["message"] = x.Message })]),
    }.ToJsonString());
}
