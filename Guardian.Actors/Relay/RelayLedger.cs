namespace Guardian.Actors.Relay;

/// <summary>What has arrived from one origin: counts gaps as losses and takes nothing twice. Pure.</summary>
internal sealed class RelayLedger
{
    private long _incarnation;
    private long _last;

    /// <summary>True where the message is new.</summary>
    /// <param name="incarnation">Start of the origin's process; an older one is refused.</param>
    /// <param name="sequence">From 1 in each incarnation.</param>
    /// <param name="lost">How many before it never came.</param>
    public bool Take(long incarnation, long sequence, out long lost)
    {
        lost = 0;
        if (incarnation < _incarnation) return false;
        if (incarnation > _incarnation) (_incarnation, _last) = (incarnation, 0);
        if (sequence <= _last) return false;
        lost = sequence - _last - 1;
        _last = sequence;
        return true;
    }
}
