using System.Text.Json;
using CsCheck;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Validation;

public sealed class TemplateTests
{
    [Fact]
    public void Lone_expression_keeps_its_type_and_text_is_rendered()
    {
        var playbook = Load("""
            vars: { wait: 10m, deep: { n: [1, two] } }
            steps:
              - { id: assess, action: severity.assess, with: { violations: "${incident.violations}" } }
              - { id: pause, action: wait, with: { for: "${vars.wait}" } }
              - { id: tell, action: notify, with: { channel: c, text: "${incident.violations} at ${incident.topic}, ${vars.wait}, ${1.5}, ${vars.deep.n}, ${'}'}" } }
            """);
        var scope = new EvaluationScope
        {
            Incident = JsonElement.Parse("""{"violations":7,"topic":"a.b"}"""),
            Vars = playbook.Vars,
        };

        playbook.Steps[0].With.Render(scope).GetRawText().Should().Be("""{"violations":7}""");
        playbook.Steps[1].With.Render(scope).GetRawText().Should().Be("""{"for":"10m"}""");
        playbook.Steps[2].With.Render(scope).GetProperty("text").GetString().Should().Be("7 at a.b, 10m, 1.5, [1,\"two\"], }");
    }

    [Fact]
    public void Rendered_values_are_never_parsed_again()
    {
        var step = Load("""steps: [ { id: a, action: task.create, with: { title: "${incident.topic}", body: "<${incident.topic}>" } } ]""").Steps[0];
        Gen.OneOf(Gen.String, Gen.Const("${incident.topic}"), Gen.Const("\"}, {\"x\":\"${1}"), Gen.Const("'+'\\${"))
            .Select(Sanitize)
            .Sample(
                topic =>
                {
                    var rendered = step.With.Render(new EvaluationScope { Incident = JsonSerializer.SerializeToElement(new { topic }) });
                    return rendered.GetProperty("title").GetString() == topic && rendered.GetProperty("body").GetString() == $"<{topic}>"
                        && rendered.EnumerateObject().Count() == 2;
                },
                iter: 2_000, threads: 1);
    }

    [Fact]
    public void Missing_value_says_which_name_is_missing() =>
        FluentActions.Invoking(() => Load("""steps: [ { id: a, action: task.create, with: { title: "${incident.topic}" } } ]""").Steps[0].With.Render(new EvaluationScope()))
            .Should().Throw<EvaluationException>().WithMessage("*incident.topic is missing*");

    [Fact]
    public void Rendered_input_is_bounded() =>
        FluentActions.Invoking(() => Load("""steps: [ { id: a, action: task.create, with: { title: "${incident.topic}${incident.topic}" } } ]""").Steps[0].With
                .Render(new EvaluationScope { Incident = JsonSerializer.SerializeToElement(new { topic = new string('x', 40_000) }) }))
            .Should().Throw<EvaluationException>().WithMessage("*larger than 65536 bytes*");

    // Lone surrogates cannot be written as JSON; they never come in, bodies are parsed as UTF-8.
    private static string Sanitize(string text) => new([.. text.Where(x => !char.IsSurrogate(x))]);

    private static Playbook Load(string rest)
    {
        var result = PlaybookLoader.Load([("f", PlaybookLoaderTests.Minimal(rest))], TestVocabulary.Instance);
        result.Errors.Should().BeEmpty();
        return result.Playbooks.Single();
    }
}
