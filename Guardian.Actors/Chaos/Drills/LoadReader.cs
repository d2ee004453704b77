using System.Collections.Concurrent;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Reads what the load and, though it must not arrive, the flood put on the bus.</summary>
internal sealed class LoadReader(DrillClock clock, string drill, FloodTally tally) : IAsyncDisposable
{
    private readonly ConcurrentQueue<Delivery> _deliveries = new();
    private readonly List<(IChaosSubscription Subscription, Task Reading)> _open = [];
    private readonly CancellationTokenSource _stop = new();

    public IReadOnlyList<Delivery> Deliveries => [.. _deliveries];

    public int Count => _deliveries.Count;

    /// <summary>Why a subscription ended by itself; null while all stand.</summary>
    public string? Broken { get; private set; }

    public async Task OpenAsync(IChaosTarget target, string principal, string pattern, CancellationToken cancellation)
    {
        var subscription = await target.SubscribeAsync(principal, pattern, cancellation).ConfigureAwait(false);
        _open.Add((subscription, Task.Run(() => ReadAsync(subscription, $"{principal} on {pattern}"), CancellationToken.None)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var (subscription, reading) in _open)
        {
            await subscription.DisposeAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private async Task ReadAsync(IChaosSubscription subscription, string what)
    {
        try
        {
            await foreach (var message in subscription.Messages(_stop.Token).ConfigureAwait(false))
            {
                if (Operations.IsLoad(message.Body, drill)) _deliveries.Enqueue(new Delivery(message.Body, message.Principal, message.Topic, clock.Now));
                else if (Operations.IsFlood(message.Body, drill)) tally.Delivered();
            }

            if (!_stop.IsCancellationRequested) Broken ??= $"the subscription of {what} ended";
        }
        catch (Exception e) when (_stop.IsCancellationRequested)
        {
            _ = e;
        }
        catch (Exception e)
        {
            // A broken reader must not end the process; the missing deliveries and this line tell.
            Broken ??= $"the subscription of {what} broke: {e.Message}";
        }
    }
}
