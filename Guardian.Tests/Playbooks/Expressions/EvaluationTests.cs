using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using static Guardian.Tests.Playbooks.Expressions.ExpressionFixture;

namespace Guardian.Tests.Playbooks.Expressions;

public sealed class EvaluationTests
{
    [Theory]
    [InlineData("incident.violations > 200 && incident.severity in ['high']", true)]
    [InlineData("incident.violations > 237", false)]
    [InlineData("incident.violations >= 237", true)]
    [InlineData("incident.violations < 237.5", true)]
    [InlineData("incident.violations == 237.0", true)]
    [InlineData("incident.violations != 237", false)]
    [InlineData("incident.severity == \"high\"", true)]
    [InlineData("incident.severity == 'hi' + 'gh'", true)]
    [InlineData("incident.severity in ['low', 'medium']", false)]
    [InlineData("'b' in incident.tags", true)]
    [InlineData("2 in [1, 2.0, 3]", true)]
    [InlineData("has(incident.principal)", false)]
    [InlineData("!has(incident.principal)", true)]
    [InlineData("has(incident.topic)", true)]
    [InlineData("has(incident.extra.x) && incident.extra.x == 1", true)]
    [InlineData("has(incident.extra.y)", false)]
    [InlineData("has(incident.principal) && incident.principal == 'rogue'", false)]
    [InlineData("!has(incident.principal) || incident.principal == 'rogue'", true)]
    [InlineData("has(incident.principal) ? incident.principal == 'rogue' : incident.firing", true)]
    [InlineData("incident.lease == 10m", true)]
    [InlineData("incident.lease > 599s && incident.lease < 1h", true)]
    [InlineData("incident.lease + 10m == 20m", true)]
    [InlineData("200ms < 10s && 1h == 60m && 1d > 23h", true)]
    [InlineData("1 + 2 * 3 == 7", true)]
    [InlineData("(1 + 2) * 3 == 9", true)]
    [InlineData("7 - 2 - 1 == 4", true)]
    [InlineData("7 / 2 == 3 && 7 % 2 == 1", true)]
    [InlineData("7 / 2.0 == 3.5", true)]
    [InlineData("-3 + 5 == 2 && - -2 == 2", true)]
    [InlineData("!!true && !false", true)]
    [InlineData("false && true || true", true)]
    [InlineData("true || incident.violations / (1 - 1) == 1", true)]
    [InlineData("false ? 1 == 2 : true ? true : false", true)]
    [InlineData("size(incident.topic) == 14 && incident.tags.size() == 2 && size([]) == 0", true)]
    [InlineData("incident.topic.startsWith('system.') && incident.topic.endsWith('control') && incident.topic.contains('m.c')", true)]
    [InlineData("incident.topic.matches('^system[.][a-z]+$')", true)]
    [InlineData("incident.topic.matches('^user')", false)]
    [InlineData("incident.tags.exists(x, x == 'b')", true)]
    [InlineData("incident.tags.all(x, x == 'b')", false)]
    [InlineData("[].all(x, false) && ![].exists(x, true)", true)]
    [InlineData("result.rows.exists(r, r.n > 4 && r.name == 'b')", true)]
    [InlineData("result.rows.all(r, has(r.n)) && !result.rows.exists(r, has(r.zz))", true)]
    [InlineData("[1, 2].all(x, [3, 4].exists(y, y > x))", true)]
    [InlineData("min(3, 1, 2) == 1 && max([1, 2.5]) == 2.5 && max(1s, 1m) == 1m", true)]
    [InlineData("steps.assess.score == 7 && vars.channel == 'security' && node == 'n1' && run.epoch == 3", true)]
    [InlineData("result.count == 0", true)]
    [InlineData("'it\\'s' == \"it's\" && 'a\\nb' != 'a b'", true)]
    [InlineData("  1<2  ", true)]
    [InlineData("interval_is_no_keyword_in(1)", null)]
    [InlineData("'a' < 'b'", true)]
    public void Value_is_the_one_of_the_CEL_specification(string text, bool? expected)
    {
        if (expected is { } value) Test(text).Should().Be(value);
        else Errors(text).Should().ContainSingle().Which.Message.Should().StartWith("unknown function");
    }

