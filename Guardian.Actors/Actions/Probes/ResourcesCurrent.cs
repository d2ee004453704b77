using System.ComponentModel;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>resources.current</c>.</summary>
internal sealed record ResourcesCurrentInput([property: Description("The processor is averaged over this, from now; 1s where missing.")] Duration? Over = null);

/// <summary>Result of <c>resources.current</c>. What is not known is missing.</summary>
internal sealed record ResourcesCurrentResult(
    [property: Description("Processor, percent of the quota where there is one, else of the machine.")] double? Cpu,
    [property: Description("Memory, percent of the limit where there is one, else of the machine.")] double? Memory,
    [property: Description("The fullest disk, percent.")] double? Disk,
    [property: Description("Cores that 100 % stand for.")] double? Cores,
    [property: Description("What cpu was read from.")] string CpuSource,
    [property: Description("What memory was read from.")] string MemorySource,
    [property: Description("Why something is not known; missing where all is.")] string? Unknown);

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
        return new ResourcesCurrentResult(sample.Cpu.Value, sample.Memory.Value, disk, sample.Cores, sample.Cpu.Source, sample.Memory.Source,
            unknown.Any(x => x is not null) ? string.Join("; ", unknown.OfType<string>()) : null);
    }
}
