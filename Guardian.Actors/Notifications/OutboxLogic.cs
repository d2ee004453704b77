using System.Globalization;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Notifications;

/// <summary>What an outbox decides: whether it takes an item, and what follows an attempt. Pure.</summary>
internal sealed class OutboxLogic(NotificationOptions options)
{
    /// <summary>Wait after the first failure.</summary>
    public static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait between two attempts.</summary>
    public static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait that a receiver may ask for by <c>Retry-After</c>.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>The answer to a request, and the event it needs first; no event where the key is known or the outbox full.</summary>
    public (OutboxAccepted Answer, DeliveryAccepted? Event) Take(OutboxState state, Deliver item, DateTimeOffset now)
    {
        if (state.Knows(item.Key)) return (Yes(item.Key), null);
        if (state.Pending >= options.MaxPending)
        {
            return (new OutboxAccepted
            {
                Key = item.Key,
                Accepted = false,
                Reason = string.Create(CultureInfo.InvariantCulture,
                    $"channel '{item.Channel}' has {state.Pending} items waiting (Guardian:Notifications:MaxPending); its receiver does not take them"),
            }, null);
        }

        return (Yes(item.Key), new DeliveryAccepted { At = now, Item = item });
    }

    /// <summary>The answer to a question about a key.</summary>
    public static OutboxAccepted Ask(OutboxState state, AskDelivery question) => state.Knows(question.Key)
        ? Yes(question.Key)
        : new OutboxAccepted { Key = question.Key, Accepted = false, Reason = $"key '{question.Key}' was not accepted by channel '{question.Channel}'" };

    /// <summary>
    /// What follows an attempt of the item in front: an event that ends it, or the wait until the next attempt. Order is kept: an item
    /// that cannot be delivered holds up those behind it until it is dead. Each of those still gets one attempt of its own.
    /// </summary>
    /// <param name="head">The item.</param>
    /// <param name="attempts">Attempts so far, this one included.</param>
    /// <param name="result">How the attempt ended.</param>
    /// <param name="now">Present time, UTC.</param>
    /// <param name="random">0 to 1, spreads the retries of many nodes.</param>
    public (OutboxEvent? Event, TimeSpan Wait) AfterAttempt(DeliveryAccepted head, int attempts, ChannelResult result, DateTimeOffset now, double random)
    {
        switch (result)
        {
            case ChannelResult.Delivered:
                return (new DeliveryDone { At = now, Key = head.Item.Key, Attempts = attempts }, TimeSpan.Zero);
            case ChannelResult.Refused refused:
                return (Dead(refused.Reason), TimeSpan.Zero);
            case ChannelResult.Retry retry when now - head.At >= options.DeadAfter.Value:
                return (Dead($"not delivered within {options.DeadAfter} (Guardian:Notifications:DeadAfter); last: {retry.Reason}"), TimeSpan.Zero);
            case ChannelResult.Retry retry:
                return (null, Wait(attempts, retry.After, random));
            default:
                throw new ArgumentOutOfRangeException(nameof(result), result, "unknown result");
        }

        DeliveryDead Dead(string reason) => new() { At = now, Key = head.Item.Key, Attempts = attempts, Reason = reason };
    }

    /// <summary>Exponential from <see cref="FirstRetry"/> to <see cref="LongestRetry"/>, the upper half of it random; at least what the receiver asked for.</summary>
    public static TimeSpan Wait(int attempts, TimeSpan? after, double random)
    {
        var factor = Math.Pow(2, Math.Min(attempts - 1, 20));
        var wait = TimeSpan.FromTicks(Math.Min(LongestRetry.Ticks, (long)(FirstRetry.Ticks * factor)));
        var spread = wait * (0.5 + random / 2);
        if (after is not { } asked) return spread;
        return asked > LongestRetryAfter ? LongestRetryAfter : asked > spread ? asked : spread;
    }

    private static OutboxAccepted Yes(string key) => new() { Key = key, Accepted = true };
}
