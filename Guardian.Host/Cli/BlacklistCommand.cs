using System.CommandLine;
using System.Text.Json.Nodes;

namespace Guardian.Host.Cli;

/// <summary><c>guardian blacklist list|add|remove</c>.</summary>
internal static class BlacklistCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("blacklist", "Bans");
        command.Add(List(options));
        command.Add(Add(options));
        command.Add(Remove(options));
        return command;
    }

    private static Command List(CliOptions options)
    {
        var command = new Command("list", "Bans in force");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            options.Output(parsed).List(await client.GetAsync("api/v1/blacklist", cancellation), "nobody is banned",
                "principal=principal", "until=until", "offences=offences", "owner=owner", "reason=reason");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Add(CliOptions options)
    {
        var principal = new Argument<string>("principal") { Description = "Who" };
        var length = new Option<string>("--for") { Description = "How long, e.g. 10m", DefaultValueFactory = _ => "10m" };
        var reason = new Option<string?>("--reason") { Description = "Why" };
        var command = new Command("add", "Ban a principal") { principal, length, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var output = options.Output(parsed);
            var answer = await client.SendAsync(HttpMethod.Put, "api/v1/blacklist/" + Uri.EscapeDataString(parsed.GetRequiredValue(principal)),
                new JsonObject { ["for"] = parsed.GetValue(length), ["reason"] = parsed.GetValue(reason) }, cancellation);
            if (output.Json) output.JsonLine(answer);
            else output.Line($"{CliOutput.Text(answer, "principal")} is banned until {CliOutput.Text(answer, "until")}");
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Remove(CliOptions options)
    {
        var principal = new Argument<string>("principal") { Description = "Who" };
        var command = new Command("remove", "Lift every ban of a principal, clear its counters and exempt it for 10 minutes") { principal };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            var who = parsed.GetRequiredValue(principal);
            await client.SendAsync(HttpMethod.Delete, "api/v1/blacklist/" + Uri.EscapeDataString(who), null, cancellation);
            options.Output(parsed).Line($"{who} is free");
            return ExitCodes.Done;
        });
        return command;
    }
}
