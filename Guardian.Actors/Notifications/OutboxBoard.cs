using System.Collections.Concurrent;

namespace Guardian.Actors.Notifications;

/// <summary>The last figures of each outbox on this node, for metrics and status, read from any thread.</summary>
internal sealed class OutboxBoard
{
    private readonly ConcurrentDictionary<string, OutboxStatus> _channels = new(StringComparer.Ordinal);

    public IReadOnlyCollection<OutboxStatus> Channels => [.. _channels.Values.OrderBy(x => x.Channel, StringComparer.Ordinal)];

    public void Post(OutboxStatus status) => _channels[status.Channel] = status;

    public void Remove(string channel) => _channels.TryRemove(channel, out _);
}
