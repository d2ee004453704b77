using System.Text;
using Akka.Actor;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Scheduling;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>The pools of a node in this process.</summary>
internal sealed class InProcessJobs(GuardianParts parts) : IJobTarget
{
    private const string Owner = "chaos";

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    public async Task<SeenJob> SubmitAsync(string kernel, string? command, string payload, CancellationToken cancellation) =>
        Seen((await AskAsync(new SubmitJob { Kernel = kernel, Command = command, Payload = payload, Priority = JobQueue.Usual, By = Owner }, cancellation).ConfigureAwait(false)).Job!);

    public async Task<SeenJob> JobAsync(string kernel, string id, CancellationToken cancellation) =>
        Seen((await AskAsync(new GetJob(kernel, id), cancellation).ConfigureAwait(false)).Job!);

    public async Task<IReadOnlyList<SeenJob>> FailedAsync(string kernel, CancellationToken cancellation) =>
        [.. (await AskAsync(new ListJobs(kernel, JobState.Failed, 100), cancellation).ConfigureAwait(false)).Jobs.Select(Seen)];

    public async Task<byte[]> PayloadAsync(string kernel, string id, CancellationToken cancellation) =>
        Encoding.UTF8.GetBytes((await AskAsync(new GetJob(kernel, id), cancellation).ConfigureAwait(false)).Job!.Payload);

    private async Task<JobAnswer> AskAsync(object question, CancellationToken cancellation)
    {
        try
        {
            var answer = await parts.KernelsActor.Ask<JobAnswer>(question, AnswerWithin, cancellation).ConfigureAwait(false);
            return answer.Refusal is null ? answer : throw new ChaosTargetException($"{answer.Refusal}: {answer.Reason}");
        }
        catch (AskTimeoutException e)
        {
            throw new ChaosTargetException($"the kernels do not answer {question.GetType().Name}", e);
        }
    }

    private static SeenJob Seen(JobView job) => new(job.Id, YamlValues.Snake(job.State), job.Attempt);
}