    [Theory]
    [InlineData("incident.violations / (incident.violations - incident.violations) == 1", "division by zero")]
    [InlineData("incident.violations % (incident.violations - incident.violations) == 1", "division by zero")]
    [InlineData("9223372036854775807 + incident.violations > 0", "out of range")]
    [InlineData("incident.load / (incident.load - incident.load) > 1.0", "not finite")]
    [InlineData("10s - incident.lease > 1s", "negative")]
    [InlineData("max(incident.tags) > 1", "needs numbers")]
    [InlineData("has(incident.extra) && incident.extra > 1", "cannot be ordered")]
    [InlineData("has(incident.extra) && incident.extra.nope == 1", "incident.extra.nope is missing")]
    [InlineData("has(incident.extra) && incident.extra == 1", "cannot be compared")]
    public void What_has_no_value_says_why(string text, string reason) =>
        FluentActions.Invoking(() => Test(text)).Should().Throw<EvaluationException>().Which.Message.Should().Contain(reason).And.Contain(text);

    [Fact]
    public void Missing_name_is_an_error_that_names_it() =>
        FluentActions.Invoking(() => ExpressionCompiler.Require("incident.violations > 1", Names, FieldType.Bool).Test(new EvaluationScope()))
            .Should().Throw<EvaluationException>().WithMessage("*incident.violations is missing*");

    [Fact]
    public void A_value_of_another_type_than_declared_is_refused() =>
        FluentActions.Invoking(() => ExpressionCompiler.Require("incident.violations > 1", Names, FieldType.Bool)
                .Test(new EvaluationScope { Incident = Json("""{"violations":"many"}""") }))
            .Should().Throw<EvaluationException>().WithMessage("*incident.violations is a text but was declared as a whole number*");

    [Fact]
    public void Cost_budget_ends_an_expensive_evaluation()
    {
        var scope = new EvaluationScope { Incident = Json($$"""{"tags":[{{string.Join(',', Enumerable.Range(0, 1000))}}]}""") };
        var expression = ExpressionCompiler.Require("incident.tags.all(x, incident.tags.all(y, x + y >= 0))", Names, FieldType.Bool);

        FluentActions.Invoking(() => expression.Test(scope)).Should().Throw<EvaluationException>().WithMessage("*costs more than*");
    }

    [Fact]
    public void Explain_shows_the_values_it_saw()
    {
        var expression = ExpressionCompiler.Require("incident.violations > 200 && incident.severity == 'high' && has(incident.principal)", Names, FieldType.Bool);

        expression.Explain(Scope).Should().Be(
            "incident.violations > 200 && incident.severity == 'high' && has(incident.principal) [incident.violations = 237, incident.severity = 'high', incident.principal is missing]");
        expression.Explain(new EvaluationScope()).Should().Contain("incident.violations is missing");
    }

    [Fact]
    public void Evaluation_allocates_next_to_nothing()
    {
        var expression = ExpressionCompiler.Require("incident.violations > 200 && incident.severity in ['high']", Names, FieldType.Bool);
        expression.Test(Scope).Should().BeTrue();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) expression.Test(Scope);

        ((GC.GetAllocatedBytesForCurrentThread() - before) / 1_000).Should().BeLessThanOrEqualTo(128);
    }

    /// <summary>Its time is shown by the benchmark; what it allocates is the same everywhere.</summary>
    [Fact]
    public void A_condition_allocates_at_most_128_bytes()
    {
        var names = NameTable.Empty.WithIncident([new FieldSpec("violations", FieldType.Int, true)]);
        var condition = ExpressionCompiler.Require("incident.violations > 200 && incident.severity in ['high']", names, FieldType.Bool);
        var scope = new EvaluationScope { Incident = System.Text.Json.JsonElement.Parse("""{ "severity": "high", "violations": 237 }""") };
        for (var i = 0; i < 100; i++) condition.Test(scope).Should().BeTrue();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) condition.Test(scope);
        ((GC.GetAllocatedBytesForCurrentThread() - before) / 1_000).Should().BeLessThanOrEqualTo(128);
    }
}
