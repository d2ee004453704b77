using System.Diagnostics;
using System.Globalization;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Validation;
using YamlDotNet.Core;

namespace Guardian.Benchmarks;

/// <summary>A folder of 1,000 playbooks as large as the shipped one, read and checked. Bound: 2 s. Beside it the parser alone on the same texts.</summary>
internal static class PlaybookLoadBenchmark
{
    private const int Count = 1_000;
    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("guardian-playbooks-").FullName;
        try
        {
            var shipped = await File.ReadAllTextAsync(Path.Combine(ShippedFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml"));
            for (var i = 0; i < Count; i++)
                await File.WriteAllTextAsync(Path.Combine(folder, $"p{i:D4}.yaml"), shipped.Replace("name: message_bus_acl_violation_fix", $"name: p{i:D4}", StringComparison.Ordinal));
            var vocabulary = GuardianVocabulary.Of(new GuardianOptions());
            List<double> loads = [], parses = [];
            for (var round = 0; round < Rounds; round++)
            {
                parses.Add(Parse(folder));
                var started = Stopwatch.GetTimestamp();
                var result = PlaybookLoader.LoadDirectory(folder, vocabulary);
                loads.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                if (result.Playbooks.Count != Count) throw new InvalidOperationException(string.Join("; ", result.Errors.Take(3)));
            }

            var (first, load, parse) = (loads[0], Median(loads), Median(parses));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"1,000 playbooks of {shipped.Length:N0} characters: cold {first:F2} s, median {load:F2} s (bound 2 s), YAML parser alone {parse:F2} s, ratio {load / parse:F1}"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Parse(string folder)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            var parser = new Parser(new StringReader(File.ReadAllText(file)));
            while (parser.MoveNext())
            {
            }
        }

        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
