using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

/// <summary>Scenarios as texts: the tests read them as a user writes them.</summary>
internal static class ChaosTexts
{
    public const string Flooded = "message_bus.acl_violation.control_topic_flood";

    public static Scenario Spam(string? text = null) => Read(text ?? SpamText);

    public static Scenario Control() => Read(ControlText);

    public static Scenario Read(string text)
    {
        var loaded = ScenarioLoader.Load([("test.yaml", text)]);
        loaded.Errors.Should().BeEmpty();
        return loaded.Scenarios.Should().ContainSingle().Which;
    }

    public const string SpamText = """
        apiVersion: guardian/v1
        kind: Scenario
        metadata: { name: S02_acl_spam, title: flood }
        steadyState:
          - { probe: bus.health, check: result.healthy }
          - { probe: bus.violations, with: { subject: rogue, window: 300ms }, check: result.count == 0 }
        load: { principals: 5, rate: 500/s, topics: ["library.books.>"] }
        fault: { kind: bus.flood, with: { principal: rogue, topic: system.control, count: 100, over: 400ms }, ttl: 30s }
        evidence: { probe: bus.violations, with: { subject: rogue, window: 300ms }, check: result.count >= 1 }
        expect:
          incident: message_bus.acl_violation.control_topic_flood
          playbook: message_bus_acl_violation_fix
          mustNotRun: [resource_pressure_cpu]
          incidents: 1
          runs: 1
          minViolations: 5
          totalViolations: 100
          detectWithin: 1s
          bannedWithin: 1s
          recoverWithin: 10s
          resolveWithin: 10s
          stableFor: 500ms
          latency: { windows: 1, length: 400ms, factor: 2, slack: 20ms }
        verify: [ { probe: blacklist.contains, with: { principal: rogue }, check: result.banned } ]
        """;

    public const string ControlText = """
        apiVersion: guardian/v1
        kind: Scenario
        metadata: { name: S00_control, title: nothing }
        steadyState: [ { probe: bus.health, check: result.healthy } ]
        load: { principals: 5, rate: 500/s, topics: ["library.books.>"] }
        duration: 800ms
        expect: { incidents: 0, runs: 0, notBanned: true }
        """;
}
