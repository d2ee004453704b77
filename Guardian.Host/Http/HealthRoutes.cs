using Akka.Actor;
using Akka.Cluster;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>
/// Liveness and readiness, in the words of Akka.Management, so that existing probes work unchanged. A journal that is away
/// leaves the node ready, since bus and local bans work on; <c>strict=true</c> tells.
/// </summary>
internal sealed class HealthRoutes(ApiContext api)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(1);

    private sealed record Answer(int Status, string Text, long At);

    private volatile Answer? _alive;
    private volatile Answer? _ready;
    private volatile Answer? _strict;

    public static void Map(ApiRoutes routes)
    {
        var health = new HealthRoutes(routes.Api);
        routes.MapOpen("GET", "/alive", Rights.None, "Liveness: text", health.AliveAsync);
        routes.MapOpen("GET", "/ready", Rights.None, "Readiness: text; strict=true fails while degraded", health.ReadyAsync);
    }

    private async Task AliveAsync(HttpContext http, Caller caller)
    {
        if (Fresh(_alive) is not { } answer)
        {
            var failed = api.Access.ActorSystem is { } system && !system.WhenTerminated.IsCompleted
                ? await AnswersAsync(system) ? null : "dispatcher"
                : "actor-system";
            _alive = answer = failed is null ? Ok("OK") : Failed([failed]);
        }

        await ApiBodies.TextAsync(http, answer.Text, answer.Status);
    }

    private Task ReadyAsync(HttpContext http, Caller caller)
    {
        var strict = http.Request.Query["strict"] == "true";
        if (Fresh(strict ? _strict : _ready) is not { } answer)
        {
            answer = Evaluate(strict);
            if (strict) _strict = answer;
            else _ready = answer;
        }

        return ApiBodies.TextAsync(http, answer.Text, answer.Status);
    }

    private Answer Evaluate(bool strict)
    {
        var failed = new List<string>();
        if (api.Access.ActorSystem is not { } system) failed.Add("actor-system");
        else if (ClusterRoutes.IsClustered(system) && Cluster.Get(system).SelfMember.Status is not (MemberStatus.Up or MemberStatus.WeaklyUp)) failed.Add("cluster-membership");
        if (api.Stopping.IsCancellationRequested || api.Access.ActorSystem is { } running && CoordinatedShutdown.Get(running).ShutdownReason is not null) failed.Add("drain");
        if (api.Access.Current is not { } guardian || guardian.Parts.NotReady().Count > 0) return Failed([.. failed, "guardian"]);
        var journal = guardian.Parts.Journal();
        List<string> degraded = [];
        if (!journal.Healthy) degraded.Add("journal");
        if (guardian.Parts.Parked().Count > 0) degraded.Add("unreadable-events");
        if (strict) failed.AddRange(degraded);
        if (failed.Count > 0) return Failed(failed);
        return Ok(degraded.Count == 0 ? "OK" : "degraded: " + string.Join(", ", degraded));
    }

    /// <summary>Does the default dispatcher still run what it is given?</summary>
    private async Task<bool> AnswersAsync(ActorSystem system)
    {
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        system.Dispatchers.DefaultGlobalDispatcher.Schedule(() => ran.TrySetResult());
        try
        {
            await ran.Task.WaitAsync(Timeout, api.Time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private Answer? Fresh(Answer? answer) => answer is not null && api.Time.GetElapsedTime(answer.At) < Kept ? answer : null;

    private Answer Ok(string text) => new(200, text, api.Time.GetTimestamp());

    private Answer Failed(IEnumerable<string> checks) =>
        new(500, "Not Healthy: " + string.Join(", ", checks.Select(x => $"Check [{x}] not ok")), api.Time.GetTimestamp());
}
