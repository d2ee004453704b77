using System.ComponentModel;
using Guardian.Actors.Chaos.Targets;
using Guardian.Actors.Kernels;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>A job that crashes whoever handles it, among others that do not.</summary>
internal sealed class JobPoison : ChaosFault<JobPoison.Input>
{
    internal sealed record Input(
        [property: Description("A pool.")] string Kernel,
        [property: Description("What crashes the handler; any text.")] string Payload,
        [property: Description("A declared command; not needed where the pool has one alone.")] string? Command = null);

    public override string Name => "job.poison";

    public override string Summary => "A job that crashes its handler.";

    public override bool InNode => true;

    public override string UndoText => "nothing stays but the job, which is kept as failed";

    public override FaultFacts Facts(Input input) => new() { Subject = input.Kernel, Instant = true };

    public override string? Check(Input input, TimeSpan ttl) => input.Payload.Length is 0 or > SubmitJob.MaxPayload ? $"'payload' has 1 to {SubmitJob.MaxPayload} characters" : null;

    public override Task RunAsync(Input input, FaultContext context, CancellationToken withdraw) =>
        new InProcessJobs((context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts).SubmitAsync(input.Kernel, input.Command, input.Payload, withdraw);
}
