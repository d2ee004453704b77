using System.Text;
using System.Text.Json;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>A job as a target shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">queued, running, succeeded, failed or timed_out.</param>
/// <param name="Attempt">Attempts begun.</param>
internal sealed record SeenJob(string Id, string State, int Attempt);

/// <summary>What can be done with the jobs of a target's pools.</summary>
internal interface IJobTarget
{
    /// <exception cref="ChaosTargetException">Refused or unreachable.</exception>
    Task<SeenJob> SubmitAsync(string kernel, string? command, string payload, CancellationToken cancellation);

    /// <exception cref="ChaosTargetException">There is none, or unreachable.</exception>
    Task<SeenJob> JobAsync(string kernel, string id, CancellationToken cancellation);

    /// <exception cref="ChaosTargetException">Unreachable.</exception>
    Task<IReadOnlyList<SeenJob>> FailedAsync(string kernel, CancellationToken cancellation);

    /// <summary>The payload as it is kept.</summary>
    /// <exception cref="ChaosTargetException">There is none, or unreachable.</exception>
    Task<byte[]> PayloadAsync(string kernel, string id, CancellationToken cancellation);
}

/// <summary>Measures pools from outside.</summary>
internal static class JobMeasures
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5); // a job that takes longer has not come through
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    public static async Task<JsonElement> RoundtripAsync(IJobTarget target, JsonElement with, CancellationToken cancellation)
    {
        var kernel = TargetJson.Text(with, "kernel");
        var began = TimeProvider.System.GetTimestamp();
        var job = await target.SubmitAsync(kernel, TargetJson.Text(with, "command") is { Length: > 0 } command ? command : null, "a job of the harness", cancellation).ConfigureAwait(false);
        while (job.State is "queued" or "running" && TimeProvider.System.GetElapsedTime(began) < Longest)
        {
            await Task.Delay(Poll, cancellation).ConfigureAwait(false);
            job = await target.JobAsync(kernel, job.Id, cancellation).ConfigureAwait(false);
        }

        return TargetJson.Object(x =>
        {
            x.WriteBoolean("succeeded", job.State == "succeeded");
            x.WriteNumber("ms", TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
        });
    }

    public static async Task<JsonElement> KeptAsync(IJobTarget target, JsonElement with, CancellationToken cancellation)
    {
        var (kernel, payload) = (TargetJson.Text(with, "kernel"), Encoding.UTF8.GetBytes(TargetJson.Text(with, "payload")));
        var kept = new List<SeenJob>();
        foreach (var job in await target.FailedAsync(kernel, cancellation).ConfigureAwait(false))
            if ((await target.PayloadAsync(kernel, job.Id, cancellation).ConfigureAwait(false)).AsSpan().SequenceEqual(payload)) kept.Add(job);
        return TargetJson.Object(x =>
        {
            x.WriteNumber("count", kept.Count);
            x.WriteNumber("attempts", kept.Select(y => y.Attempt).DefaultIfEmpty().Max());
        });
    }
}
