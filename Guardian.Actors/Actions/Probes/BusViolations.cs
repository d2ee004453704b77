using System.ComponentModel;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>bus.violations</c>.</summary>
internal sealed record BusViolationsInput(
    [property: Description("Principal or topic, as in incident.subject.")] string Subject,
    [property: Description("How far back; 1s where missing.")] Duration? Window = null);

/// <summary>Result of <c>bus.violations</c>.</summary>
internal sealed record BusViolationsResult([property: Description("Denials by the policy; attempts of the banned are not in it.")] long Count);

/// <summary>Violations of a subject within a window up to now.</summary>
internal sealed class BusViolations(ActionDependencies dependencies) : GuardianProbe<BusViolationsInput, BusViolationsResult>
{
    private static readonly TimeSpan DefaultWindow = TimeSpan.FromSeconds(1);

    public override string Name => "bus.violations";

    public override string Summary => "Violations of a principal or topic within a window up to now.";

    public override bool Anywhere => true;

    public override async Task<BusViolationsResult> MeasureAsync(BusViolationsInput input, CancellationToken cancellation) =>
        new(await dependencies.CountViolations(input.Subject, input.Window?.Value ?? DefaultWindow, cancellation).ConfigureAwait(false));
}
