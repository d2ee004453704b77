using System.Collections.Concurrent;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>Reads what the load and, though it must not arrive, the flood put on the bus.</summary>
internal sealed class LoadReader(DrillClock clock, string drill, FloodTally tally, bool reconnects = false) : IAsyncDisposable
{
    /// <summary>Accepted so long before a node's death, a message may have died with it.</summary>
    public static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(5);

    /// <summary>Other nodes learn of a new subscription so late at most, on a busy machine: until then they do not send it what they accept.</summary>
    public static readonly TimeSpan Spread = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentQueue<Delivery> _deliveries = new();
    private readonly ConcurrentQueue<BlindSpan> _blind = new();
    private readonly List<(IChaosSubscription Subscription, Task Reading)> _open = [];
    private readonly CancellationTokenSource _stop = new();

    public IReadOnlyList<Delivery> Deliveries => [.. _deliveries];

    public int Count => _deliveries.Count;

    /// <summary>Where the node is killed on purpose: from moments before a subscription broke until it stood again and all nodes knew.</summary>
    public IReadOnlyList<BlindSpan> Blind => [.. _blind];

    /// <summary>Why a subscription ended by itself; null while all stand.</summary>
    public string? Broken { get; private set; }

    public async Task OpenAsync(IChaosTarget target, string principal, string pattern, CancellationToken cancellation)
    {
        var subscription = await target.SubscribeAsync(principal, pattern, cancellation).ConfigureAwait(false);
        _open.Add((subscription, Task.Run(() => ReadAsync(subscription, () => target.SubscribeAsync(principal, pattern, _stop.Token), $"{principal} on {pattern}"), CancellationToken.None)));
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

    private async Task ReadAsync(IChaosSubscription subscription, Func<Task<IChaosSubscription>> again, string what)
    {
        await ReadOnceAsync(subscription, what).ConfigureAwait(false);
        while (reconnects && !_stop.IsCancellationRequested)
        {
            var from = clock.Now - UnderWay;
            if (await ReopenAsync(again).ConfigureAwait(false) is not { } next) return;
            _blind.Enqueue(new BlindSpan(from, clock.Now + Spread));
            Broken = null;
            await using (next.ConfigureAwait(false)) await ReadOnceAsync(next, what).ConfigureAwait(false);
        }
    }

    private async Task<IChaosSubscription?> ReopenAsync(Func<Task<IChaosSubscription>> again)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                return await again().ConfigureAwait(false);
            }
            catch (Exception e) when (e is ChaosTargetException or OperationCanceledException)
            {
                await Task.Delay(Retry, clock.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        return null;
    }

    private async Task ReadOnceAsync(IChaosSubscription subscription, string what)
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
