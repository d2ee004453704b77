using System.CommandLine;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Reports;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Hosting;
using Guardian.Host.Chaos;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian chaos list|run|coverage|schema</c>. Exit codes are those of the verdicts; usage and an unreachable node are 6.</summary>
internal static class ChaosCommand
{
    private static readonly int Usage = Verdict.HarnessError.ExitCode();

    public static Command Create(CliOptions options) => new("chaos", "Breaks Guardian on purpose and measures how it heals") { List(options), Run(options), CoverageOf(options), Schema() };

    private static Command List(CliOptions options)
    {
        var scenarios = ScenariosOption();
        var command = new Command("list", "Scenarios and their faults") { scenarios };
        command.SetAction(result =>
        {
            var console = ConsoleOf(result.GetValue(options.Json));
            if (Load(Folder(options, result.GetValue(scenarios)), console) is not { } all) return Usage;
            console.List(all);
            return 0;
        });
        return command;
    }

    private static Command CoverageOf(CliOptions options)
    {
        var scenarios = ScenariosOption();
        var playbooks = new Option<string?>("--playbooks") { Description = "Folder of playbooks; default: playbooks, then the shipped ones" };
        var command = new Command("coverage", "Which playbooks, kinds of incident, actions and invariants no scenario exercises; exit code 1 where a playbook is neither exercised nor excused") { scenarios, playbooks };
        command.SetAction(result =>
        {
            var console = ConsoleOf(result.GetValue(options.Json));
            var folder = Folder(options, result.GetValue(scenarios));
            if (Load(folder, console) is not { } all) return Usage;
            var vocabulary = CliVocabulary.Make();
            var loaded = PlaybookLoader.LoadDirectory(result.GetValue(playbooks) ?? ChaosFiles.Playbooks, vocabulary);
            var (reasons, errors) = Coverage.Exceptions(Path.Combine(folder, Coverage.ExceptionsFile));
            foreach (var error in loaded.Errors.Concat(errors)) console.Error(error.ToString());
            if (loaded.Errors.Count + errors.Count > 0) return Usage;
            var rows = Coverage.Of(all, loaded.Playbooks, vocabulary, reasons);
            console.Coverage(rows);
            return Coverage.Missing(rows).Count == 0 ? 0 : Verdict.Fail.ExitCode();
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "The JSON schema of run.json");
        command.SetAction(_ =>
        {
            Console.Out.Write(ReportSchema.Text());
            return 0;
        });
        return command;
    }

    private static Command Run(CliOptions options)
    {
        var ids = new Argument<string[]>("ids") { Arity = ArgumentArity.OneOrMore, Description = "S02 (the scenario of that id), S02_burst (a full name), or all" };
        var seed = new Option<int?>("--seed") { Description = "Repeats a run; default: drawn and printed" };
        var repeat = new Option<int>("--repeat") { DefaultValueFactory = _ => 1, Description = "Each scenario so many times, 1 to 100" };
        var report = new Option<string>("--report") { DefaultValueFactory = _ => Path.Combine("artifacts", "chaos"), Description = "Folder of the reports" };
        var yes = new Option<bool>("--yes") { Description = "Confirms a run against the node that --url names, which must allow it (Guardian:Chaos:Enabled); without --url each drill has a fresh node" };
        var playbooks = new Option<string?>("--playbooks") { Description = "Folder of playbooks of the throw-away nodes; default: playbooks, then the shipped ones" };
        var postgres = new Option<string?>("--postgres") { Description = $"Connection string of a PostgreSQL server for scenarios with several nodes, better given as {ChaosPostgres.Variable}; default: a server of the run's own, where PostgreSQL is installed" };
        var scenarios = ScenariosOption();
        var command = new Command("run", "Runs scenarios, those about load and latency one at a time, the others two at once; the exit code is the worst verdict's") { ids, seed, repeat, report, yes, playbooks, postgres, scenarios };
        command.SetAction(async (result, abort) =>
        {
            var console = ConsoleOf(result.GetValue(options.Json));
            if (Load(Folder(options, result.GetValue(scenarios)), console) is not { } all) return Usage;
            var times = result.GetValue(repeat);
            if (times is < 1 or > 100) return Fail(console, "--repeat must be 1 to 100");
            try
            {
                var asked = result.GetValue(ids) ?? [];
                var request = new ChaosRequest
                {
                    Scenarios = ScenarioCatalog.Pick(all, asked),
                    Ids = asked,
                    Seed = result.GetValue(seed) ?? Random.Shared.Next(1, 1_000_000),
                    Repeat = times,
                    Report = result.GetValue(report)!,
                    Postgres = result.GetValue(postgres) ?? (Environment.GetEnvironmentVariable(ChaosPostgres.Variable) is { Length: > 0 } server ? server : null),
                    Playbooks = result.GetValue(playbooks) is { } given ? Path.GetFullPath(given) : null,
                };
                if (result.GetValue(options.Url) is { } text)
                {
                    var node = Node(text);
                    if (!result.GetValue(yes)) return Fail(console, $"this breaks {node} on purpose and leaves bans behind until their leases end; add --yes to confirm");
                    if (times > 1) return Fail(console, "on a running node the bans of one drill would spoil the next of the same kind; leave out --repeat or --url");
                    using var client = options.Client(result);
                    return await new RunningNode(client, console, TimeProvider.System).RunAsync(asked, request.Seed, request.Report, abort);
                }

                var (done, folder) = await new ChaosRun(console, TimeProvider.System, Self, x => HostNoise.MeasureAsync(TimeProvider.System, x), x => ChaosRun.Watchdog(Self(), x, console)).RunAsync(request, abort);
                console.Closing(done, folder);
                return done.Worst.ExitCode();
            }
            catch (Exception e) when (e is ArgumentException or ChaosTargetException or IOException or UnauthorizedAccessException)
            {
                return Fail(console, e.Message);
            }
            catch (OperationCanceledException)
            {
                return Verdict.Aborted.ExitCode();
            }
        });
        return command;
    }

    private static GuardianProgram Self() => GuardianProgram.Running(typeof(ChaosCommand).Assembly)
        ?? throw new ChaosTargetException("this program does not know its own path, so it cannot start a node; use --url");

    private static Uri Node(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : throw new ArgumentException($"--url must be a node's address such as http://127.0.0.1:8558, not '{text}'");

    private static string Folder(CliOptions options, string? given) => ChaosFiles.Scenarios(given ?? options.Configured.Files.Scenarios);

    private static IReadOnlyList<Scenario>? Load(string folder, ChaosConsole console)
    {
        var loaded = ScenarioLoader.LoadDirectory(folder);
        foreach (var error in loaded.Errors) console.Error(error.ToString());
        return loaded.Errors.Count == 0 ? loaded.Scenarios : null;
    }

    private static int Fail(ChaosConsole console, string message)
    {
        console.Error(message);
        return Usage;
    }

    private static ChaosConsole ConsoleOf(bool json) =>
        new(Console.Out, Console.Error, json, !json && !Console.IsOutputRedirected, TimeProvider.System);

    private static Option<string?> ScenariosOption() => new("--scenarios") { Description = "Folder of scenarios; default: Guardian:Files:Scenarios (scenarios), then the shipped ones" };
}
