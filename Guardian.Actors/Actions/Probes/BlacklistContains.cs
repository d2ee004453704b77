using System.ComponentModel;
using Guardian.Actors.Blacklisting;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>blacklist.contains</c>.</summary>
internal sealed record BlacklistContainsInput([property: Description("Who.")] string Principal);

/// <summary>Result of <c>blacklist.contains</c>.</summary>
internal sealed record BlacklistContainsResult(
    [property: Description("True while a ban holds on this node.")] bool Banned,
    [property: Description("Its end, RFC 3339, UTC.")] DateTimeOffset? Until);

/// <summary>Whether a principal is banned on this node now.</summary>
internal sealed class BlacklistContains(ActionDependencies dependencies) : GuardianProbe<BlacklistContainsInput, BlacklistContainsResult>
{
    public override string Name => "blacklist.contains";

    public override string Summary => "Whether a principal is banned on this node now.";

    public override bool Anywhere => true;

    public override async Task<BlacklistContainsResult> MeasureAsync(BlacklistContainsInput input, CancellationToken cancellation)
    {
        var bans = await Asking.OnceAsync<BanList>(dependencies.Blacklist, new GetBans(input.Principal), cancellation).ConfigureAwait(false);
        var ban = bans.Bans.FirstOrDefault(x => x.Principal == input.Principal);
        return new BlacklistContainsResult(ban is not null, ban?.Until);
    }
}
