using System.CommandLine;
using System.Text.Json;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks …</c>.</summary>
internal static class PlaybooksCommand
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var command = new Command("playbooks", "Playbooks; without a command those in force on a node");
        command.Add(PlaybooksValidate.Create(options, vocabulary));
        command.Add(PlaybooksTest.Create(options, vocabulary));
        command.Add(PlaybooksSchema.Create(options, vocabulary));
        command.Add(PlaybooksPlan.Create(options, vocabulary));
        command.Add(PlaybooksExplain.Create(options, vocabulary));
        PlaybooksNode.AddTo(command, options);
        return command;
    }

    public static Argument<string?> Path() => new("path") { Description = "File or folder, by default Guardian:Files:Playbooks", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>The playbooks of a file or a folder with all their errors.</summary>
    public static PlaybookLoadResult Load(CliOptions options, string? path, Vocabulary vocabulary)
    {
        var found = ShippedFiles.Find(path ?? options.Configured.Files.Playbooks);
        return File.Exists(found) ? PlaybookLoader.LoadFile(Relative(found), vocabulary) : PlaybookLoader.LoadDirectory(Relative(found), vocabulary);
    }

    /// <summary>The valid playbooks of a file or a folder; their errors go to the error stream.</summary>
    public static IReadOnlyList<Playbook> LoadValid(CliOptions options, string? path, Vocabulary vocabulary, CliOutput output)
    {
        var loaded = Load(options, path, vocabulary);
        foreach (var error in loaded.Errors) output.Problem(error.ToString());
        return loaded.Playbooks;
    }

    /// <summary>An object given on the command line.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static JsonElement JsonObject(string option, string text)
    {
        try
        {
            var json = JsonSerializer.Deserialize(text, CliJson.Default.JsonElement);
            if (json.ValueKind == JsonValueKind.Object) return json;
        }
        catch (JsonException)
        {
            // answered below
        }

        throw new CliException(ExitCodes.Usage, $"{option} takes a JSON object, e.g. {option} '{{ \"type\": \"{BuiltInIncidents.SpamAttack}\", \"principal\": \"rogue\", \"topic\": \"library.x\", \"violations\": 12 }}'");
    }

    /// <summary>The node that a described incident was seen on where nothing says otherwise.</summary>
    public static string NodeName(CliOptions options) => options.Configured.Node.Name is { Length: > 0 } name ? name : "node-1";

    /// <summary>As people write it: below the working directory without its path.</summary>
    private static string Relative(string path)
    {
        var relative = System.IO.Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
