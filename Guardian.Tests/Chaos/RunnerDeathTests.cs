using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Chaos;
using Guardian.Actors.Leasekeeping;
using Guardian.Tests.Leasekeeping;
using Guardian.Tests.Persistence;
using Npgsql;
using Eventually = Guardian.Tests.Leasekeeping.Eventually;
using Xunit.Abstractions;

namespace Guardian.Tests.Chaos;

/// <summary>kill -9 of <c>guardian chaos run</c> in the middle of a fault: nothing is left behind.</summary>
[Collection("scenarios")]
public sealed class RunnerDeathTests(ITestOutputHelper output)
{
    /// <summary>One scenario of every fault kind with GUARDIAN_CHAOS_DEATHS=all; else a few of those that touch more than the runner's own process.</summary>
    public static TheoryData<string> Scenarios
    {
        get
        {
            if (Environment.GetEnvironmentVariable("GUARDIAN_CHAOS_DEATHS") != "all") return [.. Postgres.Missing is null ? ["S06_journal_full", "S01_sigstop", "S06_postgres_refused"] : (string[])["S06_journal_full", "S01_sigstop"]];
            var shipped = Shipped.Where(x => x.Fault is not null && (Postgres.Missing is null || !x.Postgres)).ToList();
            return [.. shipped.SelectMany(x => x.Also.Prepend(x.Fault!).Select(f => (Kind: f.Fault.Name, Scenario: x))).GroupBy(x => x.Kind, StringComparer.Ordinal).Select(x => x.First().Scenario.Name).Distinct()];
        }
    }

    private static IReadOnlyList<Scenario> Shipped => ScenarioLoader.LoadDirectory(Path.Combine(AppContext.BaseDirectory, "scenarios")).Scenarios;

    [RootTheory]
    [MemberData(nameof(Scenarios))]
    public async Task Nothing_is_left_behind(string scenario)
    {
        var reports = Directory.CreateTempSubdirectory("guardian-death-");
        var start = new ProcessStartInfo(LeasekeeperFixture.Executable.FileName, [.. LeasekeeperFixture.Executable.Arguments, "chaos", "run", scenario, "--report", reports.FullName, .. Postgres.Server is { } server ? ["--postgres", server] : (string[])[]])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = reports.FullName,
        };
        using var runner = Process.Start(start)!;
        var reading = runner.StandardOutput.ReadToEndAsync();
        await Eventually.HoldsAsync(() => History(reports).Contains("fault-injected", StringComparison.Ordinal), "the fault is injected", 120);
        var left = Left(reports);
        left.Should().NotBeEmpty("there is something to leave behind");

        var clock = Stopwatch.StartNew();
        runner.Kill();
        await Eventually.HoldsAsync(() => Left(reports).Count == 0, $"all is undone: {string.Join(", ", Left(reports))}", 30);
        clock.Elapsed.Should().BeLessThan(Shipped.Single(x => x.Name == scenario).Fault!.Ttl + TimeSpan.FromSeconds(2), "the time to live of the fault, and 2 s");
        output.WriteLine($"{scenario}: {string.Join(", ", left)} gone {clock.ElapsedMilliseconds} ms after kill -9");
        await reading;
        reports.Delete(recursive: true);
    }

    /// <summary>Processes, mounts, folders and unfinished leases of this run.</summary>
    private static List<string> Left(DirectoryInfo reports)
    {
        var left = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(x => int.TryParse(x, out _))
            .Where(x => (Read($"/proc/{x}/cmdline") + Read($"/proc/{x}/environ")).Contains(reports.FullName, StringComparison.Ordinal) && !Read($"/proc/{x}/cmdline").Contains("\0chaos\0", StringComparison.Ordinal))
            .Where(x => ProcessIdentity.Of(int.Parse(x!, CultureInfo.InvariantCulture)) is not null).Select(x => $"process {x}").ToList();
        left.AddRange(File.ReadAllLines("/proc/mounts").Where(x => x.Contains(reports.FullName, StringComparison.Ordinal)).Select(_ => "a mount"));
        var run = reports.EnumerateDirectories().FirstOrDefault();
        if (run is null) return left;
        left.AddRange(run.EnumerateDirectories("guardian-S*").Select(x => $"folder {x.Name}"));
        left.AddRange(Databases().Select(x => $"database {x}"));
        left.AddRange(run.EnumerateFiles("*.lease.json", SearchOption.AllDirectories).Select(_ => "a lease"));
        return left;
    }

    private static List<string> Databases()
    {
        if (Postgres.Server is not { } server) return [];
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand("select datname from pg_database where datname like 'guardian\\_chaos\\_%'", connection);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static string History(DirectoryInfo reports)
    {
        var file = reports.EnumerateFiles("history.jsonl", SearchOption.AllDirectories).FirstOrDefault();
        if (file is null) return "";
        using var reader = new StreamReader(new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

/// <summary>Skips without root on Linux.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    /// <summary>Skips where it cannot be.</summary>
    public RootTheoryAttribute()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Skip = "needs root on Linux: mounts, immutable files";
    }
}
