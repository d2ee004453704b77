namespace Guardian.Actors.Resources;

/// <summary>The node's latest sample, for status and metrics; read from any thread.</summary>
internal sealed class ResourceView
{
    private volatile ResourceSample? _latest;
    private long _samples;

    /// <summary>Null before the first, and where the monitor is off: unknown.</summary>
    public ResourceSample? Latest => _latest;

    /// <summary>Samples taken since the node started.</summary>
    public long Samples => Interlocked.Read(ref _samples);

    /// <summary>Keys of resources under pressure now.</summary>
    public IReadOnlyList<string> Pressed { get; set; } = [];

    public void Set(ResourceSample sample)
    {
        _latest = sample;
        Interlocked.Increment(ref _samples);
    }
}
