using System.ComponentModel;
using Guardian.Actors.Blacklisting;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>blacklist.add</c>.</summary>
internal sealed record BlacklistAddInput(
    [property: Description("Who.")] string Principal,
    [property: Description("Length of the lease before doubling for recidivism, 1s to 365d.")] Duration For);

/// <summary>Output of <c>blacklist.add</c>.</summary>
internal sealed record BlacklistAddOutput(
    [property: Description("Who.")] string Principal,
    [property: Description("The ban's end, RFC 3339, UTC.")] DateTimeOffset? Until,
    [property: Description("Bans of this principal so far.")] int Offences);

/// <summary>Bans a principal on every node, as a lease of the run. Its undo lifts that lease alone.</summary>
internal sealed class BlacklistAdd(ActionDependencies dependencies) : GuardianAction<BlacklistAddInput, BlacklistAddOutput>
{
    public override string Name => "blacklist.add";

    public override string Summary => "Bans a principal on every node until the lease ends.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.Contain;

    public override bool Leased => true;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override TouchedTargets Touches(BlacklistAddInput input) => new([input.Principal], [], input.For);

    public override async Task<BlacklistAddOutput> ExecuteAsync(BlacklistAddInput input, ActionContext context, CancellationToken cancellation)
    {
        var result = await Asking.UntilAnsweredAsync<BanResult>(dependencies.Blacklist, new BanPrincipal
        {
            Key = context.Key,
            Principal = input.Principal,
            For = input.For,
            Reason = $"{context.Playbook} for {context.IncidentKey}",
            Owner = context.RunId,
        }, cancellation).ConfigureAwait(false);
        return result.Done
            ? new BlacklistAddOutput(input.Principal, result.Until, result.Offences)
            : throw Refused("banned", input.Principal, result);
    }

    public override async Task UndoAsync(BlacklistAddInput input, BlacklistAddOutput? output, ActionContext context, CancellationToken cancellation)
    {
        var result = await Asking.UntilAnsweredAsync<BanResult>(dependencies.Blacklist,
            new LiftBan { Key = context.Key, Principal = input.Principal, Owner = context.RunId, Cancels = context.Cancels }, cancellation).ConfigureAwait(false);
        if (!result.Done) throw Refused("freed", input.Principal, result);
    }

    public override async Task<(OutcomeKind Kind, BlacklistAddOutput? Output)> ProbeAsync(BlacklistAddInput input, ActionContext context, CancellationToken cancellation)
    {
        var bans = await Asking.UntilAnsweredAsync<BanList>(dependencies.Blacklist, new GetBans(input.Principal), cancellation).ConfigureAwait(false);
        var ban = bans.Bans.FirstOrDefault(x => x.Principal == input.Principal);
        if (ban is null) return (OutcomeKind.NotDone, null);

        // The list shows the strictest lease's owner only: another's says nothing about this run's.
        return ban.Owner == context.RunId
            ? (OutcomeKind.Succeeded, new BlacklistAddOutput(input.Principal, ban.Until, ban.Offences))
            : (OutcomeKind.Unknown, null);
    }

    /// <summary>
    /// The blacklist's refusal in words, with its code and what can be done. What may take effect yet is no failure: it stays open and is
    /// asked for again under its key.
    /// </summary>
    internal static Exception Refused(string done, string principal, BanResult result) => result.Open
        ? new ActionUnreachableException($"'{principal}' is not {done} yet: the blacklist's authority gave no answer")
        : new ActionFailedException($"'{principal}' was not {done}: {result.Refusal ?? "refused"} — {Why(result.Refusal)}");

    private static string Why(string? refusal) => refusal switch
    {
        "protected" => "the policy protects this principal; nobody can ban it",
        "allow_listed" => "it stands on Guardian:Blacklist:AllowList",
        "exempt" => "an operator freed it a short while ago",
        "invalid" => "the name or the length of the lease is out of range (1s to 365d)",
        "lifted" => "its run has taken it back meanwhile",
        "unavailable" => "the authority did not take it; it may be tried again",
        _ => "the authority gave no further reason",
    };
}
