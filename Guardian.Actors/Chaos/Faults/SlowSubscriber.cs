using System.ComponentModel;
using Guardian.Actors.Bus;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>A subscriber that does not read, and a publisher that goes on: the queue between them fills up to its bound, then publishes are refused.</summary>
internal sealed class SlowSubscriber : ChaosFault<SlowSubscriber.Input>
{
    private const int Batch = 50; // published between two looks at the clock

    internal sealed record Input(
        [property: Description("A principal that may read the topic.")] string Subscriber,
        [property: Description("A principal that may publish on it.")] string Publisher,
        [property: Description("A concrete topic that nobody else reads.")] string Topic,
        [property: Description("Messages, more than the queue's bound; at most 100,000.")] int Count,
        [property: Description("Spread evenly; 3s where not given.")] Duration? Over = null,
        [property: Description("The subscriber goes on not reading for so long; 3s where not given.")] Duration? For = null)
    {
        public TimeSpan Spread => Over?.Value ?? TimeSpan.FromSeconds(3);

        public TimeSpan Hold => For?.Value ?? TimeSpan.FromSeconds(3);
    }

    public override string Name => "bus.slow_subscriber";

    public override string Summary => "A subscriber that does not read while its topic is published on.";

    public override bool InNode => true;

    public override string UndoText => "the node ends the subscription at the fault's end";

    /// <summary>Instant: its evidence is a count of refusals, which stays when the subscription is gone.</summary>
    public override FaultFacts Facts(Input input) => new() { Instant = true, Length = input.Spread + input.Hold };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.Count is < 1 or > 100_000 ? "'count' must be 1 to 100000"
        : input.Topic.Contains('*') || input.Topic.Contains('>') ? "'topic' must be a concrete one, without wildcards"
        : input.Spread + input.Hold >= ttl ? "'ttl' ends the fault before it is through"
        : null;

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var parts = (context.Guardian ?? throw new InvalidOperationException("runs inside a node only")).Parts;
        var (result, stream) = parts.ClientPort(input.Subscriber).OpenStream(input.Topic);
        using var unread = stream ?? throw new InvalidOperationException($"{input.Subscriber} may not read {input.Topic}: {result.Outcome}");
        var publisher = parts.ClientPort(input.Publisher);
        var start = context.Clock.Now;
        try
        {
            var refused = 0;
            for (var i = 0; i < input.Count; i++)
            {
                if (i % Batch == 0) await context.Clock.UntilAsync(start + input.Spread / input.Count * i, withdraw).ConfigureAwait(false);
                if (publisher.Publish(input.Topic, default).Outcome == PublishOutcome.QueueFull) refused++;
            }

            if (refused == 0) throw new InvalidOperationException($"{input.Count} messages did not fill the queue: it has no bound, or 'count' is below it");
            await Task.Delay(input.Hold, context.Time, withdraw).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (withdraw.IsCancellationRequested)
        {
            // Withdrawn.
        }
    }
}
