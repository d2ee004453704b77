using Akka.Actor;
using Guardian.Actors.Blacklisting;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Http;

/// <summary>Bans, as operators see and set them. What an operator sets or lifts beats every playbook.</summary>
internal static class BlacklistRoutes
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/blacklist", Rights.Read, "Bans in force", ListAsync, ApiJson.Default.Bans);
        routes.Map("PUT", "/api/v1/blacklist/{principal}", Rights.Operate, "Bans a principal; 'for' defaults to 10m", AddAsync, ApiJson.Default.BanAnswer, ApiJson.Default.BanRequest);
        routes.Map("DELETE", "/api/v1/blacklist/{principal}", Rights.Operate, "Lifts every ban of the principal, clears its counters and exempts it for 10 minutes", RemoveAsync, success: 204);
    }

    public static async Task<IReadOnlyList<BanEntry>> BansAsync(ApiCall call) =>
        (await call.Guardian.Parts.Blacklist.Ask<BanList>(new GetBans(), ApiContext.AskTimeout, call.Cancellation)).Bans;

    public static async Task RefuseAsync(ApiCall call, string principal, BanResult result) => await (result.Refusal switch
    {
        "protected" => Problems.Write(call.Http, 409, "protected-principal", "This principal cannot be banned", $"'{principal}' is protected by the policy"),
        "allow_listed" => Problems.Write(call.Http, 409, "allow-listed", "This principal is on the allow-list", $"remove '{principal}' from Guardian:Blacklist:AllowList"),
        "exempt" => Problems.Write(call.Http, 409, "exempt", "This principal is exempt", $"an operator has lifted its ban a moment ago"),
        "superseded" => Problems.Write(call.Http, 409, "superseded", "A newer word of an operator holds", $"'{principal}' was banned or freed later by the clock of another node; do the nodes' clocks agree?"),
        "invalid" => Problems.Invalid(call.Http, "the principal or the length of the ban is not valid; use 1s to 365d"),
        _ => Problems.Unavailable(call.Http, "unavailable", "The blacklist's authority does not answer", result.Refusal ?? "its journal may be away; /api/v1/status says so"),
    });

    private static async Task ListAsync(ApiCall call) => await ApiBodies.JsonAsync(call.Http, await BansAsync(call), ApiJson.Default.Bans);

    private static async Task AddAsync(ApiCall call)
    {
        if (await ApiBodies.CommandAsync(call.Http, ApiJson.Default.BanRequest, new BanRequest(null, null)) is not { } request) return;
        if (!ApiBodies.TryFor(request.For, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365), out var length))
        {
            await Problems.Invalid(call.Http, "'for' is a length of time from 1s to 365d, e.g. 10m");
            return;
        }

        var principal = call.Route("principal");
        var result = await call.Guardian.Parts.Blacklist.Ask<BanResult>(new BanPrincipal
        {
            Key = $"operator/{Guid.NewGuid():N}",
            Principal = principal,
            For = length ?? TimeSpan.FromMinutes(10),
            Reason = string.IsNullOrWhiteSpace(request.Reason) ? "set over HTTP" : request.Reason,
            Owner = call.Caller.Owner,
            ByOperator = true,
        }, ApiContext.AskTimeout, call.Cancellation);
        await (result.Done
            ? ApiBodies.JsonAsync(call.Http, new BanAnswer(principal, result.Until, result.Offences), ApiJson.Default.BanAnswer)
            : RefuseAsync(call, principal, result));
    }

    private static async Task RemoveAsync(ApiCall call)
    {
        var principal = call.Route("principal");
        var result = await call.Guardian.Parts.Blacklist.Ask<BanResult>(new LiftBan
        {
            Key = $"operator/{Guid.NewGuid():N}",
            Principal = principal,
            Owner = call.Caller.Owner,
            ByOperator = true,
        }, ApiContext.AskTimeout, call.Cancellation);
        await (result.Done ? ApiBodies.Empty(call.Http) : RefuseAsync(call, principal, result));
    }
}
