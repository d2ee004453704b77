using CsCheck;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using static Guardian.Tests.Playbooks.Expressions.ExpressionFixture;

namespace Guardian.Tests.Playbooks.Expressions;

public sealed class RandomExpressionTests
{
    private static readonly string[] Atoms =
    [
        "1", "0", "2.5", "'a'", "'high'", "true", "false", "10s", "5m", "[]", "[1, 2]", "['a', 'high']", "[1s]", "incident.violations", "incident.load",
        "incident.topic", "incident.severity", "incident.lease", "incident.tags", "incident.firing", "incident.principal", "steps.assess.score", "node", "x",
    ];

    private static readonly string[] Binary = ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "/", "%", "in"];

    /// <summary>Arithmetic and data may have no value; a type error after the check would be a fault of the checker. Nothing here is of type Any but items of a JSON list.</summary>
    private static readonly string[] Permitted = ["division by zero", "out of range", "not finite", "negative", "empty list"];

    private static Gen<string> OneOf(string[] choices) => Gen.Int[0, choices.Length - 1].Select(x => choices[x]);

    private static readonly Gen<string> Expression = Gen.Recursive<string>((depth, self) => depth >= 4
        ? OneOf(Atoms)
        : Gen.Frequency(
            (3, OneOf(Atoms)),
            (6, Gen.Select(self, OneOf(Binary), self, (a, op, b) => $"({a} {op} {b})")),
            (1, self.Select(a => $"!{a}")),
            (1, self.Select(a => $"-{a}")),
            (1, Gen.Select(self, self, self, (a, b, c) => $"({a} ? {b} : {c})")),
            (1, self.Select(a => $"size({a})")),
            (1, Gen.Select(self, self, (a, b) => $"max({a}, {b})")),
            (1, Gen.Select(self, self, (a, b) => $"({a}).contains({b})")),
            (1, Gen.Select(self, self, (a, b) => $"({a}).exists(x, {b})")),
            (1, self.Select(a => $"(has(incident.principal) && {a})"))));

    [Fact]
    public void What_the_checker_accepts_never_fails_for_its_types()
    {
        var accepted = 0;
        Expression.Sample(
            text =>
            {
                var (expression, errors) = ExpressionCompiler.Compile(text, Names, FieldType.Any);
                if (expression is null) return errors.Count > 0 && errors.All(x => x.Offset >= 0 && x.Offset <= text.Length);
                Interlocked.Increment(ref accepted);
                expression.Explain(Scope);
                try
                {
                    var value = expression.Evaluate(Scope);
                    return TypeRules.Assignable(expression.Type, value.Kind);
                }
                catch (EvaluationException e)
                {
                    // Items of incident.tags are known only at run time; all other types are checked before.
                    return Permitted.Any(e.Message.Contains) || text.Contains("incident.tags", StringComparison.Ordinal);
                }
            },
            iter: 30_000, threads: 1);
        accepted.Should().BeGreaterThan(1_000, "a test that accepts nothing proves nothing");
    }

    [Fact]
    public void Random_text_is_parsed_or_refused_with_a_place() =>
        Gen.String[Gen.OneOf(Gen.Char["()[]!-+*/%<>=&|?:.,'\"\\ $_{}019abcinstrue"], Gen.Char), 0, 60].Sample(
            text =>
            {
                var (expression, errors) = ExpressionCompiler.Compile(text, Names, FieldType.Any);
                return expression is not null ? errors.Count == 0 : errors.Count > 0 && errors.All(x => x.Offset >= 0 && x.Offset <= text.Length);
            },
            iter: 30_000, threads: 1);
}
