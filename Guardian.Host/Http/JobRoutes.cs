using Akka.Actor;
using Guardian.Actors.Kernels;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Yaml;

namespace Guardian.Host.Http;

/// <summary>Jobs of a pool: accepted means in the journal.</summary>
internal static class JobRoutes
{
    private const int ListLimit = 1_000; // as many as a pool remembers that are over

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/api/v1/kernels/{name}/jobs", Rights.Operate, "Gives a pool a job; 'command' names a declared one, 'priority' is 0 to 9 or low, normal, high, critical",
            SubmitAsync, ApiJson.Default.JobAnswerView, ApiJson.Default.JobRequest, 202);
        routes.Map("GET", "/api/v1/kernels/{name}/jobs", Rights.Read, "Jobs that are remembered, the newest first, with their output for operators; 'state' is queued, running, succeeded, failed or timed_out", ListAsync, ApiJson.Default.Jobs);
        routes.Map("GET", "/api/v1/kernels/{name}/jobs/{id}/payload", Rights.Operate, "The payload of a job that has not succeeded, as it was given", PayloadAsync);
        routes.Map("POST", "/api/v1/kernels/{name}/jobs/{id}/retry", Rights.Operate, "One more attempt for a job that is over without success", RetryAsync, ApiJson.Default.JobAnswerView, null, 202);
        routes.Map("GET", "/api/v1/kernels/{name}/jobs/{id}", Rights.Operate, "A job: state, exit code, the end of its output", GetAsync, ApiJson.Default.JobAnswerView);
    }

    private static async Task SubmitAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.JobRequest, new JobRequest(null, null, null)) is not { } request) return;
        if (JobOrders.Priority(request.Priority) is not { } priority)
        {
            await Problems.Invalid(call.Http, JobOrders.PriorityHint);
            return;
        }

        await AnswerAsync(call, new SubmitJob
        {
            Kernel = call.Route("name"), Command = request.Command, Payload = JobOrders.Payload(request.Payload), Priority = priority, By = call.Caller.Owner,
        }, 202);
    }

    private static Task GetAsync(ApiCall call) => AnswerAsync(call, new GetJob(call.Route("name"), call.Route("id")), 200);

    private static Task RetryAsync(ApiCall call) => AnswerAsync(call, new RetryJob(call.Route("name"), call.Route("id"), call.Caller.Owner), 202);

    private static async Task ListAsync(ApiCall call)
    {
        JobState? state = null;
        if (call.Query("state") is { Length: > 0 } text)
        {
            var known = Enum.GetValues<JobState>().Where(x => YamlValues.Snake(x) == text).ToList();
            if (known.Count == 0)
            {
                await Problems.Invalid(call.Http, $"'state' is one of {string.Join(", ", Enum.GetValues<JobState>().Select(YamlValues.Snake))}");
                return;
            }

            state = known[0];
        }

        var limit = int.TryParse(call.Query("limit"), System.Globalization.CultureInfo.InvariantCulture, out var given) ? Math.Clamp(given, 1, ListLimit) : 100;
        var answer = await call.Guardian.Parts.KernelsActor.Ask<JobAnswer>(new ListJobs(call.Route("name"), state, limit), ApiContext.AskTimeout, call.Cancellation);
        await (answer.Refusal is null ? ApiBodies.JsonAsync(call.Http, [.. answer.Jobs.Select(x => View(x, call.Caller))], ApiJson.Default.Jobs) : RefusedAsync(call, answer));
    }

    private static async Task PayloadAsync(ApiCall call)
    {
        var answer = await call.Guardian.Parts.KernelsActor.Ask<JobAnswer>(new GetJob(call.Route("name"), call.Route("id")), ApiContext.AskTimeout, call.Cancellation);
        await (answer.Job is not { } job ? RefusedAsync(call, answer)
            : job.State == JobState.Succeeded ? Problems.NotFound(call.Http, $"job '{job.Id}' has succeeded; its payload is not kept")
            : ApiBodies.TextAsync(call.Http, job.Payload));
    }

    private static async Task AnswerAsync(ApiCall call, object question, int status)
    {
        var answer = await call.Guardian.Parts.KernelsActor.Ask<JobAnswer>(question, ApiContext.AskTimeout, call.Cancellation);
        await (answer.Job is { } job ? ApiBodies.JsonAsync(call.Http, View(job, call.Caller), ApiJson.Default.JobAnswerView, status) : RefusedAsync(call, answer));
    }

    private static Task RefusedAsync(ApiCall call, JobAnswer answer) => answer.Refusal switch
    {
        "not_found" => Problems.NotFound(call.Http, answer.Reason ?? "there is no such job"),
        "full" => Problems.TooMany(call.Http, "queue-full", "The queue is full", answer.Reason ?? "try again later", TimeSpan.FromSeconds(1)),
        "stopping" => Problems.Unavailable(call.Http, "draining", "The kernel is being ended", answer.Reason ?? "try again later"),
        _ => Problems.Invalid(call.Http, answer.Reason ?? "the job is not valid"),
    };

    /// <summary>What a job wrote may be anything that its work knows: for operators alone.</summary>
    private static JobAnswerView View(JobView job, Caller caller) => new(job.Id, job.Kernel, job.Command, job.Priority, YamlValues.Snake(job.State), job.AcceptedAt, job.StartedAt, job.EndedAt,
        job.Attempt, job.ExitCode, caller.May(Rights.Operate) ? job.Output : null, job.Reason);
}
