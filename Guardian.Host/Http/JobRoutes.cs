using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Kernels;
using Guardian.Actors.Scheduling;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Yaml;

namespace Guardian.Host.Http;

/// <summary>Jobs of a pool: accepted means in the journal.</summary>
internal static class JobRoutes
{
    private static readonly Dictionary<string, int> Names = new(StringComparer.Ordinal) { ["low"] = 2, ["normal"] = JobQueue.Usual, ["high"] = 8, ["critical"] = JobQueue.Highest };

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/api/v1/kernels/{name}/jobs", Rights.Operate, "Gives a pool a job; 'command' names a declared one, 'priority' is 0 to 9 or low, normal, high, critical",
            SubmitAsync, ApiJson.Default.JobAnswerView, ApiJson.Default.JobRequest, 202);
        routes.Map("GET", "/api/v1/kernels/{name}/jobs/{id}", Rights.Read, "A job: state, exit code, the end of its output", GetAsync, ApiJson.Default.JobAnswerView);
    }

    private static async Task SubmitAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.JobRequest, new JobRequest(null, null, null)) is not { } request) return;
        if (Priority(request.Priority) is not { } priority)
        {
            await Problems.Invalid(call.Http, "'priority' is a number from 0 to 9, the higher the sooner, or low, normal, high, critical");
            return;
        }

        await AnswerAsync(call, new SubmitJob
        {
            Kernel = call.Route("name"), Command = request.Command, Payload = Payload(request.Payload), Priority = priority, By = call.Caller.Owner,
        }, 202);
    }

    private static Task GetAsync(ApiCall call) => AnswerAsync(call, new GetJob(call.Route("name"), call.Route("id")), 200);

    private static async Task AnswerAsync(ApiCall call, object question, int status)
    {
        var answer = await call.Guardian.Parts.KernelsActor.Ask<JobAnswer>(question, ApiContext.AskTimeout, call.Cancellation);
        await (answer switch
        {
            { Job: { } job } => ApiBodies.JsonAsync(call.Http, View(job), ApiJson.Default.JobAnswerView, status),
            { Refusal: "not_found" } => Problems.NotFound(call.Http, answer.Reason ?? "there is no such job"),
            { Refusal: "full" } => Problems.TooMany(call.Http, "queue-full", "The queue is full", answer.Reason ?? "try again later", TimeSpan.FromSeconds(1)),
            { Refusal: "stopping" } => Problems.Unavailable(call.Http, "draining", "The kernel is being ended", answer.Reason ?? "try again later"),
            _ => Problems.Invalid(call.Http, answer.Reason ?? "the job is not valid"),
        });
    }

    private static int? Priority(JsonElement? given) => given switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => JobQueue.Usual,
        { ValueKind: JsonValueKind.Number } number => number.TryGetInt32(out var value) && value is >= JobQueue.Lowest and <= JobQueue.Highest ? value : null,
        { ValueKind: JsonValueKind.String } text => Names.TryGetValue(text.GetString() ?? "", out var named) ? named : null,
        _ => null,
    };

    /// <summary>Text as it is, anything else as JSON.</summary>
    private static string Payload(JsonElement? given) => given switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => "",
        { ValueKind: JsonValueKind.String } text => text.GetString() ?? "",
        var json => json.Value.GetRawText(),
    };

    private static JobAnswerView View(JobView job) => new(job.Id, job.Kernel, job.Command, job.Priority, YamlValues.Snake(job.State), job.AcceptedAt, job.StartedAt, job.EndedAt,
        job.Attempt, job.ExitCode, job.Output, job.Reason);
}
