using System.ComponentModel;
using Guardian.Actors.Blacklisting;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>blacklist.remove</c>.</summary>
internal sealed record BlacklistRemoveInput([property: Description("Who.")] string Principal);

/// <summary>Output of <c>blacklist.remove</c>.</summary>
internal sealed record BlacklistRemoveOutput(
    [property: Description("Who.")] string Principal,
    [property: Description("True while a ban of another owner still holds.")] bool Banned,
    [property: Description("That ban's end, RFC 3339, UTC.")] DateTimeOffset? Until,
    [property: Description("When the ban that was lifted would have ended, RFC 3339, UTC.")] DateTimeOffset? Lifted = null);

/// <summary>Lifts the ban that this run has set; those of other runs and of operators stay. Its undo puts it back for what was left of it.</summary>
internal sealed class BlacklistRemove(ActionDependencies dependencies) : GuardianAction<BlacklistRemoveInput, BlacklistRemoveOutput>
{
    public override string Name => "blacklist.remove";

    public override string Summary => "Lifts this run's ban of a principal; bans of other owners stay.";

    public override bool Anywhere => true;

    public override RiskClass Risk => RiskClass.Contain;

    public override bool HasUndo => true;

    public override bool Idempotent => true;

    public override async Task<BlacklistRemoveOutput> ExecuteAsync(BlacklistRemoveInput input, ActionContext context, CancellationToken cancellation)
    {
        var result = await Asking.UntilAnsweredAsync<BanResult>(dependencies.Blacklist,
            new LiftBan { Key = context.Key, Principal = input.Principal, Owner = context.RunId, Cancels = context.Cancels }, cancellation).ConfigureAwait(false);
        return result.Done
            ? new BlacklistRemoveOutput(input.Principal, result.Until is not null, result.Until, result.Lifted)
            : throw BlacklistAdd.Refused("freed", input.Principal, result);
    }

    public override async Task UndoAsync(BlacklistRemoveInput input, BlacklistRemoveOutput? output, ActionContext context, CancellationToken cancellation)
    {
        var left = output?.Lifted - dependencies.Time.GetUtcNow();
        if (left is not { } length || length < BanBook.MinLength) return; // there was none, or it would be over
        var result = await Asking.UntilAnsweredAsync<BanResult>(dependencies.Blacklist, new BanPrincipal
        {
            Key = context.Key, Principal = input.Principal, For = length, Reason = $"{context.Playbook} for {context.IncidentKey}", Owner = context.RunId, Restores = true,
        }, cancellation).ConfigureAwait(false);
        if (!result.Done) throw BlacklistAdd.Refused("banned again", input.Principal, result);
    }

    public override async Task<(OutcomeKind Kind, BlacklistRemoveOutput? Output)> ProbeAsync(BlacklistRemoveInput input, ActionContext context, CancellationToken cancellation)
    {
        var bans = await Asking.UntilAnsweredAsync<BanList>(dependencies.Blacklist, new GetBans(input.Principal), cancellation).ConfigureAwait(false);
        var ban = bans.Bans.FirstOrDefault(x => x.Principal == input.Principal);
        if (ban is null) return (OutcomeKind.Succeeded, new BlacklistRemoveOutput(input.Principal, false, null));
        return (ban.Owner == context.RunId ? OutcomeKind.NotDone : OutcomeKind.Unknown, null);
    }
}
