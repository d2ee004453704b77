namespace Guardian.Actors.Monitoring;

/// <summary>One sensor: unknown for too long is a failure, which is raised once until the sensor is back. Pure.</summary>
internal sealed class SensorRule(TimeSpan after)
{
    private TimeSpan? _unknownSince;

    /// <summary>True from the failure until the sensor is back.</summary>
    public bool Failed { get; private set; }

    /// <summary>Entered: it failed. Left: it is back.</summary>
    public PressureChange Observe(TimeSpan clock, bool known)
    {
        if (known)
        {
            _unknownSince = null;
            if (!Failed) return PressureChange.None;
            Failed = false;
            return PressureChange.Left;
        }

        _unknownSince ??= clock;
        if (Failed || clock - _unknownSince < after) return PressureChange.None;
        Failed = true;
        return PressureChange.Entered;
    }

    /// <summary>Its incident came to an end; where the sensor is still dead, it has as long again.</summary>
    public void Over() => (_unknownSince, Failed) = (null, false);
}
