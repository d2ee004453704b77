using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Validation;

public sealed class PlaybookAdviceTests
{
    private static readonly Vocabulary Vocabulary = new(BuiltInIncidents.All,
        [
            new ActionSpec("kill", RiskClass.Destroy, [], [], false, false),
            new ActionSpec("ban", RiskClass.Contain, [], [], true, true),
            new ActionSpec("tell", RiskClass.None, [], [], true, true),
        ],
        [new ProbeSpec("health", [], [new("healthy", FieldType.Bool, true)])]);

    private static IEnumerable<string> Warnings(string rest, OperatingMode destroy = OperatingMode.Enforce)
    {
        var loaded = PlaybookLoader.Load([("f.yaml", PlaybookLoaderTests.Minimal(rest))], Vocabulary);
        loaded.Errors.Should().BeEmpty();
        return PlaybookAdvice.Of(loaded.Playbooks.Single(), Vocabulary, risk => risk == RiskClass.Destroy ? destroy : OperatingMode.Enforce).Select(x => x.ToString());
    }

    private const string Verify = "verify: [ { id: ok, probe: health, check: result.healthy } ]\n";

    [Fact]
    public void A_playbook_without_blemish_has_no_warning() =>
        Warnings("steps:\n  - { id: a, action: ban, undo: auto }\n  - { id: b, action: tell }\n" + Verify).Should().BeEmpty();

    [Fact]
    public void A_playbook_that_only_tells_needs_no_verification() => Warnings("steps:\n  - { id: b, action: tell }\n").Should().BeEmpty();

    [Fact]
    public void A_missing_undo_is_said_at_the_step() =>
        Warnings("steps:\n  - { id: a, action: ban }\n" + Verify).Should().Equal(
            "f.yaml:6:11: step 'a' has no undo: a cancelled run leaves what ban did; add 'undo: auto'");

    [Fact]
    public void A_missing_verification_is_said_at_the_name() =>
        Warnings("steps:\n  - { id: a, action: ban, undo: auto }\n").Should().Equal(
            "f.yaml:3:19: nothing checks that it helped: without 'verify' a run counts as resolved as soon as its steps are through");

    [Theory]
    [InlineData("", true)]
    [InlineData("mode: propose\n", false)]
    [InlineData("guards: { maxRuns: [ { count: 1, per: 1h } ] }\n", false)]
    [InlineData("guards: { blastRadius: { kernels: 50% } }\n", false)]
    [InlineData("guards: { circuitBreaker: { failures: 3, within: 1h } }\n", false)]
    [InlineData("guards: { cooldown: 1m }\n", false)]
    [InlineData("guards: { lock: a }\n", true)]
    public void A_step_that_can_kill_needs_approval_or_a_guard(string line, bool warns) =>
        Warnings("steps:\n  - { id: a, action: kill }\n" + Verify + line).Any(x => x.Contains("can destroy (kill) without approval or guard", StringComparison.Ordinal))
            .Should().Be(warns);

    [Theory]
    [InlineData(OperatingMode.Propose, "enforce", "will only be proposed")]
    [InlineData(OperatingMode.Observe, "enforce", "will only be recorded")]
    [InlineData(OperatingMode.Observe, "propose", "will only be recorded")]
    [InlineData(OperatingMode.Propose, "propose", null)]
    [InlineData(OperatingMode.Enforce, "enforce", null)]
    public void What_the_configuration_does_not_let_through_is_said(OperatingMode configured, string mode, string? warning)
    {
        var warnings = Warnings($"steps:\n  - {{ id: a, action: kill }}\n{Verify}mode: {mode}\nguards: {{ maxRuns: [ {{ count: 1, per: 1h }} ] }}\n", configured);

        if (warning is null) warnings.Should().BeEmpty();
        else warnings.Should().ContainSingle().Which.Should().StartWith("f.yaml:6:11: step 'a' " + warning);
    }
}
