using System.ComponentModel;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>resources.current</c>.</summary>
internal sealed record ResourcesCurrentInput([property: Description("The processor is averaged over this, from now; 1s where missing.")] Duration? Over = null);

/// <summary>
/// Result of <c>resources.current</c>. What is not known is missing, so that a check of it fails: it is declared as always there
/// all the same, since a playbook that would ask <c>has()</c> first could take unknown for calm.
/// </summary>
internal sealed record ResourcesCurrentResult
{
    [Description("Processor, percent of the quota where there is one, else of the machine.")]
    public required double? Cpu { get; init; }

    [Description("Memory, percent of the limit where there is one, else of the machine.")]
    public required double? Memory { get; init; }

    [Description("The fullest disk, percent.")]
    public required double? Disk { get; init; }

    [Description("Cores that 100 % stand for.")]
    public double? Cores { get; init; }

    [Description("What cpu was read from.")]
    public required string CpuSource { get; init; }

    [Description("What memory was read from.")]
    public required string MemorySource { get; init; }

    [Description("Why something is not known; missing where all is.")]
    public string? Unknown { get; init; }
}

/// <summary>The machine from now on: a measurement just after a step sees the step's effect, not what was before.</summary>
internal sealed class ResourcesCurrent(ActionDependencies dependencies) : GuardianProbe<ResourcesCurrentInput, ResourcesCurrentResult>
{
    private static readonly TimeSpan DefaultOver = TimeSpan.FromSeconds(1);

    public override string Name => "resources.current";

    public override string Summary => "Processor, memory and disk of the node, measured from now on.";

    public override async Task<ResourcesCurrentResult> MeasureAsync(ResourcesCurrentInput input, CancellationToken cancellation)
    {
        var sample = await dependencies.Resources.SampleAsync(input.Over?.Value ?? DefaultOver, cancellation).ConfigureAwait(false);
        string?[] unknown = [sample.Cpu.Unknown, sample.Memory.Unknown, .. sample.Disks.Select(x => x.Used.Unknown)];
        // One disk that is not known may be the fullest.
        var disk = sample.Disks.Count > 0 && sample.Disks.All(x => x.Used.Value is not null) ? sample.Disks.Max(x => x.Used.Value) : null;
        return new ResourcesCurrentResult
        {
            Cpu = sample.Cpu.Value, Memory = sample.Memory.Value, Disk = disk, Cores = sample.Cores, CpuSource = sample.Cpu.Source, MemorySource = sample.Memory.Source,
            Unknown = unknown.Any(x => x is not null) ? string.Join("; ", unknown.OfType<string>()) : null,
        };
    }
}
