using System.CommandLine;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Testing;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks test</c>: the tests that stand in the playbooks' files, without a node and in virtual time.</summary>
internal static class PlaybooksTest
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var path = PlaybooksCommand.Path();
        var command = new Command("test", "Runs the playbooks' own tests in virtual time; exit code 1 on any failure") { path };
        command.SetAction(parsed =>
        {
            var output = options.Output(parsed);
            var known = vocabulary();
            var loaded = PlaybooksCommand.Load(options, parsed.GetValue(path), known);
            List<PlaybookTestResult> results = loaded.Errors.Count > 0 ? [] : [.. loaded.Playbooks.SelectMany(x => PlaybookTester.Run(x, known))];
            if (output.Json) WriteJson(output, results, loaded.Errors.Select(x => x.ToString()));
            else WriteText(output, results, loaded.Errors.Select(x => x.ToString()), loaded.Playbooks);
            return loaded.Errors.Count == 0 && results.TrueForAll(x => x.Passed) ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static void WriteText(CliOutput output, List<PlaybookTestResult> results, IEnumerable<string> errors, IReadOnlyList<Playbook> playbooks)
    {
        foreach (var error in errors) output.Writer.WriteLine(error);
        foreach (var result in results)
        {
            if (result.Passed)
            {
                output.Writer.WriteLine($"passed: {result.Playbook.Name}: {result.Test.Name}");
                continue;
            }

            foreach (var failure in result.Failures) output.Writer.WriteLine($"{Place(result)}: '{result.Test.Name}': {failure}");
            foreach (var line in result.Explain) output.Writer.WriteLine($"    {line}");
        }

        foreach (var without in playbooks.Where(x => x.Tests.Count == 0)) output.Writer.WriteLine($"no tests: {without.Name}");
        output.Writer.WriteLine($"{results.Count(x => x.Passed)} passed, {results.Count(x => !x.Passed)} failed");
    }

    private static void WriteJson(CliOutput output, List<PlaybookTestResult> results, IEnumerable<string> errors) => output.Writer.WriteLine(new JsonObject
    {
        ["passed"] = results.Count(x => x.Passed),
        ["failed"] = results.Count(x => !x.Passed),
        ["errors"] = Texts(errors),
        ["tests"] = new JsonArray([.. results.Select(x => (JsonNode)new JsonObject
        {
            ["playbook"] = x.Playbook.Name,
            ["name"] = x.Test.Name,
            ["file"] = x.Playbook.File,
            ["line"] = x.Test.At.Line,
            ["column"] = x.Test.At.Column,
            ["passed"] = x.Passed,
            ["failures"] = Texts(x.Failures),
            ["explain"] = Texts(x.Explain),
        })]),
    }.ToJsonString());

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(x => (JsonNode)JsonValue.Create(x))];

    private static string Place(PlaybookTestResult result) => FormattableString.Invariant($"{result.Playbook.File}:{result.Test.At.Line}:{result.Test.At.Column}");
}
