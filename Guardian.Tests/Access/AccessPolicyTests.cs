using Guardian.Actors.Access;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Access;

public sealed class AccessPolicyTests
{
    private const string Text = """
        apiVersion: guardian/v1
        kind: AccessPolicy
        controlTopics: ["system.control.>", "system.control"]
        roles:
          reader: { subscribe: { allow: ["library.>"] } }
        principals:
          librarian: { roles: [reader], publish: { allow: ["library.>"], deny: ["library.sealed.>"] } }
        topics:
          - { match: "library.>", rateLimit: 2000/s, queue: 10, onFull: drop_oldest }
        protected: [guardian]
        """;

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData("librarian", "library.books", BusOperation.Publish, true, "principals/librarian/publish/allow/0")]
    [InlineData("librarian", "library.sealed.x", BusOperation.Publish, false, "principals/librarian/publish/deny/0")]
    [InlineData("librarian", "library.books", BusOperation.Subscribe, true, "roles/reader/subscribe/allow/0")]
    [InlineData("librarian", "library.>", BusOperation.Subscribe, true, "roles/reader/subscribe/allow/0")]
    [InlineData("librarian", ">", BusOperation.Subscribe, false, "default/deny")]
    [InlineData("librarian", "library", BusOperation.Publish, false, "default/deny")]
    [InlineData("rogue", "library.books", BusOperation.Publish, false, "default/deny")]
    public void Decides_and_names_the_rule(string principal, string topic, BusOperation operation, bool allowed, string rule)
    {
        var policy = Policy(Text);
        for (var i = 0; i < 2; i++) policy.Decide(principal, topic, operation).Should().Be(new AccessDecision(allowed, rule)); // cold, then warm
    }

    [Fact]
    public void Knows_control_topics_protected_principals_and_settings()
    {
        var policy = Policy(Text);
        policy.IsControlTopic("system.control").Should().BeTrue();
        policy.IsControlTopic("system.control.stop").Should().BeTrue();
        policy.IsControlTopic("system").Should().BeFalse();
        policy.TouchesControlTopics("system.>").Should().BeTrue();
        policy.IsProtected("guardian").Should().BeTrue();
        policy.DeclaredPrincipals.Should().Be(1);
        policy.SettingsOf("library.books")!.OnFull.Should().Be(OnFull.DropOldest);
        policy.Hash.Should().HaveLength(64);
    }

    [Fact]
    public void Reports_every_error_with_its_place()
    {
        var (definition, errors) = AccessPolicyReader.Read("access.yaml", """
            apiVersion: guardian/v1
            kind: AccessPolicy
            roles:
              reader: { subscribe: { allow: ["library.>"] } }
            principals:
              librarian:
                roles: [raeder]
                publish: { allow: ["library.>", "library.>"], deny: ["library.>"] }
                subscribe: { alow: ["x"] }
              other: { publish: { allow: ["a.>.b", "a..b"] } }
            topics:
              - { match: "library.>", rateLimit: fast }
              - { match: "library.books", onFull: explode }
            protected: [libarian]
            """);
        definition.Should().BeNull();
        errors.Should().OnlyContain(x => x.Line > 0 && x.Column > 0 && x.File == "access.yaml");
        errors.Select(x => x.Line).Should().Equal(7, 8, 8, 9, 10, 10, 12, 13, 13, 14);
        errors[0].Message.Should().Contain("reader");
        errors[^1].Message.Should().Contain("librarian");
    }

    [Fact]
    public void The_shipped_policy_is_valid_and_says_what_it_should()
    {
        var file = Path.Combine(Root(), "policies", "access.yaml");
        var policy = PolicyStore.Load(file, _time, TimeSpan.FromMinutes(10)).Current;
        policy.DeclaredPrincipals.Should().BeGreaterThanOrEqualTo(12);
        foreach (var principal in policy.Definition.Principals.Keys)
            policy.Decide(principal, "library.sealed.x", BusOperation.Publish).Allowed.Should().Be(principal == "archivist", principal);
        foreach (var i in Enumerable.Range(1, 10)) policy.Decide($"load-{i:00}", "library.books.x", BusOperation.Publish).Allowed.Should().BeTrue();
        policy.Decide("librarian", "library.>", BusOperation.Subscribe).Allowed.Should().BeTrue();
        policy.Decide("patron", "library.>", BusOperation.Subscribe).Allowed.Should().BeTrue();
        policy.Decide("guardian", "system.control", BusOperation.Publish).Allowed.Should().BeTrue();
    }

    [Fact]
    public void A_bad_file_changes_nothing_and_a_good_one_is_swapped_whole()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "access.yaml");
        File.WriteAllText(file, Text);
        var store = PolicyStore.Load(file, _time, TimeSpan.FromMinutes(10));
        var first = store.Current;

        File.WriteAllText(file, "kind: Nonsense");
        store.TryReload().Errors.Should().NotBeEmpty();
        store.Errors.Should().NotBeEmpty();
        store.Current.Should().BeSameAs(first);

        File.WriteAllText(file, Text.Replace("allow: [\"library.>\"], deny", "deny", StringComparison.Ordinal));
        store.TryReload().Changed.Should().BeTrue();
        store.Errors.Should().BeEmpty();
        store.Current.Decide("librarian", "library.books", BusOperation.Publish).Allowed.Should().BeFalse();
        store.AllowedBefore("librarian", "library.books", BusOperation.Publish, _time.GetTimestamp()).Should().BeTrue();
        store.AllowedBefore("rogue", "library.books", BusOperation.Publish, _time.GetTimestamp()).Should().BeFalse();
        _time.Advance(TimeSpan.FromMinutes(11));
        store.AllowedBefore("librarian", "library.books", BusOperation.Publish, _time.GetTimestamp()).Should().BeFalse();
        store.Previous.Should().BeNull();

        File.Delete(file);
        store.TryReload().Errors.Should().ContainSingle();
    }

    [Fact]
    public void Undeclared_principals_never_enter_the_cache()
    {
        var policy = AccessPolicy.Compile(Policy(Text).Definition, "x", decisionCache: 4);
        policy.Decide("librarian", "library.books", BusOperation.Publish);
        for (var i = 0; i < 10_000; i++) policy.Decide($"rogue-{i}", "library.books", BusOperation.Publish);
        var before = GC.GetAllocatedBytesForCurrentThread();
        policy.Decide("librarian", "library.books", BusOperation.Publish).Allowed.Should().BeTrue();
        for (var i = 0; i < 1000; i++) policy.Decide("librarian", "library.books", BusOperation.Publish);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(20_000, "a warm decision allocates nothing");
    }

    private static AccessPolicy Policy(string text)
    {
        PolicyStore.TryCompile("access.yaml", text, 1000, out var policy, out var errors).Should().BeTrue(string.Join('\n', errors));
        return policy;
    }

    private static string Root()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Guardian.sln"))) at = Path.GetDirectoryName(at)!;
        return at;
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("guardian-policy").FullName;

        public void Dispose() => Directory.Delete(Path, true);
    }
}
