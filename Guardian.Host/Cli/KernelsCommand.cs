using System.CommandLine;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian kernels</c>: the list, and an operator's word on one of them.</summary>
internal static class KernelsCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("kernels", "Kernels of a running node");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            options.Output(parsed).List(await client.GetAsync("api/v1/kernels", cancellation), "no kernel is declared",
                "name=name", "type=type", "state=state", "criticality=criticality", "class=class", "running=running", "wanted=wanted", "restarts=restarts", "last heartbeat=lastHeartbeat", "reason=reason");
            return ExitCodes.Done;
        });
        var length = new Option<string>("--for") { Description = "How long, e.g. 10m", DefaultValueFactory = _ => "10m" };
        var percent = new Option<int>("--percent") { Description = "Of its workers or CPU", Required = true };
        var force = new Option<bool>("--force") { Description = "KILL at once" };
        var change = new Option<int?>("--change") { Description = "Replicas more, or with a minus fewer" };
        var replicas = new Option<int?>("--replicas") { Description = "So many" };
        command.Add(Verb(options, "pause", "Hold a kernel still", [length], x => new JsonObject { ["for"] = x.GetValue(length) }));
        command.Add(Verb(options, "throttle", "Let a kernel do less", [length, percent], x => new JsonObject { ["for"] = x.GetValue(length), ["percent"] = x.GetValue(percent) }));
        command.Add(Verb(options, "resume", "Lift every pause and throttle of a kernel", [], _ => []));
        command.Add(Verb(options, "restart", "Restart a kernel, also out of a crash loop", [force], x => new JsonObject { ["force"] = x.GetValue(force) }));
        command.Add(Verb(options, "stop", "Stop a kernel until it is restarted", [], _ => []));
        command.Add(Verb(options, "scale", "Change the replicas within the kernel's bounds", [change, replicas],
            x => new JsonObject { ["change"] = x.GetValue(change), ["replicas"] = x.GetValue(replicas) }));
        JobsCommands.AddTo(command, options);
        return command;
    }

    private static Command Verb(CliOptions options, string verb, string description, IReadOnlyList<Option> own, Func<ParseResult, JsonObject> body)
    {
        var name = new Argument<string>("name") { Description = "The kernel" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command(verb, description) { name, reason };
        foreach (var option in own) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var request = body(parsed);
            request["reason"] = parsed.GetValue(reason);
            var answer = await client.SendAsync(HttpMethod.Post, $"api/v1/kernels/{Uri.EscapeDataString(parsed.GetRequiredValue(name))}/{verb}", request, cancellation);
            if (output.Json) output.JsonLine(answer);
            else output.Line($"{CliOutput.Text(answer, "name")}: {CliOutput.Text(answer, "state")}, {CliOutput.Text(answer, "running")} of {CliOutput.Text(answer, "wanted")} replicas run");
            return ExitCodes.Done;
        });
        return command;
    }
}
