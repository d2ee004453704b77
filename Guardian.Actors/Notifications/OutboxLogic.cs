using System.Globalization;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Notifications;

/// <summary>What to do with the item in front: persist <see cref="Event"/>, or send it, or, with neither, look again after <see cref="Wait"/>.</summary>
/// <param name="Event">To persist; null where nothing changes.</param>
/// <param name="Send">True: the item in front is to be sent.</param>
/// <param name="Wait">Look again then; null: when something comes.</param>
internal readonly record struct OutboxStep(OutboxEvent? Event, bool Send = false, TimeSpan? Wait = null);

/// <summary>
/// What an outbox decides: whether it takes an item, what becomes of the one in front, and what follows an attempt. Pure.
/// Up to <see cref="ChannelOptions.MaxItems"/> items are sent within <see cref="ChannelOptions.Per"/>; further ones are collected
/// and told by one digest.
/// </summary>
/// <param name="options">Bounds of every channel.</param>
/// <param name="channel">Rate of this channel.</param>
/// <param name="keepsState">
/// True for a receiver that keeps what is current (Alertmanager): what ends an alert passes the rate, there is one at most per alert.
/// </param>
internal sealed class OutboxLogic(NotificationOptions options, ChannelOptions channel, bool keepsState = false)
{
    private static readonly string[] Severities = ["low", "medium", "high", "critical"];

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
        if (item is { Kind: ItemKind.Resolved, IncidentId: { } incident })
        {
            var over = item.Resolves?.Select(x => x.Key).ToHashSet(StringComparer.Ordinal) ?? [];
            IReadOnlyList<ToldNotice> told = [.. state.Told(incident).Where(x => over.Contains(x.Key))];
            if (told.Count == 0) return (Yes(item.Key), null); // nobody heard of it, or heard of its end already
            item = item with { Resolves = told };
        }

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

    /// <summary>True for what the rate bounds. Work items are bounded by their being one per subject, digests by their own time.</summary>
    public static bool CountsTowardsRate(Deliver item) => item.Kind is ItemKind.Notification or ItemKind.Resolved;

    /// <summary>The greater severity.</summary>
    public static string Worse(string a, string b) => Array.IndexOf(Severities, b) > Array.IndexOf(Severities, a) ? b : a;

    /// <summary>The answer to the end of an incident, and the event it needs first; no event where the channel was told nothing of it, or does not want to know.</summary>
    public (OutboxAccepted Answer, DeliveryAccepted? Event) Take(OutboxState state, TellResolved over)
    {
        var told = keepsState || channel.SendResolved ? state.Told(over.IncidentId) : [];
        if (told.Count == 0) return (Yes(over.Key), null);
        return Take(state, new Deliver
        {
            Channel = over.Channel,
            Key = over.Key,
            Kind = ItemKind.Resolved,
            Title = $"{over.State}: {over.IncidentKey}",
            Text = $"Incident {over.IncidentId} ({over.IncidentKey}) is {over.State}: {over.Reason}",
            Severity = told.Select(x => x.Severity).Aggregate(Worse),
            IncidentId = over.IncidentId,
            IncidentKey = over.IncidentKey,
            IncidentType = told[0].IncidentType,
            Playbook = told[0].Playbook,
            Resolves = told,
            At = over.At,
        }, over.At);
    }

    /// <summary>What to do now. A digest that is due comes after what waits already.</summary>
    /// <param name="state">The outbox.</param>
    /// <param name="muted">Why a silence keeps an item from the channel; null where none does.</param>
    /// <param name="now">Present time, UTC.</param>
    public OutboxStep Next(OutboxState state, Func<Deliver, string?> muted, DateTimeOffset now)
    {
        if (state.Collected is { } collected && DigestAt(state, collected) <= now) return new OutboxStep(Digest(state, collected, now));
        if (state.Head is not { } head)
            return new OutboxStep(null, Wait: state.Collected is { } waiting ? DigestAt(state, waiting) - now : null);

        var item = head.Item;
        if (item.Kind == ItemKind.Notification && muted(item) is { } silence)
            return new OutboxStep(new DeliveryMuted { At = now, Key = item.Key, Reason = silence });
        var free = keepsState && item.Kind == ItemKind.Resolved;
        if (!free && CountsTowardsRate(item) && state.SentSince(now - channel.Per.Value) >= channel.MaxItems)
            return new OutboxStep(new DeliveryCollected { At = now, Key = item.Key });
        return new OutboxStep(null, Send: true);
    }

    private DateTimeOffset DigestAt(OutboxState state, CollectedItems collected)
    {
        var at = collected.Since + options.DigestAfter.Value;
        return state.LastDigest + channel.Per.Value is { } next && next > at ? next : at;
    }

    private DeliveryAccepted Digest(OutboxState state, CollectedItems so, DateTimeOffset now)
    {
        var title = string.Create(CultureInfo.InvariantCulture, $"{so.Count} further notifications since {so.Since:yyyy-MM-dd HH:mm:ss} UTC");
        var more = so.Count > so.Titles.Count ? string.Create(CultureInfo.InvariantCulture, $"\n… and {so.Count - so.Titles.Count} more") : "";
        return new DeliveryAccepted
        {
            At = now,
            Item = new Deliver
            {
                Channel = state.Channel,
                Key = string.Create(CultureInfo.InvariantCulture, $"digest/{state.Channel}/{so.Since.UtcTicks}"),
                Kind = ItemKind.Digest,
                Title = title,
                Text = string.Create(CultureInfo.InvariantCulture,
                    $"The channel takes {channel.MaxItems} notifications per {channel.Per}; these came beyond that:\n{string.Join('\n', so.Titles.Select(x => "- " + x))}{more}"),
                Severity = so.Severity,
                At = now,
            },
        };
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
            case ChannelResult.Delivered done:
                return (new DeliveryDone { At = now, Key = head.Item.Key, Attempts = attempts, Reference = done.Reference }, TimeSpan.Zero);
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
