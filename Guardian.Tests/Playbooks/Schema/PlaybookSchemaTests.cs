using System.Text.Json.Nodes;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Schema;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;
using NJsonSchema;

namespace Guardian.Tests.Playbooks.Schema;

public sealed class PlaybookSchemaTests
{
    private static readonly Vocabulary Vocabulary = GuardianVocabulary.Of(new GuardianOptions());
    private static readonly string Text = PlaybookSchema.Generate(Vocabulary);
    private static readonly Lazy<Task<JsonSchema>> Parsed = new(() => JsonSchema.FromJsonAsync(Text));

    private static string ShippedFile(string name) => Path.Combine(RepositoryFiles.Folder("playbooks"), name);

    public static TheoryData<string> Shipped => [.. Directory.GetFiles(RepositoryFiles.Folder("playbooks"), "*.yaml").Select(x => Path.GetFileName(x)).Order(StringComparer.Ordinal)];

    /// <summary>As an editor reads it: YAML's own types.</summary>
    private static string Json(string yaml)
    {
        var sink = new ErrorSink("f");
        var root = YamlReader.Read(yaml, sink);
        sink.Errors.Should().BeEmpty();
        return Node(root!)!.ToJsonString();
    }

    private static JsonNode? Node(YamlNode node) => node switch
    {
        { IsNull: true } => null,
        { Kind: YamlKind.List } => new JsonArray([.. node.Items.Select(Node)]),
        { Kind: YamlKind.Map } => new JsonObject(node.Entries.Select(x => KeyValuePair.Create(x.Key, Node(x.Value)))),
        _ => JsonNode.Parse(new Template(Guardian.Playbooks.Validation.Literals.Part(node)).Render(new EvaluationScope()).GetRawText()),
    };

    private static async Task<IReadOnlyList<string>> ErrorsAsync(string yaml) => [.. (await Parsed.Value).Validate(Json(yaml)).Select(x => $"{x.Path}: {x.Kind}")];

    [Fact]
    public void The_shipped_schema_is_the_generated_one() =>
        File.ReadAllText(ShippedFile(PlaybookSchema.FileName)).Should().Be(Text, "'guardian playbooks schema > playbooks/" + PlaybookSchema.FileName + "' writes it anew");

    [Theory]
    [MemberData(nameof(Shipped))]
    public async Task Shipped_playbooks_fit(string file) => (await ErrorsAsync(File.ReadAllText(ShippedFile(file)))).Should().BeEmpty();

    [Theory]
    [InlineData("kind: Playbook", "kind: Playbok")]
    [InlineData("apiVersion: guardian/v1\n", "")]
    [InlineData("version: 1", "version: one")]
    [InlineData("version: 1", "version: 0")]
    [InlineData("name: message_bus_acl_violation_fix", "name: Not A Name")]
    [InlineData("mode: enforce\ntrigger", "mode: enforced\ntrigger")]
    [InlineData("onConflict: attach", "onConflicts: attach")]
    [InlineData("onConflict: attach", "onConflict: ignore")]
    [InlineData("holdFor: 0s", "holdFor: soon")]
    [InlineData("holdFor: 0s", "holdFor: 30")]
    [InlineData("cooldown: 30s", "cooldwon: 30s")]
    [InlineData("scope: key", "scope: keys")]
    [InlineData("count: 5", "count: 0")]
    [InlineData("- event: message_bus.acl_violation.actor_blacklist", "- event: message_bus.acl_violation.actor_blacklst")]
    [InlineData("id: assess", "id: as-sess")]
    [InlineData("action: severity.assess", "action: severity.asses")]
    [InlineData("action: bus.restart", "action: bus.restart\n    with: { hard: true }")]
    [InlineData("action: bus.restart", "action: bus.restart\n    undo: auto")]
    [InlineData("action: bus.restart", "action: bus.restart\n    onErrors: continue")]
    [InlineData("rate: 10/s, for: 5m", "rate: 10/w, for: 5m")]
    [InlineData("rate: 10/s, for: 5m", "rate: 10/s, for: 5")]
    [InlineData("rate: 10/s, for: 5m", "for: 5m")]
    [InlineData("denialsOnly: true", "denialsOnly: 'yes'")]
    [InlineData("denialsOnly: true", "denialOnly: true")]
    [InlineData("with: { violations: \"${incident.violations}\" }", "with: { violations: many }")]
    [InlineData("    with: { violations: \"${incident.violations}\" }\n", "")]
    [InlineData("attempts: 3, backoff: exponential", "attempts: 3, backoff: quadratic")]
    [InlineData("attempts: 3, backoff", "attempts: 99, backoff")]
    [InlineData("jitter: true }", "jitter: much }")]
    [InlineData("onError: continue", "onError: ignore")]
    [InlineData("if: incident.violations > 200", "if: [incident.violations > 200]")]
    [InlineData("probe: bus.violations", "probe: bus.violation")]
    [InlineData("with: { subject: \"${incident.subject}\" }", "with: { subjects: \"${incident.subject}\" }")]
    [InlineData("succeedAfter: 2", "succeedAfter: 0")]
    [InlineData("check: result.healthy\n", "\n")]
    [InlineData("order: reverse", "order: forward")]
    [InlineData("on: [step_failed, cancelled]", "on: [step_fails]")]
    [InlineData("verdict: resolved", "verdict: fine")]
    [InlineData("incident: { principal: rogue, topic", "incident: { principl: rogue, topic")]
    [InlineData("violations: 200 }", "violations: many }")]
    public async Task Planted_errors_that_a_schema_can_see_are_rejected_by_it_and_by_the_loader(string right, string wrong)
    {
        var yaml = File.ReadAllText(ShippedFile("message_bus_acl_violation_fix.yaml"));
        var at = yaml.IndexOf(right, StringComparison.Ordinal);
        at.Should().BeGreaterThan(0, right);
        yaml = yaml[..at] + wrong + yaml[(at + right.Length)..];

        (await ErrorsAsync(yaml)).Should().NotBeEmpty();
        PlaybookLoader.Load([("f", yaml)], Vocabulary).Errors.Should().NotBeEmpty();
    }

