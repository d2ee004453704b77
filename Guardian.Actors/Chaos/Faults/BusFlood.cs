using System.ComponentModel;
using System.Globalization;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>Forbidden messages.</summary>
internal sealed class BusFlood : ChaosFault<BusFlood.Input>
{
    /// <summary>Forbidden messages under way at once.</summary>
    private const int InFlight = 32;

    private static readonly Duration DefaultOver = TimeSpan.FromSeconds(1);

    internal sealed record Input(
        [property: Description("Who; with several, the prefix of their names (rogue-01).")] string Principal,
        [property: Description("A concrete topic that the policy forbids them.")] string Topic,
        [property: Description("Messages of all principals together, 1 to 100,000.")] int Count = 100,
        [property: Description("1 to 1,000.")] int Principals = 1,
        [property: Description("Spread evenly; 0s is one burst, as fast as it goes; 1s where not given.")] Duration? Over = null,
        [property: Description("A principal allowed to read the topic: sees what is delivered though denied.")] string? Witness = null)
    {
        public TimeSpan Spread => (Over ?? DefaultOver).Value;

        public IReadOnlyList<string> Names => Principals == 1 ? [Principal] : [.. Enumerable.Range(1, Principals).Select(n => string.Create(CultureInfo.InvariantCulture, $"{Principal}-{n:00}"))];
    }

    public override string Name => "bus.flood";

    public override string Summary => "Messages that the policy denies.";

    public override string UndoText => "the flood lives in the runner's process and ends with it; bans are leases and lapse";

    public override FaultFacts Facts(Input input) => new()
    {
        Principals = input.Names, Subject = input.Principals == 1 ? input.Principal : input.Topic, Forbidden = input.Count,
        Topic = input.Topic, Witness = input.Witness, Length = input.Spread,
    };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.Count is < 1 or > 100_000 ? "'count' must be 1 to 100000"
        : input.Principals is < 1 or > 1_000 ? "'principals' must be 1 to 1000"
        : input.Topic.Contains('*') || input.Topic.Contains('>') ? "a flood needs one concrete topic, without wildcards"
        : input.Spread >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the flood before 'over' ({new Duration(input.Spread)}) is through"
        : null;

    /// <summary>Sends everything at its time and waits for all answers.</summary>
    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        using var room = new SemaphoreSlim(InFlight);
        var start = context.Clock.Now;
        var names = input.Names;
        var answers = new List<Task>(input.Count);
        try
        {
            for (var i = 0; i < input.Count; i++)
            {
                await context.Clock.UntilAsync(start + input.Spread / input.Count * i, withdraw).ConfigureAwait(false);
                await room.WaitAsync(withdraw).ConfigureAwait(false);
                var (principal, id) = (names[i % names.Count], Operations.Flood(context.Drill, i));
                // A burst is sent from this thread: a pool that is busy elsewhere would stretch it into a trickle. What is spread goes on
                // the pool, because an in-process target answers on the caller's thread and the flood must still be concurrent.
                answers.Add(input.Spread == TimeSpan.Zero
                    ? SendAsync(principal, input.Topic, id, context, room, withdraw)
                    : Task.Run(() => SendAsync(principal, input.Topic, id, context, room, withdraw), CancellationToken.None));
            }
        }
        catch (OperationCanceledException) when (withdraw.IsCancellationRequested)
        {
            // Withdrawn early: what is under way is still awaited below.
        }

        await Task.WhenAll(answers).ConfigureAwait(false);
    }

    private static async Task SendAsync(string principal, string topic, string id, FaultContext context, SemaphoreSlim room, CancellationToken withdraw)
    {
        try
        {
            var answer = await context.Target.PublishAsync(principal, topic, id, withdraw).ConfigureAwait(false);
            context.Tally?.Answered(principal, answer, context.Clock.Now);
        }
        finally
        {
            room.Release();
        }
    }
}
