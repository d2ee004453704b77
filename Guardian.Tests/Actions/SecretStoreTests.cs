using System.Text.Json;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Autonomy;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Actions;

/// <summary>The value of a secret reaches the action and nothing else.</summary>
public sealed class SecretStoreTests : TestKit
{
    private const string Value = "s3cret\"value";
    private readonly string _file = Path.GetTempFileName();
    private readonly SayingAction _action = new();

    private void Ask(string input, string value = Value)
    {
        File.WriteAllText(_file, value + "\n");
        var secrets = new SecretStore(new Dictionary<string, SecretOptions> { ["token"] = new() { FromFile = _file }, ["lost"] = new() { FromEnvironment = "GUARDIAN_NO_SUCH_VARIABLE" } });
        var agent = Sys.ActorOf(NodeAgent.Props(new GuardianRegistry([], [_action], [], secrets), new ModeView(OperatingMode.Enforce, _ => OperatingMode.Enforce), TimeProvider.System));
        agent.Tell(new DispatchAction
        {
            Key = "run/step", Epoch = 1, Attempt = 1, RunId = "run", IncidentKey = "k", IncidentId = "i", Playbook = "p", Action = "test.say",
            Input = JsonElement.Parse(input), Deadline = DateTimeOffset.UtcNow.AddSeconds(30),
        }, TestActor);
    }

    [Fact]
    public async Task It_gets_the_value_and_its_answer_is_without_it()
    {
        Ask("""{ "token": { "$secret": ["Bearer ", { "name": "token" }, " {\"name\":\"lost\"}"] }, "text": "say" }""");
        var outcome = await ExpectMsgAsync<ActionOutcome>();
        _action.Seen.Should().Be($"Bearer {Value} {{\"name\":\"lost\"}}");
        outcome.Output!.Value.GetProperty("text").GetString().Should().Be("Bearer (secret token) {\"name\":\"lost\"}");
    }

    [Fact]
    public async Task An_error_does_not_tell_it()
    {
        Ask("""{ "token": { "$secret": [{ "name": "token" }] }, "text": "crash" }""");
        (await ExpectMsgAsync<ActionOutcome>()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Failed && x.Reason == "InvalidOperationException: I saw (secret token)");
    }

    /// <summary>A server's 502 may have had its effect: it must be undone.</summary>
    [Fact]
    public async Task An_outcome_that_nobody_knows_stays_unknown()
    {
        Ask("""{ "token": { "$secret": [{ "name": "token" }] }, "text": "unknown" }""");
        (await ExpectMsgAsync<ActionOutcome>()).Should().Match<ActionOutcome>(x => x.Kind == OutcomeKind.Unknown && x.Reason == "the server failed at (secret token)");
    }

    [Theory]
    [InlineData("true")]
    [InlineData("1234")]
    public async Task A_value_that_is_also_a_number_or_a_literal_leaves_the_answer_readable(string value)
    {
        Ask("""{ "token": { "$secret": [{ "name": "token" }] }, "text": "say" }""", value);
        var outcome = await ExpectMsgAsync<ActionOutcome>();
        outcome.Kind.Should().Be(OutcomeKind.Succeeded, outcome.Reason);
        var said = outcome.Output!.Value;
        said.GetProperty("text").GetString().Should().Be("(secret token)");
        said.GetProperty("said").GetBoolean().Should().BeTrue();
        said.GetProperty("times").GetInt32().Should().Be(12345);
        said.GetProperty("seen").EnumerateObject().Single().Name.Should().Be("(secret token)");
    }

    [Fact]
    public async Task A_form_of_a_secret_in_another_input_is_data()
    {
        Ask("""{ "text": "say", "other": { "$secret": [{ "name": "token" }] } }""");
        (await ExpectMsgAsync<ActionOutcome>()).Output!.Value.GetProperty("text").GetString().Should().Contain("$secret");
    }

    [Fact]
    public async Task A_secret_that_cannot_be_had_is_a_failure_with_its_name_and_place()
    {
        Ask("""{ "token": { "$secret": [{ "name": "lost" }] }, "text": "say" }""");
        (await ExpectMsgAsync<ActionOutcome>()).Reason.Should().Be("secret 'lost': the environment variable GUARDIAN_NO_SUCH_VARIABLE is not set on this node");
        _action.Seen.Should().BeNull();
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        File.Delete(_file);
    }

    internal sealed record SayInput(string Text, [property: Secret] string? Token = null, JsonElement? Other = null);

    internal sealed record SayOutput(string Text, bool Said, int Times, IReadOnlyDictionary<string, int> Seen);

    private sealed class SayingAction : GuardianAction<SayInput, SayOutput>
    {
        public string? Seen { get; private set; }
        public override string Name => "test.say";
        public override RiskClass Risk => RiskClass.None;

        public override Task<SayOutput> ExecuteAsync(SayInput input, ActionContext context, CancellationToken cancellation)
        {
            Seen = input.Token;
            if (input.Text == "crash") throw new InvalidOperationException($"I saw {input.Token}");
            if (input.Text == "unknown") throw new ActionUnknownException($"the server failed at {input.Token}");
            return Task.FromResult(new SayOutput(input.Token ?? input.Other?.GetRawText() ?? "", true, 12345, new Dictionary<string, int> { [input.Token ?? "none"] = 1 }));
        }
    }
}
