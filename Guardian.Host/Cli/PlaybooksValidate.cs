using System.CommandLine;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks validate</c>: every error of every file as <c>file:line:column: message</c>, and warnings.</summary>
internal static class PlaybooksValidate
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var path = PlaybooksCommand.Path();
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("validate", "All errors and warnings of all playbooks; exit code 1 on any error") { path, format };
        command.SetAction(parsed =>
        {
            var output = options.Output(parsed);
            var known = vocabulary();
            var result = PlaybooksCommand.Load(options, parsed.GetValue(path), known);
            var (mode, autonomy) = (options.Configured.Mode, options.Configured.Autonomy);
            List<FileError> warnings = [.. result.Playbooks.SelectMany(x =>
                PlaybookAdvice.Of(x, known, risk => (OperatingMode)Math.Min((int)mode, (int)autonomy.For(risk))))];
            if (output.Json || parsed.GetValue(format) == "json") WriteJson(output, result, warnings);
            else WriteText(output, result, warnings);
            return result.Errors.Count == 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static void WriteText(CliOutput output, PlaybookLoadResult result, IReadOnlyList<FileError> warnings)
    {
        foreach (var error in result.Errors) output.Writer.WriteLine(error.ToString());
        foreach (var warning in warnings) output.Writer.WriteLine((warning with { Message = "warning: " + warning.Message }).ToString());
        foreach (var playbook in result.Playbooks) output.Writer.WriteLine($"ok: {playbook.Name} version {playbook.Version} ({playbook.Hash[..12]})");
    }

    private static void WriteJson(CliOutput output, PlaybookLoadResult result, IReadOnlyList<FileError> warnings) => output.Writer.WriteLine(new JsonObject
    {
        ["valid"] = result.Errors.Count == 0,
        ["playbooks"] = new JsonArray([.. result.Playbooks.Select(x => (JsonNode)new JsonObject { ["name"] = x.Name, ["version"] = x.Version, ["hash"] = x.Hash })]),
        ["errors"] = List(result.Errors),
        ["warnings"] = List(warnings),
    }.ToJsonString());

    private static JsonArray List(IEnumerable<FileError> items) =>
        [.. items.Select(x => (JsonNode)new JsonObject { ["file"] = x.File, ["line"] = x.Line, ["column"] = x.Column, ["message"] = x.Message })];
}
