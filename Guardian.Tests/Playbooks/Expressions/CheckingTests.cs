using System.Diagnostics;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using static Guardian.Tests.Playbooks.Expressions.ExpressionFixture;

namespace Guardian.Tests.Playbooks.Expressions;

public sealed class CheckingTests
{
    [Theory]
    [InlineData("incident.violatons > 1", 9, "'incident' has no 'violatons'; did you mean 'violations'?")]
    [InlineData("incidnt.violations > 1", 0, "unknown name 'incidnt'; did you mean 'incident'?")]
    [InlineData("true && steps.asses.score > 1", 14, "'steps' has no 'asses'; did you mean 'assess'?")]
    [InlineData("steps.assess.level == 'x'", 13, "'steps.assess' has no 'level'; known are: score, severity")]
    [InlineData("steps.later.x == 1", 6, "step 'later' runs later")]
    [InlineData("incident.principal == 'x'", 0, "'incident.principal' may be missing; ask has(incident.principal) first")]
    [InlineData("has(incident.principal) || incident.principal == 'x'", 27, "'incident.principal' may be missing; ask has(incident.principal) first")]
    [InlineData("incident.topic > 5", 15, "'>' needs two numbers, durations or texts; here are a text and a whole number")]
    [InlineData("incident.topic.length > 5", 15, "'incident.topic' is a text and has no members")]
    [InlineData("incident.violations == 'x'", 20, "'==' needs two values of one simple type; here are a whole number and a text")]
    [InlineData("incident.violations in ['x']", 20, "'in' looks in a list of a text; here are a whole number and a list")]
    [InlineData("incident.violations + 'x' > 1", 20, "'+' needs two numbers; here are a whole number and a text")]
    [InlineData("incident.violations && true", 20, "'&&' needs booleans; here are a whole number and a boolean")]
    [InlineData("!incident.violations", 0, "'!' needs a boolean, not a whole number")]
    [InlineData("incident.violations", 0, "a boolean is needed here, not a whole number")]
    [InlineData("incident.firing ? 1 : 'x'", 16, "both sides of ':' must have one type; they are a whole number and a text")]
    [InlineData("1 in [1, 'x']", 9, "the items of a list have one type; this is a text, the ones before are a whole number")]
    [InlineData("incident.violations = 3", 20, "'=' is no operator; compare with '=='")]
    [InlineData("true & false", 5, "'&' is no operator; write '&&'")]
    [InlineData("true && ", 7, "an expression is expected after the operator")]
    [InlineData("(1 < 2", 6, "')' is expected here")]
    [InlineData("[1, 2", 5, "']' is expected here")]
    [InlineData("1 < 2)", 5, "unexpected ')'")]
    [InlineData("incident.", 9, "a name is expected after '.'")]
    [InlineData("1 < ${incident.violations}", 4, "'${…}' has no place in a bare expression; write the expression alone")]
    [InlineData("'open", 0, "an expression is expected here")]
    [InlineData("10x > 1", 0, "'10x' is neither a number nor a duration such as 200ms, 10s, 5m, 1h")]
    [InlineData("99999999999999999999 > 1", 0, "'99999999999999999999' is too large for a whole number")]
    [InlineData("incident.principal == null", 22, "there is no null; ask with has(name) whether a value is there")]
    [InlineData("", 0, "the expression is empty")]
    [InlineData("sizeof(incident.topic) > 1", 0, "unknown function 'sizeof'; did you mean 'size'?")]
    [InlineData("incident.topic.startswith('x')", 15, "unknown function 'startswith'; did you mean 'startsWith'?")]
    [InlineData("startsWith('x')", 0, "'startsWith' follows its subject: x.startsWith(…)")]
    [InlineData("incident.topic.matches(incident.topic)", 15, "matches() takes one pattern, written as a text in quotes")]
    [InlineData("incident.topic.exists(x, true)", 15, "exists() needs a list, not a text")]
    [InlineData("[1].exists(incident, true)", 11, "'incident' is taken; choose another name for the variable")]
    [InlineData("[1].exists(x, 1)", 14, "exists() needs a condition, not a whole number")]
    [InlineData("steps == 1", 0, "'steps' is no value; name one of its members")]
    [InlineData("size(1) > 1", 0, "size() needs a text or a list, not a whole number")]
    [InlineData("max('a', 'b') == 'b'", 0, "max() needs numbers or durations, not a text")]
    [InlineData("1 / 0 > 1", 4, "'/' by zero has no value")]
    [InlineData("incident.violations % 0 == 1", 22, "'%' by zero has no value")]
    [InlineData("max([]) > 1", 0, "max() of an empty list has no value")]
    [InlineData("incident.severity == 'hihg'", 21, "it is never 'hihg'; did you mean 'high'?")]
    [InlineData("'x' != incident.severity", 0, "it is never 'x'; known are: critical, high, low, medium")]
    [InlineData("incident.severity in ['high', 'urgent']", 30, "it is never 'urgent'; known are: critical, high, low, medium")]
    public void Error_has_its_place_and_a_remedy(string text, int offset, string message)
    {
        var errors = Errors(text);

        errors.Should().Contain(new ExpressionError(offset, message), "errors are {0}", string.Join("; ", errors));
    }

    [Fact]
    public void All_errors_of_an_expression_are_reported() =>
        Errors("incident.a == 1 && incident.b == 2 && incident.topic > 3").Select(x => x.Offset).Should().Equal(9, 28, 53);

    [Theory]
    [InlineData("incident.topic.matches('(?=x)')")]
    [InlineData("incident.topic.matches('(a)\\\\1')")]
    [InlineData("incident.topic.matches('[')")]
    public void Pattern_that_needs_backtracking_or_is_malformed_is_refused(string text) =>
        Errors(text).Should().ContainSingle().Which.Message.Should().StartWith("the pattern is not usable");

    [Fact]
    public void Catastrophic_pattern_costs_linear_time()
    {
        var expression = ExpressionCompiler.Require("incident.topic.matches('^(a+)+$')", Names, FieldType.Bool);
        var scope = new EvaluationScope { Incident = Json($$"""{"topic":"{{new string('a', 5_000)}}b"}""") };
        var watch = Stopwatch.StartNew();

        expression.Test(scope).Should().BeFalse();
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(5));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { new string('(', 10_000), "characters; at most" },
        { new string('[', 1_000), "nested deeper" },
        { string.Concat(Enumerable.Repeat("true ? ", 140)), "nested deeper" },
        { new string('!', 1_000) + "true", "operators in one chain" },
        { string.Join('+', Enumerable.Repeat("1", 500)) + " > 1", "operators in one chain" },
        { "has(" + string.Join('.', Enumerable.Repeat("x", 400)) + ")", "operators in one chain" },
        { new string('a', 1_025), "characters; at most" },
        { "'" + new string('(', 1_000), "an expression is expected here" },
        { "\0", "an expression is expected here" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_text_is_refused_clearly(string text, string message) =>
        Errors(text).Should().Contain(x => x.Message.Contains(message));
}
