using Guardian.Actors.Hosting;

namespace Guardian.Actors.Monitoring;

/// <summary>What the rules remember of one principal.</summary>
internal sealed class WatchedPrincipal(AclMonitorOptions options)
{
    /// <summary>A principal that spreads over more control topics than this meets the spam and the total rule.</summary>
    private const int ControlTopics = 16;

    private LruTable<string, SlidingWindow<byte>>? _control;

    public Episode? Episode { get; set; }

    public SlidingWindow<byte> Spam { get; } = new(options.SpamViolations, options.SpamWindow);

    public LeakyBucket Total;

    public bool Blamed => Episode is { Blamed: true };

    public SlidingWindow<byte> Control(string topic)
    {
        _control ??= new(ControlTopics, comparer: StringComparer.Ordinal);
        if (!_control.TryUse(topic, out var window))
            _control.Set(topic, window = new(options.ControlTopicViolations, options.ControlTopicWindow));
        return window;
    }
}

/// <summary>What the rules remember of one topic; entries carry their principal.</summary>
internal sealed class WatchedTopic(AclMonitorOptions options)
{
    public Episode? Episode { get; set; }

    public SlidingWindow<string> Spam { get; } = new(options.SpamViolations, options.SpamWindow);

    public SlidingWindow<string> Control { get; } = new(options.ControlTopicViolations, options.ControlTopicWindow);

    public void Forget(Predicate<string> principal)
    {
        Spam.RemoveAll(principal);
        Control.RemoveAll(principal);
    }
}

/// <summary>One violation, or several of which only the last one's time is known.</summary>
internal readonly record struct ViolationEvent(ViolationDelta Delta, DateTimeOffset At, long Weight)
{
    public string Principal => Delta.Row.Principal;

    public string Topic => Delta.Row.Topic;

    /// <summary>
    /// The delta's violations, each at its time; those without one are joined to the earliest known.
    /// No event lies in the future: a node whose clock is ahead must not hide what comes after.
    /// </summary>
    public static IEnumerable<ViolationEvent> Of(ViolationDelta delta, DateTimeOffset now)
    {
        if (delta.Denied <= 0) yield break;
        if (delta.Times.Count == 0)
        {
            yield return new(delta, now, delta.Denied);
            yield break;
        }

        for (var i = 0; i < delta.Times.Count; i++)
        {
            var at = delta.Times[i] > now ? now : delta.Times[i];
            yield return new(delta, at, i == 0 ? delta.Denied - delta.Times.Count + 1 : 1);
        }
    }
}
