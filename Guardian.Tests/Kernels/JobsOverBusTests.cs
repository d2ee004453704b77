using System.Text;
using System.Text.Json;
using Akka.Actor;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Scheduling;
using Guardian.Tests.Scenarios;

namespace Guardian.Tests.Kernels;

/// <summary>Jobs that are ordered on the bus of a whole node, and handlers that run them.</summary>
[Collection("scenarios")]
public sealed class JobsOverBusTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private const string Policy = """
        apiVersion: guardian/v1
        kind: AccessPolicy
        principals:
          guardian: { publish: { allow: ["guardian.>", "scheduler.>"] }, subscribe: { allow: ["guardian.>", "scheduler.>"] } }
          librarian: { publish: { allow: ["scheduler.jobs.>"] }, subscribe: { allow: ["scheduler.job_events.>"] } }
          patron: { subscribe: { allow: ["scheduler.job_events.>"] } }
        protected: [guardian]
        """;

    private static async Task HandleAsync(JobContext job, CancellationToken cancellation)
    {
        job.Write($"attempt {job.Attempt}");
        if (job.Payload == "fails") throw new InvalidOperationException("no");
        if (job.Payload == "sleeps") await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
    }

    [Fact]
    public async Task An_order_becomes_a_job_and_its_publisher_hears_of_it()
    {
        await using var node = await TestNode.StartAsync(options =>
        {
            options.Files.Policy = Path.Combine(options.Node.DataDirectory, "policy.yaml");
            File.WriteAllText(options.Files.Policy, Policy);
            options.Files.Kernels = "";
            options.Kernels.Jobs("pool", 2, HandleAsync, x => (x.JobAttempts, x.JobTimeout) = (2, TimeSpan.FromMilliseconds(500)));
        });
        var librarian = node.Guardian.Parts.ClientPort("librarian");
        var (result, stream) = librarian.OpenStream("scheduler.job_events.>");
        result.Accepted.Should().BeTrue();
        using var news = stream!;

        var good = Publish(librarian, "scheduler.jobs.pool", """{ "payload": "p", "priority": "high" }""");
        var queued = await NextAsync(news, good);
        queued.State.Should().Be("queued");
        (await NextAsync(news, good)).Should().Match<JobNews>(x => x.State == "succeeded" && x.Job == queued.Job && x.Kernel == "pool");

        var fails = Publish(librarian, "scheduler.jobs.pool", """{ "payload": "fails" }""");
        (await NextAsync(news, fails)).State.Should().Be("queued");
        (await NextAsync(news, fails)).Should().Match<JobNews>(x => x.State == "failed" && x.Reason!.Contains("InvalidOperationException: no"));
        var sleeps = Publish(librarian, "scheduler.jobs.pool", """{ "payload": "sleeps" }""");
        (await NextAsync(news, sleeps)).State.Should().Be("queued");
        (await NextAsync(news, sleeps)).Should().Match<JobNews>(x => x.State == "timed_out" && x.Reason == "not done within 0.5 s");

        var unknown = Publish(librarian, "scheduler.jobs.pol", "{}");
        (await NextAsync(news, unknown)).Should().Match<JobNews>(x => x.State == "refused" && x.Reason!.Contains("did you mean 'pool'") && x.Job == null);
        var wrong = Publish(librarian, "scheduler.jobs.pool", "[]");
        (await NextAsync(news, wrong)).State.Should().Be("refused");

        node.Guardian.Parts.ClientPort("patron").Publish("scheduler.jobs.pool", Encoding.UTF8.GetBytes("{}")).Outcome.Should().Be(PublishOutcome.AclDenied);
        node.Guardian.Parts.Kernels.Find("pool")!.Jobs.Should().Match<JobTotals>(x => x.Accepted == 3 && x.Over == 3 && x.Failed == 2 && x.Requeued == 2);
    }

    [Fact]
    public async Task Deferred_jobs_are_kept_and_go_on_in_order()
    {
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var node = await TestNode.StartAsync(options =>
        {
            options.Files.Kernels = "";
            options.Kernels.Jobs("pool", 1, (job, _) =>
            {
                order.Enqueue(job.Payload);
                return Task.CompletedTask;
            });
        });
        var parts = node.Guardian.Parts;
        await parts.Scheduler.Ask<SchedulerAnswer>(new SetSchedulerMode(SchedulerMode.CriticalOnly, "test", "test", DateTimeOffset.UtcNow.AddMinutes(5)), Soon);
        string[] submitted = ["low-1", "high-1", "low-2", "high-2", "low-3"];
        foreach (var name in submitted)
            (await parts.KernelsActor.Ask<JobAnswer>(new SubmitJob { Kernel = "pool", Payload = name, Priority = name.StartsWith("high", StringComparison.Ordinal) ? 8 : 2, By = "test" }, Soon)).Job.Should().NotBeNull();
        parts.Kernels.Find("pool")!.Jobs.Should().Match<JobTotals>(x => x.Waiting == 5 && x.Running == 0 && x.Workers == 0);
        order.Should().BeEmpty();
        await parts.Scheduler.Ask<SchedulerAnswer>(new LiftSchedulerMode("test"), Soon);
        await Await.UntilAsync(() => order.Count == 5, Soon);
        order.Should().Equal("high-1", "high-2", "low-1", "low-2", "low-3");
    }

    private static string Publish(BusPort port, string topic, string body)
    {
        var result = port.Publish(topic, Encoding.UTF8.GetBytes(body), "application/json");
        result.Accepted.Should().BeTrue(result.ToString());
        return result.MessageId!;
    }

    /// <summary>The next news; nothing is said of another order meanwhile.</summary>
    private static async Task<JobNews> NextAsync(BusStream news, string order)
    {
        using var deadline = new CancellationTokenSource(Soon);
        var message = await news.Reader.ReadAsync(deadline.Token);
        message.Principal.Should().Be("guardian");
        var said = JsonSerializer.Deserialize(message.Body.Span, JobOrdersJson.Default.JobNews)!;
        said.Request.Should().Be(order, said.ToString());
        return said;
    }
}
