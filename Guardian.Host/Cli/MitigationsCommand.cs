using System.CommandLine;

namespace Guardian.Host.Cli;

/// <summary><c>guardian mitigations</c>: what is restricted now, by whom, until when.</summary>
internal static class MitigationsCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("mitigations", "What is restricted now, by whom, until when");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            options.Output(parsed).List(await client.GetAsync("api/v1/mitigations", cancellation), "nothing is restricted",
                "id=id", "target=target", "effect=effect", "owner=owner", "until=until", "reason=reason");
            return ExitCodes.Done;
        });
        var id = new Argument<string>("id") { Description = "As the list shows it" };
        var remove = new Command("remove", "Lift one restriction") { id };
        remove.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Client(parsed);
            await client.SendAsync(HttpMethod.Delete, "api/v1/mitigations/" + Uri.EscapeDataString(parsed.GetRequiredValue(id)), null, cancellation);
            options.Output(parsed).Line("lifted");
            return ExitCodes.Done;
        });
        command.Add(remove);
        return command;
    }
}
