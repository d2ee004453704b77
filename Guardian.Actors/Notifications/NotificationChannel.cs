namespace Guardian.Actors.Notifications;

/// <summary>Where the items of one channel go.</summary>
internal interface INotificationChannel
{
    /// <summary>
    /// One attempt. Called off the actor's thread, one at a time; repeats carry the same key. Throws only where something
    /// unforeseen happened, which counts as <see cref="ChannelResult.Retry"/>.
    /// </summary>
    Task<ChannelResult> SendAsync(Sending item, CancellationToken cancellation);
}

/// <summary>An item to send.</summary>
/// <param name="Item">What.</param>
/// <param name="Repeated">True where an earlier attempt may have reached the receiver.</param>
/// <param name="Open">The work item of the same key as the receiver knows it; null where none was opened.</param>
/// <param name="Ends">The channel's receivers that are through with the item: they get it no more.</param>
internal sealed record Sending(Deliver Item, bool Repeated = false, OpenItem? Open = null, IReadOnlyList<ReceiverEnd>? Ends = null);

/// <summary>How an attempt ended.</summary>
internal abstract record ChannelResult
{
    public static ChannelResult Ok { get; } = new Delivered();

    /// <summary>Of a channel with several receivers: those that this attempt ended for.</summary>
    public IReadOnlyList<ReceiverEnd> Ended { get; init; } = [];

    /// <summary>The receiver has it. <paramref name="Reference"/>: what it calls it.</summary>
    public sealed record Delivered(string? Reference = null) : ChannelResult;

    /// <summary>Later, perhaps. <paramref name="After"/>: the receiver asked for so much patience.</summary>
    public sealed record Retry(string Reason, TimeSpan? After = null) : ChannelResult;

    /// <summary>Never: the receiver understood and said no.</summary>
    public sealed record Refused(string Reason) : ChannelResult;
}
