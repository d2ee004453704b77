using CsCheck;
using Guardian.Actors.Access;

namespace Guardian.Tests.Access;

public sealed class PolicyDiffTests
{
    private static readonly string[] Segments = ["a", "b", "c"];
    private static readonly string[] Named = ["a", "b", "*"];

    private static readonly Gen<string> Pattern = Gen.Select(Gen.Int[0, 2].Select(i => Named[i]).Array[1, 3], Gen.Bool, (parts, tail) => string.Join('.', tail ? parts.Append(">") : parts));

    private static readonly Gen<RuleDefinition> Rules = Gen.Select(Pattern.Array[0, 3], Pattern.Array[0, 2], Pattern.Array[0, 2], Pattern.Array[0, 2],
        (publish, notPublish, subscribe, notSubscribe) => new RuleDefinition { PublishAllow = publish, PublishDeny = notPublish, SubscribeAllow = subscribe, SubscribeDeny = notSubscribe });

    private static AccessPolicy Policy(params (string Name, RuleDefinition Rules)[] principals) => AccessPolicy.Compile(new AccessPolicyDefinition
    {
        Principals = principals.ToDictionary(x => x.Name, x => new PrincipalDefinition
        {
            PublishAllow = x.Rules.PublishAllow, PublishDeny = x.Rules.PublishDeny, SubscribeAllow = x.Rules.SubscribeAllow, SubscribeDeny = x.Rules.SubscribeDeny,
        }),
    }, "hash", 1_000);

    [Fact]
    public void A_new_deny_is_told_on_the_topics_that_it_takes_away()
    {
        var before = Policy(("librarian", new RuleDefinition { PublishAllow = ["library.>"] }));
        var after = Policy(("librarian", new RuleDefinition { PublishAllow = ["library.>"], PublishDeny = ["*.sealed.>"] }), ("guest", new RuleDefinition()));
        var changes = PolicyDiff.Of(before, after, out var complete);
        changes[0].Should().Be(new ChangedDecision("librarian", BusOperation.Publish, "library.sealed.any",
            new AccessDecision(true, "principals/librarian/publish/allow/0"), new AccessDecision(false, "principals/librarian/publish/deny/0")));
        changes.Should().OnlyContain(x => x.Topic.StartsWith("library.sealed.any"));
        complete.Should().BeTrue();
        PolicyDiff.Of(before, before, out _).Should().BeEmpty();
    }

    [Fact]
    public void Somebody_new_and_somebody_gone_are_compared_with_the_default()
    {
        var changes = PolicyDiff.Of(Policy(("old", new RuleDefinition { PublishAllow = ["a"] })), Policy(("new", new RuleDefinition { SubscribeAllow = ["b.*"] })), out _);
        changes.Select(x => (x.Principal, x.Operation, x.Topic, x.After.Allowed)).Should().Equal(("new", BusOperation.Subscribe, "b.any", true), ("old", BusOperation.Publish, "a", false));
    }

    [Fact]
    public void Traffic_is_compared_as_it_was()
    {
        var before = Policy(("p", new RuleDefinition { PublishAllow = ["a.>"] }));
        var after = Policy(("p", new RuleDefinition { PublishAllow = ["b.>"] }));
        PolicyDiff.Of(before, after, [("p", BusOperation.Publish, "a.x"), ("p", BusOperation.Publish, "a.x"), ("p", BusOperation.Publish, "c"), ("nobody", BusOperation.Publish, "b.x")])
            .Should().ContainSingle().Which.Topic.Should().Be("a.x");
    }

    /// <summary>Whatever topic is decided differently, a topic of its kind is named.</summary>
    [Fact]
    public void Nothing_that_changes_is_left_out() => Gen.Select(Rules, Rules).Sample((one, other) =>
    {
        var (before, after) = (Policy(("p", one)), Policy(("p", other)));
        var told = PolicyDiff.Of(before, after, out _);
        var topics = from length in Enumerable.Range(1, 5) from x in Topics(length) select x;
        foreach (var operation in (BusOperation[])[BusOperation.Publish, BusOperation.Subscribe])
        {
            var changes = topics.Any(x => before.Decide("p", x, operation).Allowed != after.Decide("p", x, operation).Allowed);
            if (changes && told.All(x => x.Operation != operation)) return false;
        }

        return told.All(x => x.Before.Allowed != x.After.Allowed);
    }, iter: 2_000);

    private static IEnumerable<string> Topics(int length) =>
        length == 1 ? Segments : Topics(length - 1).SelectMany(x => Segments, (x, segment) => $"{x}.{segment}");
}
