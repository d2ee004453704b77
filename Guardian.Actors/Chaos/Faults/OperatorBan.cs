using System.ComponentModel;
using Akka.Actor;
using Guardian.Actors.Blacklisting;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>An operator's ban, so that a scenario can measure when it ends: harmless by itself.</summary>
internal sealed class OperatorBan : ChaosFault<OperatorBan.Input>
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    internal sealed record Input(
        [property: Description("Who; nobody that the load needs.")] string Principal,
        [property: Description("The lease, 1s to 10m.")] Duration For);

    public override string Name => "operator.ban";

    public override string Summary => "An operator bans a principal for a while.";

    public override bool InNode => true;

    public override string UndoText => "the ban is a lease and lapses";

    public override FaultFacts Facts(Input input) => new() { Principals = [input.Principal], Instant = true, Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.For.Value < TimeSpan.FromSeconds(1) || input.For.Value > TimeSpan.FromMinutes(10) ? "'for' must be 1s to 10m" : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var node = context.Guardian ?? throw new InvalidOperationException("runs inside a node only");
        var result = await node.Parts.Blacklist.Ask<BanResult>(new BanPrincipal
        {
            Key = "chaos/" + context.Drill, Principal = input.Principal, For = input.For.Value, Reason = Name, Owner = "operator/chaos", ByOperator = true,
        }, AnswerWithin, withdraw).ConfigureAwait(false);
        if (!result.Done) throw new InvalidOperationException($"{input.Principal} was not banned: {result.Refusal}");
    }
}
