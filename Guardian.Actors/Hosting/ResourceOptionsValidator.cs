using System.Globalization;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;
using static Guardian.Actors.Hosting.GuardianOptionsValidator;

namespace Guardian.Actors.Hosting;

/// <summary>Checks <c>Guardian:Monitors:Resources</c>, <c>Guardian:Clean</c> and <c>Guardian:Record</c>.</summary>
internal static class ResourceOptionsValidator
{
    private const string At = "Guardian:Monitors:Resources:";

    public static void Validate(GuardianOptions options, List<string> errors)
    {
        foreach (var (name, folder) in options.Clean.Folders) Clean($"Guardian:Clean:Folders:{name}:", folder, errors);
        Range("Guardian:Record:MaxBytes", options.Record.MaxBytes, 64 * 1024, 1024 * 1024 * 1024, errors);
        Range("Guardian:Record:Files", options.Record.Files, 1, 100, errors);
        var o = options.Monitors.Resources;
        Between(At + nameof(o.Interval), o.Interval, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(60), errors);
        Positive(At + nameof(o.Sustained), o.Sustained, errors);
        Positive(At + nameof(o.Dwell), o.Dwell, errors);
        Positive(At + nameof(o.ReleaseEvery), o.ReleaseEvery, errors);
        Positive(At + nameof(o.Cooldown), o.Cooldown, errors);
        Positive(At + nameof(o.Repeat), o.Repeat, errors);
        if (o.SensorFailure.Value < 3 * o.Interval.Value)
            errors.Add($"{At}{nameof(o.SensorFailure)}: {o.SensorFailure} is shorter than three intervals of {o.Interval}; a late sample would be taken for a failed sensor");
        if (o.FallingVeto is not (>= 0.1 and <= 100)) errors.Add(string.Create(CultureInfo.InvariantCulture, $"{At}{nameof(o.FallingVeto)}: {o.FallingVeto} is out of range; use 0.1 to 100"));
        Limits(nameof(o.Cpu), o.Cpu, errors);
        Limits(nameof(o.Memory), o.Memory, errors);
        Limits(nameof(o.Disk), o.Disk, errors);
        for (var i = 0; i < o.Mounts.Count; i++) Required(string.Create(CultureInfo.InvariantCulture, $"{At}{nameof(o.Mounts)}:{i}"), o.Mounts[i], errors);
        Range(At + nameof(o.TopProcesses), o.TopProcesses, 0, 20, errors);
    }

    private static void Clean(string at, CleanFolderOptions folder, List<string> errors)
    {
        if (!Path.IsPathFullyQualified(folder.Path) || Path.GetFullPath(folder.Path) == Path.GetPathRoot(folder.Path))
            errors.Add($"{at}{nameof(folder.Path)}: '{folder.Path}' is no absolute path of a folder below the root");
        Required(at + nameof(folder.Pattern), folder.Pattern, errors);
        Positive(at + nameof(folder.MinAge), folder.MinAge, errors);
    }

    private static void Limits(string resource, PressureThresholds o, List<string> errors)
    {
        if (!(o.Leave >= 0 && o.Leave < o.Enter && o.Enter <= 100))
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{At}{resource}: Enter {o.Enter} and Leave {o.Leave} do not fit; Leave must be 0 or more and below Enter, Enter at most 100"));
    }
}
