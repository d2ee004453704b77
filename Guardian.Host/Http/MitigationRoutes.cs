using Akka.Actor;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;
using Guardian.Actors.Mitigations;
using Guardian.Actors.Scheduling;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Every restriction in force, whoever asked for it: bans of the cluster, limits of this node's bus and API.</summary>
internal static class MitigationRoutes
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/mitigations", Rights.Read, "Every restriction in force", ListAsync, ApiJson.Default.Mitigations);
        routes.Map("DELETE", "/api/v1/mitigations/{**id}", Rights.Operate, "Lifts one restriction; of a ban this owner's lease alone", RemoveAsync, success: 204);
    }

    private static async Task ListAsync(ApiCall call)
    {
        var limits = call.Guardian.Parts.BusActor.Ask<BusMitigations>(GetBusMitigations.Instance, ApiContext.AskTimeout, call.Cancellation);
        var bans = await BlacklistRoutes.BansAsync(call);
        var scheduler = call.Guardian.Parts.Scheduler.Ask<SchedulerAnswer>(GetSchedulerMode.Instance, ApiContext.AskTimeout, call.Cancellation);
        var kernels = KernelRoutes.MitigationsAsync(call);
        IReadOnlyList<Mitigation> all = [.. bans.Select(OfBan), .. (await limits).Items, .. await kernels, .. (await scheduler).Leases, .. call.Guardian.Parts.ApiLimits.Mitigations(call.Guardian.NodeName)];
        await ApiBodies.JsonAsync(call.Http, all, ApiJson.Default.Mitigations);
    }

    private static async Task RemoveAsync(ApiCall call)
    {
        var id = call.Route("id");
        if (call.Guardian.Parts.ApiLimits.LiftById(id))
        {
            await ApiBodies.Empty(call.Http);
            return;
        }

        if (id.StartsWith("scheduler:", StringComparison.Ordinal))
        {
            var lifted = await call.Guardian.Parts.Scheduler.Ask<SchedulerAnswer>(new LiftSchedulerMode(id["scheduler:".Length..]), ApiContext.AskTimeout, call.Cancellation);
            await (lifted.Done ? ApiBodies.Empty(call.Http) : Problems.NotFound(call.Http, $"no restriction '{id}' is in force"));
            return;
        }

        if (id.StartsWith("kernel-", StringComparison.Ordinal))
        {
            var freed = await call.Guardian.Parts.KernelsActor.Ask<KernelAnswer>(new LiftKernelMitigation { Id = id, By = call.Caller.Owner, Reason = "lifted over HTTP" }, ApiContext.AskTimeout, call.Cancellation);
            await (freed.Done ? ApiBodies.Empty(call.Http) : Problems.NotFound(call.Http, freed.Reason ?? $"no restriction '{id}' is in force"));
            return;
        }

        if (!id.StartsWith("ban:", StringComparison.Ordinal))
        {
            var lifted = await call.Guardian.Parts.BusActor.Ask<BusCommandResult>(new LiftMitigation(id), ApiContext.AskTimeout, call.Cancellation);
            await (lifted.Done ? ApiBodies.Empty(call.Http) : Problems.NotFound(call.Http, lifted.Reason ?? $"no restriction '{id}' is in force"));
            return;
        }

        if ((await BlacklistRoutes.BansAsync(call)).FirstOrDefault(x => OfBan(x).Id == id) is not { } ban)
        {
            await Problems.NotFound(call.Http, $"no restriction '{id}' is in force");
            return;
        }

        var result = await call.Guardian.Parts.Blacklist.Ask<BanResult>(
            new LiftBan { Key = $"operator/{Guid.NewGuid():N}", Principal = ban.Principal, Owner = ban.Owner }, ApiContext.AskTimeout, call.Cancellation);
        await (result.Done ? ApiBodies.Empty(call.Http) : BlacklistRoutes.RefuseAsync(call, ban.Principal, result));
    }

    private static Mitigation OfBan(BanEntry ban) => new()
    {
        Id = $"ban:{ban.Principal}:{ban.Owner}",
        Target = $"principal/{ban.Principal}",
        Effect = "ban",
        Owner = ban.Owner,
        Reason = ban.Reason,
        Since = ban.Since,
        Until = ban.Until,
    };
}
