using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Guardian.Actors.Access;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>
/// A new policy takes a right from a principal that goes on as before: what it published is denied from one moment to the next, often
/// enough for every rule that bans. The policy before comes back at the end.
/// </summary>
internal sealed class PolicyMistake : ChaosFault<PolicyMistake.Input>
{
    internal sealed record Input(
        [property: Description("A declared principal, not protected; it may publish on the topic now.")] string Principal,
        [property: Description("A concrete topic.")] string Topic,
        [property: Description("Messages that it goes on sending; at most 10,000.")] int Count,
        [property: Description("Spread evenly; 2s where not given.")] Duration? Over = null)
    {
        public TimeSpan Spread => Over?.Value ?? TimeSpan.FromSeconds(2);
    }

    public override string Name => "policy.mistake";

    public override string Summary => "A new policy denies a principal what the one before allowed.";

    public override bool InNode => true;

    public override string UndoText => "the node puts the policy before back into force at the fault's end; its file was never touched";

    /// <summary>Instant: its evidence is a count of denials, which stays.</summary>
    public override FaultFacts Facts(Input input) => new() { Principals = [input.Principal], Subject = input.Principal, Instant = true, Length = input.Spread };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.Count is < 1 or > 10_000 ? "'count' must be 1 to 10000"
        : input.Topic.Contains('*') || input.Topic.Contains('>') ? "'topic' must be a concrete one, without wildcards"
        : input.Spread >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'over' ({new Duration(input.Spread)}) is through"
        : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var parts = (context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts;
        var policies = parts.Policies ?? throw new InvalidOperationException("runs inside a node with a bus only");
        var before = policies.Current;
        if (!before.Decide(input.Principal, input.Topic, BusOperation.Publish).Allowed)
            throw new InvalidOperationException($"{input.Principal} may not publish on {input.Topic} now, so no policy can take that right away");
        var mistake = Without(before, input.Principal, input.Topic);
        var port = parts.ClientPort(input.Principal);
        policies.Swap(mistake);
        try
        {
            var start = context.Clock.Now;
            for (var i = 0; i < input.Count; i++)
            {
                await context.Clock.UntilAsync(start + input.Spread / input.Count * i, withdraw).ConfigureAwait(false);
                if (port.Publish(input.Topic, default).Accepted) throw new InvalidOperationException($"{input.Principal} may still publish on {input.Topic}: the fault did not take hold");
            }
        }
        catch (OperationCanceledException) when (withdraw.IsCancellationRequested)
        {
            // Withdrawn.
        }
        finally
        {
            // Whoever brought out another policy meanwhile meant it.
            if (ReferenceEquals(policies.Current, mistake)) policies.Swap(before);
        }
    }

    private static AccessPolicy Without(AccessPolicy policy, string principal, string topic)
    {
        var definition = policy.Definition;
        if (!definition.Principals.TryGetValue(principal, out var declared)) throw new InvalidOperationException($"the policy declares no principal {principal}");
        var principals = new Dictionary<string, PrincipalDefinition>(definition.Principals, StringComparer.Ordinal)
        {
            [principal] = declared with { PublishDeny = [.. declared.PublishDeny, topic] },
        };
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{policy.Hash} without {principal} on {topic}")));
        return AccessPolicy.Compile(definition with { Principals = principals }, hash);
    }
}
