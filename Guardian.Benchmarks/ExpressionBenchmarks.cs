using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;

namespace Guardian.Benchmarks;

/// <summary>A step's condition over an incident as runs see it. Bounds: at most 300 ns and 128 B.</summary>
[MemoryDiagnoser]
public class ExpressionBenchmarks
{
    private const string Text = "incident.violations > 200 && incident.severity in ['high']";

    private readonly NameTable _names = NameTable.Empty.WithIncident(BuiltInIncidents.All[0].Fields);
    private readonly EvaluationScope _scope = new()
    {
        Incident = JsonElement.Parse("""
            {"id":"3f2a","key":"acl/principal/rogue","type":"message_bus.acl_violation.spam_attack","severity":"high","node":"n1","subject":"rogue",
             "openedAt":"2026-01-01T00:00:00Z","occurrences":2,"principal":"rogue","topic":"system.control","violations":237}
            """),
    };

    private CompiledExpression _condition = null!;

    /// <summary>Compiles the condition once, as loading does.</summary>
    [GlobalSetup]
    public void Compile() => _condition = ExpressionCompiler.Require(Text, _names, FieldType.Bool);

    /// <summary>Evaluates.</summary>
    [Benchmark(Baseline = true)]
    public bool Evaluate() => _condition.Test(_scope);

    /// <summary>The same decision written in C#, to compare with.</summary>
    [Benchmark]
    public bool HandWritten() => _scope.Incident.GetProperty("violations").GetInt64() > 200 && _scope.Incident.GetProperty("severity").ValueEquals("high");

    /// <summary>Parses and checks, as loading does.</summary>
    [Benchmark]
    public object ParseAndCheck() => ExpressionCompiler.Require(Text, _names, FieldType.Bool);
}
