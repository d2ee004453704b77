using Akka.Actor;
using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Mitigations;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Yaml;

namespace Guardian.Host.Http;

/// <summary>This node's kernels, and an operator's word on them.</summary>
internal static class KernelRoutes
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(30);

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/kernels", Rights.Read, "This node's kernels", ListAsync, ApiJson.Default.Kernels);
        routes.Map("GET", "/api/v1/kernels/{name}", Rights.Read, "One kernel", OneAsync, ApiJson.Default.KernelAnswerView);
        routes.Map("POST", "/api/v1/kernels/{name}/pause", Rights.Operate, "Holds a kernel still; 'for' defaults to 10m", PauseAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest);
        routes.Map("POST", "/api/v1/kernels/{name}/throttle", Rights.Operate, "Lets a kernel use 'percent' of its workers or CPU; 'for' defaults to 10m", ThrottleAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest);
        routes.Map("POST", "/api/v1/kernels/{name}/resume", Rights.Operate, "Lifts every pause and throttle of a kernel, whoever set it", ResumeAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest);
        routes.Map("POST", "/api/v1/kernels/{name}/restart", Rights.Operate, "Restarts a kernel, also out of a crash loop; 'force' kills at once", RestartAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest, 202);
        routes.Map("POST", "/api/v1/kernels/{name}/stop", Rights.Operate, "Stops a kernel until it is restarted", StopAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest, 202);
        routes.Map("POST", "/api/v1/kernels/{name}/scale", Rights.Operate, "Changes the replicas by 'change' or to 'replicas', within the kernel's bounds", ScaleAsync, ApiJson.Default.KernelAnswerView, ApiJson.Default.KernelRequest, 202);
    }

    private static async Task ListAsync(ApiCall call)
    {
        var mitigations = await MitigationsAsync(call);
        await ApiBodies.JsonAsync(call.Http, [.. call.Guardian.Parts.Kernels.All.Select(x => View(call, x, mitigations))], ApiJson.Default.Kernels);
    }

    private static async Task OneAsync(ApiCall call)
    {
        if (call.Guardian.Parts.Kernels.Find(call.Route("name")) is not { } kernel) await NotFound(call);
        else await ApiBodies.JsonAsync(call.Http, View(call, kernel, await MitigationsAsync(call)), ApiJson.Default.KernelAnswerView);
    }

    public static async Task<IReadOnlyList<Mitigation>> MitigationsAsync(ApiCall call) =>
        (await call.Guardian.Parts.KernelsActor.Ask<KernelMitigations>(GetKernelMitigations.Instance, ApiContext.AskTimeout, call.Cancellation)).Items;

    private static Task PauseAsync(ApiCall call) => RestrictAsync(call, pause: true);

    private static Task ThrottleAsync(ApiCall call) => RestrictAsync(call, pause: false);

    private static async Task RestrictAsync(ApiCall call, bool pause)
    {
        if (await RequestAsync(call) is not { } request) return;
        if (!ApiBodies.TryFor(request.For, TimeSpan.FromSeconds(1), LongestPause, out var length))
        {
            await Problems.Invalid(call.Http, "'for' is a length of time from 1s to 30d, e.g. 10m");
            return;
        }

        if (!pause && request.Percent is not (>= 1 and <= 99))
        {
            await Problems.Invalid(call.Http, "'percent' is from 1 to 99");
            return;
        }

        await DoAsync(call, new RestrictKernels
        {
            Which = new KernelSelector { Names = [call.Route("name")] }, Percent = pause ? 0 : request.Percent!.Value,
            Until = call.Guardian.Parts.Time.GetUtcNow() + (length ?? TimeSpan.FromMinutes(10)), By = call.Caller.Owner, Reason = Reason(request),
        }, 200);
    }

    private static async Task ResumeAsync(ApiCall call)
    {
        if (await RequestAsync(call) is not { } request) return;
        var name = call.Route("name");
        if (call.Guardian.Parts.Kernels.Find(name) is null)
        {
            await NotFound(call);
            return;
        }

        // What an operator lifts beats every playbook. Nothing to lift is as good as lifted.
        string? failure = null;
        foreach (var pauses in (bool[])[true, false])
        {
            var answer = await call.Guardian.Parts.KernelsActor.Ask<KernelAnswer>(
                new LiftKernels { Name = name, Pauses = pauses, AnyOwner = true, By = call.Caller.Owner, Reason = Reason(request) }, ApiContext.AskTimeout, call.Cancellation);
            if (answer is { Done: false, NotFound: false }) failure = answer.Reason;
        }

        if (failure is null) await OneAsync(call);
        else await Problems.Write(call.Http, 409, "kernel-refused", "The kernel is not free yet", failure);
    }

    private static async Task RestartAsync(ApiCall call)
    {
        if (await RequestAsync(call) is { } request)
            await DoAsync(call, new RestartKernel { Name = call.Route("name"), Force = request.Force ?? false, By = call.Caller.Owner, Reason = Reason(request) }, 202);
    }

    private static async Task StopAsync(ApiCall call)
    {
        if (await RequestAsync(call) is { } request)
            await DoAsync(call, new StopKernel { Name = call.Route("name"), By = call.Caller.Owner, Reason = Reason(request) }, 202);
    }

    private static async Task ScaleAsync(ApiCall call)
    {
        if (await RequestAsync(call) is not { } request) return;
        if (request.Change is null == request.Replicas is null)
        {
            await Problems.Invalid(call.Http, "give either 'change', e.g. -2, or 'replicas'");
            return;
        }

        await DoAsync(call, new ScaleKernel { Name = call.Route("name"), Change = request.Change, To = request.Replicas, By = call.Caller.Owner, Reason = Reason(request) }, 202);
    }

    private static async Task DoAsync(ApiCall call, KernelCommand command, int status)
    {
        var answer = await call.Guardian.Parts.KernelsActor.Ask<KernelAnswer>(command, ApiContext.AskTimeout, call.Cancellation);
        if (answer.NotFound) await NotFound(call);
        else if (!answer.Done) await Problems.Write(call.Http, 409, "kernel-refused", "The kernel does not do that", answer.Reason ?? "no reason was given");
        else if (call.Guardian.Parts.Kernels.Find(call.Route("name")) is { } kernel)
            await ApiBodies.JsonAsync(call.Http, View(call, kernel, await MitigationsAsync(call)), ApiJson.Default.KernelAnswerView, status);
        else await NotFound(call);
    }

    private static ValueTask<KernelRequest?> RequestAsync(ApiCall call) => ApiBodies.CommandAsync(call.Http, ApiJson.Default.KernelRequest, new KernelRequest());

    private static string Reason(KernelRequest request) => string.IsNullOrWhiteSpace(request.Reason) ? "set over HTTP" : request.Reason;

    private static Task NotFound(ApiCall call) => Problems.NotFound(call.Http,
        $"there is no kernel '{call.Route("name")}' on this node{Spelling.Hint(call.Route("name"), call.Guardian.Parts.Kernels.All.Select(x => x.Name))}");

    private static KernelAnswerView View(ApiCall call, KernelView kernel, IReadOnlyList<Mitigation> mitigations)
    {
        var now = call.Guardian.Parts.Time.GetUtcNow();
        var replicas = kernel.Instances.Select(x => new ReplicaAnswerView(x.Index, YamlValues.Snake(x.State), x.Epoch, x.Process?.Pid, x.Process?.Start, x.StartedAt,
            x.Heart is null ? null : now - x.Heart.Silent, x.LastExit, x.Unlimited)).ToList();
        return new KernelAnswerView
        {
            Name = kernel.Name,
            Type = YamlValues.Snake(kernel.Type),
            State = kernel.Paused && kernel.State == KernelState.Running ? "paused" : YamlValues.Snake(kernel.State),
            Reason = kernel.State == KernelState.Running ? null : kernel.Reason,
            Criticality = YamlValues.Snake(kernel.Criticality),
            Class = kernel.Class,
            Remediation = kernel.Remediation is { } remediation ? StatusRoutes.Text(remediation) : null,
            Percent = kernel.Paused ? 0 : kernel.Percent,
            Wanted = kernel.Replicas.Count,
            Min = kernel.Replicas.Min,
            Max = kernel.Replicas.Max,
            Running = kernel.Jobs?.Workers ?? kernel.Instances.Count(x => x.State == KernelState.Running),
            Jobs = kernel.Jobs is { } jobs ? new JobTotalsView(jobs.Waiting, jobs.Running, jobs.Workers, jobs.Accepted, jobs.Over, jobs.Failed, jobs.Requeued) : null,
            Replicas = replicas,
            LastHeartbeat = replicas.Max(x => x.LastHeartbeat),
            Restarts = kernel.Restarts,
            Mitigations = [.. mitigations.Where(x => x.Target == "kernel/" + kernel.Name)],
        };
    }
}