    /// <summary>Everything that the language has, in one file that both accept.</summary>
    private const string Everything = """
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: everything, version: 3, owner: tests, description: All of it. }
        mode: propose
        trigger: [ { event: policy.regression, when: incident.violations > 3 } ]
        onConflict: drop
        holdFor: 1s
        guards:
          cooldown: 30s
          maxRuns: [ { count: 5, per: 1h, scope: key } ]
        timeout: 10m
        approval: { timeout: 1m, default: reject }
        vars: { channel: security, limits: { high: 5 } }
        steps:
          - id: limit
            if: has(incident.principal)
            action: bus.rate_limit
            with: { topic: "${incident.topic}", rate: 10/s, for: "5m", denialsOnly: true, principal: "${incident.principal}" }
            skipWhen: { probe: bus.health, check: result.healthy, within: 1s }
            retry: { attempts: 2, backoff: constant, initial: 100ms, max: 1s, jitter: false }
            timeout: 5s
            undo: auto
            undoOn: [resolved, step_failed]
            onError: continue
            on: all
            mode: propose
            approval: { timeout: 30s, default: approve }
          - id: tell
            action: notify
            with: { channel: "${vars.channel}", text: hello }
            on: role:edge
            undo: { action: notify, with: { channel: log, text: "taken back" } }
        verify:
          - { id: ok, probe: bus.health, with: {}, check: result.healthy, every: 1s, succeedAfter: 2, within: 10s }
        rollback: { on: [step_failed, cancelled, verify_failed], order: reverse, then: escalate }
        finally:
          - { id: last, action: bus.restart }
        tests:
          - name: t
            given:
              event: policy.regression
              incident: { principal: p, topic: t, violations: 5, policyHash: abc }
              mode: enforce
              outcomes: { limit: [failed, succeeded], tell: failed }
              undo: { limit: failed }
              probes: { limit: { healthy: false }, ok: [failed, { healthy: true }] }
              approvals: { limit: approved }
              cancelAfter: limit
            expect: { ran: [], skipped: [], observed: [], undone: [], verdict: escalated }
        """;

    [Fact]
    public async Task What_the_language_has_both_accept()
    {
        PlaybookLoader.Load([("f", Everything)], Vocabulary).Errors.Should().BeEmpty();
        (await ErrorsAsync(Everything)).Should().BeEmpty();
    }

