using System.CommandLine;
using System.Text.Json.Nodes;
using Guardian.Actors.Access;
using Guardian.Playbooks.Validation;

namespace Guardian.Host.Cli;

/// <summary><c>guardian policy check</c>: allowed or denied, by which rule; <c>diff</c>: what would change; without a running node.</summary>
internal static class PolicyCommand
{
    /// <summary>One question needs no cache; this is its least size.</summary>
    private const int Cache = 1_000;

    public static Command Create(CliOptions options)
    {
        var command = new Command("policy", "The access policy");
        command.Add(Check(options));
        command.Add(PolicyDiffCommand.Create(options));
        return command;
    }

    private static Command Check(CliOptions options)
    {
        var principal = new Option<string>("--principal") { Description = "Who", Required = true };
        var publish = new Option<string?>("--publish") { Description = "May it publish on this topic?" };
        var subscribe = new Option<string?>("--subscribe") { Description = "May it subscribe to this topic or pattern?" };
        var file = new Option<string?>("--file") { Description = "The policy, by default Guardian:Files:Policy" };
        var command = new Command("check", "Allowed or denied, and by which rule; exit code 1 where denied") { principal, publish, subscribe, file };
        command.SetAction(parsed =>
        {
            var (topic, operation) = (parsed.GetValue(publish), parsed.GetValue(subscribe)) switch
            {
                ({ } x, null) => (x, BusOperation.Publish),
                (null, { } x) => (x, BusOperation.Subscribe),
                _ => throw new CliException(ExitCodes.Usage, "policy check: give either --publish <topic> or --subscribe <topic>"),
            };
            if (operation == BusOperation.Publish ? !TopicNames.IsTopic(topic) : !TopicNames.IsPattern(topic, out _))
                throw new CliException(ExitCodes.Usage, $"'{topic}' is not a topic: 1 to 255 characters in dot-separated segments; '*' and '>' in subscriptions only");
            var output = options.Output(parsed);
            var path = ShippedFiles.Find(parsed.GetValue(file) ?? options.Configured.Files.Policy);
            return Load(path, output) is { } policy ? Answer(output, policy, parsed.GetRequiredValue(principal), topic, operation) : ExitCodes.Negative;
        });
        return command;
    }

    private static int Answer(CliOutput output, AccessPolicy policy, string principal, string topic, BusOperation operation)
    {
        var decision = policy.Decide(principal, topic, operation);
        var verb = operation == BusOperation.Publish ? "publish on" : "subscribe to";
        if (output.Json)
        {
            output.Writer.WriteLine(new JsonObject
            {
                ["allowed"] = decision.Allowed,
                ["rule"] = decision.RuleId,
                ["principal"] = principal,
                ["operation"] = operation == BusOperation.Publish ? "publish" : "subscribe",
                ["topic"] = topic,
                ["policy"] = policy.Hash,
            }.ToJsonString());
        }
        else
        {
            output.Line($"{(decision.Allowed ? "allowed" : "denied")}: {principal} may {(decision.Allowed ? "" : "not ")}{verb} {topic} (rule {decision.RuleId})"
                + (policy.IsDeclared(principal) ? "" : $"; the policy does not declare '{principal}'"));
        }

        return decision.Allowed ? ExitCodes.Done : ExitCodes.Negative;
    }

    /// <summary>Null where it has errors, which are told.</summary>
    internal static AccessPolicy? Load(string path, CliOutput output)
    {
        IReadOnlyList<FileError> errors;
        try
        {
            if (PolicyStore.TryCompile(path, File.ReadAllText(path), Cache, out var policy, out errors)) return policy;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors = [new FileError(path, 0, 0, $"cannot be read: {e.Message}")];
        }

        foreach (var error in errors) output.Problem(error.ToString());
        return null;
    }
}
