using System.Text.Json;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Execution;

/// <summary>Small vocabulary and playbooks for tests of runs.</summary>
internal static class RunFixture
{
    public const string IncidentType = "test.trouble";

    public static readonly DateTimeOffset Origin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly Vocabulary Vocabulary = new(
        [new IncidentType(IncidentType, [new("violations", FieldType.Int, true), new("principal", FieldType.String, false), new("counted", FieldType.Int, false) { Counted = true }])],
        [
            Spec("note", RiskClass.None, undo: false, idempotent: true),
            Spec("contain", RiskClass.Contain, undo: true, idempotent: true),
            Spec("disrupt", RiskClass.Disrupt, undo: true, idempotent: false),
            Spec("destroy", RiskClass.Destroy, undo: false, idempotent: false),
            Spec("outside", RiskClass.Disrupt, undo: false, idempotent: true) with { Anywhere = true },
            new ActionSpec("call", RiskClass.Disrupt, [new("text", FieldType.String, false), new("token", FieldType.String, false) { Secret = true }], [new("id", FieldType.String, true)], false, true),
            new ActionSpec("notify", RiskClass.None, [new("channel", FieldType.String, true), new("text", FieldType.String, true)], [], false, true) { Anywhere = true },
        ],
        [new ProbeSpec("health", [], [new("healthy", FieldType.Bool, true)])],
        ["api_token"]);

    private static ActionSpec Spec(string name, RiskClass risk, bool undo, bool idempotent) =>
        new(name, risk, [new("value", FieldType.Int, false)], [new("value", FieldType.Int, true)], undo, idempotent);

    public static string Yaml(string body, string name = "test_playbook") => $$"""
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: {{name}}, version: 1, owner: tests, description: a test }
        trigger:
          - event: {{IncidentType}}
        {{body}}
        """;

    public static Playbook Load(string body, string name = "test_playbook")
    {
        var result = PlaybookLoader.Load([("test.yaml", Yaml(body, name))], Vocabulary);
        result.Errors.Should().BeEmpty();
        return result.Playbooks.Single();
    }

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();

    public static JsonElement Incident(long violations = 10) => Json($$"""
        { "id": "i-1", "key": "k", "type": "{{IncidentType}}", "severity": "high", "node": "n1", "subject": "rogue",
          "openedAt": "2026-01-02T03:04:05Z", "occurrences": 1, "violations": {{violations}}, "counted": {{violations}}, "principal": "rogue" }
        """);
}

/// <summary>A run on a journal in memory, with a clock that is moved by hand.</summary>
internal sealed class RunBench(Playbook playbook)
{
    public RunMachine Machine { get; } = new(playbook, RunFixture.Vocabulary);
    public List<RunEvent> Journal { get; } = [];
    public RunState State { get; private set; } = RunState.Empty;
    public DateTimeOffset Now { get; set; } = RunFixture.Origin;
    public long Violations { get; set; } = 10;
    public string? Held { get; set; }
    public Func<RiskClass, OperatingMode> Autonomy { get; set; } = _ => OperatingMode.Enforce;

    /// <summary>Nodes of the cluster; null: not known.</summary>
    public List<TargetNode>? Nodes { get; set; }

    /// <summary>The node that carries the run.</summary>
    public string Self { get; set; } = "n1";

    public OperatingMode Global { get; set; } = OperatingMode.Enforce;

    /// <summary>Kernels that the number in <c>value</c> stands for, with their own remediation.</summary>
    public Dictionary<string, OperatingMode?> Kernels { get; } = [];

    public RunView View => new(Now, RunFixture.Incident(Violations), Held, Autonomy)
    {
        Global = Global,
        Nodes = Nodes,
        Self = Self,
        Touches = (_, _) => new TouchedTargets([], [.. Kernels.Keys], null),
        Remediation = Kernels.GetValueOrDefault,
        Kernels = 5,
    };

    public RunBench Begin(bool containmentOnly = false)
    {
        Write(Machine.Start("r", "i-1", "k", "n1", 42, "test", View) with { ContainmentOnly = containmentOnly });
        return this;
    }

    public void Write(RunEvent e)
    {
        Journal.Add(e);
        State = State.Apply(e);
    }

    /// <summary>Persists until there is something to carry out or to wait for.</summary>
    public RunDecision Settle()
    {
        for (var i = 0; i < 1_000; i++)
        {
            var decision = Machine.Decide(State, View);
            if (decision.Events.Count == 0) return decision;
            foreach (var e in decision.Events) Write(e);
        }

        throw new InvalidOperationException("the machine goes on deciding without end: " + Journal[^1]);
    }

    public void Tell(RunInput input)
    {
        foreach (var e in Machine.Handle(State, input, View)) Write(e);
    }

    public void Answer(OutcomeKind kind, string? reason = null)
    {
        var (key, attempt) = Settle().Commands.Single() switch
        {
            RunCommand.Dispatch x => (x.Key, x.Attempt),
            RunCommand.Resolve x => (x.Key, 0),
            RunCommand.Cancel x => (x.Key, 0),
            var other => throw new InvalidOperationException($"{other}"),
        };
        Tell(new RunInput.Outcome(key, kind, RunFixture.Json("""{ "value": 7 }"""), reason, attempt));
    }

    public void Probe(bool healthy)
    {
        foreach (var probe in Settle().Commands.OfType<RunCommand.Probe>())
            Tell(new RunInput.Probed(probe.Id, RunFixture.Json($$"""{ "healthy": {{(healthy ? "true" : "false")}} }"""), null));
    }

    /// <summary>The process dies; another reads the journal.</summary>
    public void Crash()
    {
        State = Journal.Aggregate(RunState.Empty, (s, e) => s.Apply(e));
        Write(new RunRecovered { At = Now, Epoch = State.Epoch + 1 });
    }

    public StepPhase Phase(string step) => State.Step(step)!.Phase;
}
