using Guardian.Playbooks.Model;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Playbooks.Model;

public sealed class DescribedIncidentTests
{
    [Theory]
    [InlineData("""{ "principal": "\ud800" }""", "'principal' is no text")]
    [InlineData("""{ "type": "\udc00x" }""", "'type' is no text")]
    [InlineData("""{ "principal": ["a", { "b": "\ud800" }] }""", "'principal[1].b' is no text")]
    [InlineData("""{ "\ud800": 1 }""", "the name of a field is no text")]
    public void Half_a_surrogate_pair_is_refused_with_its_place(string incident, string expected)
    {
        var given = RunFixture.Json(incident);
        var playbook = RunFixture.Load("steps: [{ id: a, action: note }]");

        DescribedIncident.TypeFor(playbook, RunFixture.Vocabulary, given).Error.Should().Contain(expected);
        DescribedIncident.TypeFor(RunFixture.Vocabulary, given).Error.Should().Contain(expected);
        DescribedIncident.Check(RunFixture.Vocabulary.Incidents[RunFixture.IncidentType], given).Should().ContainSingle().Which.Should().Contain(expected);
    }

    [Fact]
    public void A_whole_pair_is_text() =>
        DescribedIncident.Check(RunFixture.Vocabulary.Incidents[RunFixture.IncidentType], RunFixture.Json("""{ "violations": 1, "principal": "\ud83d\ude00" }""")).Should().BeEmpty();
}
