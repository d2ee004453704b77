using System.CommandLine;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian playbooks …</c>.</summary>
internal static class PlaybooksCommand
{
    public static Command Create(CliOptions options, Func<Vocabulary> vocabulary)
    {
        var command = new Command("playbooks", "Playbooks");
        command.Add(PlaybooksValidate.Create(options, vocabulary));
        command.Add(PlaybooksTest.Create(options, vocabulary));
        return command;
    }

    public static Argument<string?> Path() => new("path") { Description = "File or folder, by default Guardian:Files:Playbooks", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>The playbooks of a file or a folder with all their errors.</summary>
    public static PlaybookLoadResult Load(CliOptions options, string? path, Vocabulary vocabulary)
    {
        var found = ShippedFiles.Find(path ?? options.Configured.Files.Playbooks);
        return File.Exists(found) ? PlaybookLoader.LoadFile(Relative(found), vocabulary) : PlaybookLoader.LoadDirectory(Relative(found), vocabulary);
    }

    /// <summary>As people write it: below the working directory without its path.</summary>
    private static string Relative(string path)
    {
        var relative = System.IO.Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
