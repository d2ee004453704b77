using Akka.Actor;
using Guardian.Actors.Notifications;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>The outbox is durable and knows every key: it is the record that outlives the agent.</summary>
internal static class OutboxCall
{
    /// <summary>A title is one line on a phone or in a list of tickets.</summary>
    private const int LongestTitle = 120;

    /// <exception cref="ActionFailedException">The outbox does not take it.</exception>
    public static async Task DeliverAsync(IActorRef outbox, Deliver message, CancellationToken cancellation)
    {
        var answer = await Asking.UntilAnsweredAsync<OutboxAccepted>(outbox, message, cancellation).ConfigureAwait(false);
        if (!answer.Accepted) throw new ActionFailedException($"channel '{message.Channel}' did not take the {message.Kind}: {answer.Reason}");
    }

    public static async Task<bool> HasAsync(IActorRef outbox, string channel, string key, CancellationToken cancellation) =>
        (await Asking.UntilAnsweredAsync<OutboxAccepted>(outbox, new AskDelivery { Channel = channel, Key = key }, cancellation).ConfigureAwait(false)).Accepted;

    public static string Title(string text)
    {
        var line = text.AsSpan().Trim();
        var end = line.IndexOfAny('\r', '\n');
        if (end >= 0) line = line[..end];
        return line.Length <= LongestTitle ? line.ToString() : string.Concat(line[..(LongestTitle - 1)], "…");
    }
}
