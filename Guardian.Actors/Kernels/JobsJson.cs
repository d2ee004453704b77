using System.Text.Json.Serialization;
using Guardian.Actors.Serialization;

namespace Guardian.Actors.Kernels;

/// <summary>What pools write into the journal.</summary>
internal static class KernelsRoom
{
    public static SerializedRoom Room => new(JobsJson.Default,
    [
        (typeof(JobAccepted), "job-accepted:v1"),
        (typeof(JobStarted), "job-started:v1"),
        (typeof(JobRequeued), "job-requeued:v1"),
        (typeof(JobEnded), "job-ended:v1"),
        (typeof(JobRetried), "job-retried:v1"),
        (typeof(JobsSnapshot), "jobs-snapshot:v1"),
    ]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobAccepted))]
[JsonSerializable(typeof(JobStarted))]
[JsonSerializable(typeof(JobRequeued))]
[JsonSerializable(typeof(JobEnded))]
[JsonSerializable(typeof(JobRetried))]
[JsonSerializable(typeof(JobsSnapshot))]
internal sealed partial class JobsJson : JsonSerializerContext;
