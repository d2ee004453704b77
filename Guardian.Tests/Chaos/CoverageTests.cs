using Guardian.Actors.Chaos;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Chaos;

public sealed class CoverageTests
{
    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "scenarios");

    [Fact]
    public void Every_shipped_playbook_has_a_scenario_or_a_reason()
    {
        var vocabulary = GuardianVocabulary.Of(new GuardianOptions());
        var playbooks = PlaybookLoader.LoadDirectory(Path.Combine(AppContext.BaseDirectory, "playbooks"), vocabulary).Playbooks;
        var (reasons, errors) = Coverage.Exceptions(Path.Combine(Shipped, Coverage.ExceptionsFile));
        errors.Should().BeEmpty();
        var rows = Coverage.Of(ScenarioLoader.LoadDirectory(Shipped).Scenarios, playbooks, vocabulary, reasons);
        Coverage.Missing(rows).Select(x => x.Name).Should().BeEmpty("add a scenario, or a reason to scenarios/coverage/not-covered.yaml");
        rows.Single(x => x is { Kind: "playbook", Name: "message_bus_acl_violation_fix" }).By.Should().Contain("S02_acl_spam");
        rows.Single(x => x is { Kind: "action", Name: "blacklist.add" }).Covered.Should().BeTrue();
        rows.Single(x => x is { Kind: "incident", Name: ChaosTexts.Flooded }).Covered.Should().BeTrue();
        rows.Single(x => x is { Kind: "invariant", Name: "1" }).By.Should().Contain("S02_acl_spam");
    }

    [Fact]
    public void Without_its_scenario_and_without_a_reason_a_playbook_is_missing()
    {
        var vocabulary = GuardianVocabulary.Of(new GuardianOptions());
        var playbooks = PlaybookLoader.LoadDirectory(Path.Combine(AppContext.BaseDirectory, "playbooks"), vocabulary).Playbooks;
        var rows = Coverage.Of([ChaosTexts.Control()], playbooks, vocabulary, new Dictionary<string, string> { ["playbook/policy_regression"] = "later" });
        Coverage.Missing(rows).Select(x => x.Name).Should().Contain("message_bus_acl_violation_fix").And.NotContain("policy_regression");
    }
}