    /// <summary>The loader names the keys that it knows; the schema must have the same, so that neither is forgotten.</summary>
    [Theory]
    [InlineData("apiVersion: guardian/v1", "apiVersion: guardian/v1\nqqqqqqqq: 1", "")]
    [InlineData("owner: tests", "qqqqqqqq: 1", "properties/metadata")]
    [InlineData("when: incident.violations > 3", "qqqqqqqq: 1", "properties/trigger/items")]
    [InlineData("cooldown: 30s", "cooldown: 30s\n  qqqqqqqq: 1", "properties/guards")]
    [InlineData("scope: key", "qqqqqqqq: 1", "properties/guards/properties/maxRuns/items")]
    [InlineData("timeout: 1m, default: reject", "timeout: 1m, qqqqqqqq: 1", "properties/approval")]
    [InlineData("    undoOn: [resolved, step_failed]", "    qqqqqqqq: 1", "definitions/step.bus.rate_limit")]
    [InlineData("attempts: 2, backoff: constant", "attempts: 2, qqqqqqqq: 1", "definitions/stepForm/properties/retry")]
    [InlineData("check: result.healthy, within: 1s", "check: result.healthy, qqqqqqqq: 1s", "definitions/skipWhen.bus.health")]
    [InlineData("every: 1s, succeedAfter", "qqqqqqqq: 1s, succeedAfter", "definitions/check.bus.health")]
    [InlineData("order: reverse", "qqqqqqqq: reverse", "properties/rollback")]
    [InlineData("mode: enforce\n", "qqqqqqqq: 1\n", "definitions/given.policy.regression")]
    [InlineData("ran: []", "qqqqqqqq: []", "properties/tests/items/properties/expect")]
    public void The_schema_has_the_keys_that_the_loader_knows(string right, string wrong, string path)
    {
        Everything.Should().Contain(right);
        var message = PlaybookLoader.Load([("f", Everything.Replace(right, wrong, StringComparison.Ordinal))], Vocabulary).Errors
            .Select(x => x.Message).First(x => x.Contains("qqqqqqqq", StringComparison.Ordinal));
        var known = message[(message.IndexOf("known are: ", StringComparison.Ordinal) + 11)..].Split(", ");

        var schema = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(JsonNode.Parse(Text)!, (node, key) => node[key]!);

        schema["properties"]!.AsObject().Select(x => x.Key).Should().BeEquivalentTo(known);
        schema["additionalProperties"]!.GetValue<bool>().Should().BeFalse();
    }

    [Fact]
    public void Every_action_probe_and_incident_type_is_in_it_with_a_description_for_every_field()
    {
        var definitions = JsonNode.Parse(Text)!["definitions"]!;
        foreach (var action in Vocabulary.Actions.Values) definitions[$"step.{action.Name}"]!["description"]!.GetValue<string>().Should().StartWith(action.Summary);
        foreach (var (name, inputs) in Vocabulary.Actions.Values.Select(x => (x.Name, x.Inputs)).Concat(Vocabulary.Probes.Values.Select(x => (x.Name, x.Inputs))))
        {
            definitions[$"with.{name}"]!["properties"]!.AsObject().Select(x => x.Key).Should().Equal(inputs.Select(x => x.Name));
            definitions[$"with.{name}"]!["properties"]!.AsObject().Should().OnlyContain(x => x.Value!["description"] != null, name);
        }

        definitions["event"]!["enum"]!.AsArray().Select(x => x!.GetValue<string>()).Should().BeEquivalentTo(Vocabulary.Incidents.Keys);
    }

    [Fact]
    public void What_an_application_registers_is_in_its_schema()
    {
        var own = new Vocabulary([new IncidentType("shop.trouble", [new("order", FieldType.String, true)])],
            [new ActionSpec("shop.close", RiskClass.Disrupt, [new("id", FieldType.Int, true, "The shop.") , new("key", FieldType.String, true) { Secret = true }], [], false, true, "Closes a shop.")], []);

        var definitions = JsonNode.Parse(PlaybookSchema.Generate(own))!["definitions"]!;

        definitions["step.shop.close"]!["description"]!.GetValue<string>().Should().Be("Closes a shop. Risk: disrupt.");
        definitions["with.shop.close"]!["required"]!.AsArray().Should().HaveCount(2);
        definitions["with.shop.close"]!["properties"]!["key"]!["pattern"]!.GetValue<string>().Should().Contain("secrets");
    }
}
