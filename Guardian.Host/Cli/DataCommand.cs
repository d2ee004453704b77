using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Backup;
using Guardian.Actors.Persistence;
using Guardian.Playbooks.Model;
using Microsoft.Data.Sqlite;

namespace Guardian.Host.Cli;

/// <summary><c>guardian data …</c>: works on the database and the data directory that are configured here, beside a running node where it only reads.</summary>
internal static class DataCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("data", "The journal: backup, restore, verify, prune");
        command.Add(Backup(options));
        command.Add(Restore(options));
        command.Add(Verify(options));
        command.Add(Prune(options));
        return command;
    }

    private static Command Backup(CliOptions options)
    {
        var file = new Argument<string>("file") { Description = "Where to write it; must not exist" };
        var command = new Command("backup", "Write journal, snapshots and tickets into one file; the node may be running") { file };
        command.SetAction(parsed => Guarded(() =>
        {
            var (output, configured) = (options.Output(parsed), options.Configured);
            var target = parsed.GetRequiredValue(file);
            var content = JournalBackup.Write(Database(options), Data(options), configured.Tasks.File, target, TimeProvider.System.GetUtcNow());
            Say(output, $"{content.Events} events and {content.Snapshots} snapshots are in {Path.GetFullPath(target)}",
                x => { x.WriteNumber("events", content.Events); x.WriteNumber("snapshots", content.Snapshots); x.WriteString("file", Path.GetFullPath(target)); });
            return ExitCodes.Done;
        }));
        return command;
    }

    private static Command Restore(CliOptions options)
    {
        var file = new Argument<string>("file") { Description = "A file that 'data backup' wrote" };
        var command = new Command("restore", "Fill an empty data directory and database; the node that starts on them is held until 'guardian resume'") { file };
        command.SetAction((parsed, _) => GuardedAsync(async () =>
        {
            var content = await JournalRestore.ReadAsync(parsed.GetRequiredValue(file), options.Configured, TimeProvider.System);
            Say(options.Output(parsed), $"{content.Events} events and {content.Snapshots} snapshots of {content.MadeAt:O} are restored into {Data(options)}. The node is held: look at 'guardian runs', then 'guardian resume'",
                x => { x.WriteNumber("events", content.Events); x.WriteNumber("snapshots", content.Snapshots); x.WriteString("madeAt", content.MadeAt); x.WriteString("node", content.Node); });
            return ExitCodes.Done;
        }));
        return command;
    }

    private static Command Verify(CliOptions options)
    {
        var file = new Argument<string?>("file") { Description = "A backup; without it the journal that is configured here", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("verify", "Read every event: numbers, manifests, contents, and whether incidents and runs agree; exit code 1 on any problem") { file };
        command.SetAction(parsed => Guarded(() =>
        {
            using var view = parsed.GetValue(file) is { } backup ? JournalView.Open(JournalBackup.Open(backup).Connection) : JournalView.Open(Database(options));
            var report = JournalVerifier.Verify(view);
            var output = options.Output(parsed);
            foreach (var problem in report.Problems) output.Line(problem);
            Say(output, $"{report.Events} events of {report.Entities} entities, {report.Incidents} incidents, {report.Runs} runs, {report.Unfinished} of them unfinished: {(report.Problems.Count == 0 ? "no problem found" : $"{report.Problems.Count} problems")}",
                x =>
                {
                    x.WriteNumber("events", report.Events);
                    x.WriteNumber("entities", report.Entities);
                    x.WriteNumber("incidents", report.Incidents);
                    x.WriteNumber("runs", report.Runs);
                    x.WriteNumber("unfinished", report.Unfinished);
                    x.WriteStartArray("problems");
                    foreach (var problem in report.Problems) x.WriteStringValue(problem);
                    x.WriteEndArray();
                });
            return report.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.Negative;
        }));
        return command;
    }

    private static Command Prune(CliOptions options)
    {
        var dry = new Option<bool>("--dry-run") { Description = "Say what would go" };
        var command = new Command("prune", "What retention would let go now; the running node does it by itself") { dry };
        command.SetAction(parsed => Guarded(() =>
        {
            if (!parsed.GetValue(dry)) throw new CliException(ExitCodes.Usage, "prune: only --dry-run; the running node prunes by itself, as Guardian:Retention says");
            var (configured, projection) = (options.Configured.Retention, Path.Combine(Data(options), "projection.db"));
            if (!File.Exists(projection)) throw new CliException(ExitCodes.Negative, $"{projection} does not exist: no node has run on this data directory yet");
            var before = TimeProvider.System.GetUtcNow() - configured.Closed;
            var (incidents, _) = RetentionPlan.Count(projection, before);
            var bytes = new JournalPruner(Database(options)).Bytes();
            var large = bytes > ByteSize.Parse(configured.MaxBytes).Bytes;
            Say(options.Output(parsed), string.Create(CultureInfo.InvariantCulture,
                $"{incidents} incidents ended before {before:O} and would go with their runs; the database has {bytes} bytes, {(large ? "more" : "less")} than {configured.MaxBytes}{(large ? ": the oldest younger ones would follow" : "")}"),
                x => { x.WriteNumber("incidents", incidents); x.WriteString("endedBefore", before); x.WriteNumber("bytes", bytes); x.WriteString("maxBytes", configured.MaxBytes); });
            return ExitCodes.Done;
        }));
        return command;
    }

    private static string Data(CliOptions options) => Path.GetFullPath(options.Configured.Node.DataDirectory);

    private static JournalDatabase Database(CliOptions options) => JournalDatabase.From(options.Configured.Persistence, Data(options));

    private static void Say(CliOutput output, string text, Action<Utf8JsonWriter> json)
    {
        output.Line(text);
        if (!output.Json) return;
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            json(writer);
            writer.WriteEndObject();
        }

        output.Writer.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static int Guarded(Func<int> work) => GuardedAsync(() => Task.FromResult(work())).GetAwaiter().GetResult();

    private static async Task<int> GuardedAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException or System.Data.Common.DbException)
        {
            throw new CliException(ExitCodes.Negative, e.Message);
        }
    }
}
