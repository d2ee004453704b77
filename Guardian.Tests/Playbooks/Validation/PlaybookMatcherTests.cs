using System.Text.Json;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Validation;

public sealed class PlaybookMatcherTests
{
    [Theory]
    [InlineData("""{"violations":12,"topic":"t"}""", "b", "event message_bus.acl_violation.spam_attack when incident.violations >= 10 [incident.violations = 12]")]
    [InlineData("""{"violations":2,"topic":"t"}""", "c", "event message_bus.acl_violation.spam_attack")]
    [InlineData("""{"topic":"t"}""", "c", "event message_bus.acl_violation.spam_attack")]
    public void First_by_name_whose_clause_holds_is_chosen(string incident, string name, string because)
    {
        var match = PlaybookMatcher.Match(Playbooks(), BuiltInIncidents.SpamAttack, JsonElement.Parse(incident));

        match!.Value.Playbook.Name.Should().Be(name);
        match.Value.Because.Should().Be(because);
    }

    [Fact]
    public void No_playbook_for_the_event_is_null() =>
        PlaybookMatcher.Match(Playbooks(), BuiltInIncidents.ActorBlacklist, JsonElement.Parse("""{"violations":12}""")).Should().BeNull();

    private static IReadOnlyList<Playbook> Playbooks()
    {
        var result = PlaybookLoader.Load(
            [
                ("1", Text("c", "message_bus.acl_violation.spam_attack", null)),
                ("2", Text("b", "message_bus.acl_violation.spam_attack", "incident.violations >= 10")),
                ("3", Text("a", "policy.regression", null)),
            ],
            TestVocabulary.Instance);
        result.Errors.Should().BeEmpty();
        return result.Playbooks;
    }

    private static string Text(string name, string type, string? when) =>
        $"apiVersion: guardian/v1\nkind: Playbook\nmetadata: {{ name: {name}, version: 1 }}\ntrigger:\n  - event: {type}\n"
        + (when is null ? "" : $"    when: {when}\n") + "steps: [ { id: a, action: bus.restart } ]\n";
}
