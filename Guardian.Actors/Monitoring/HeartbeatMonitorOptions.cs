using Guardian.Playbooks.Model;

namespace Guardian.Actors.Monitoring;

/// <summary><c>Guardian:Monitors:Heartbeats</c>.</summary>
public sealed class HeartbeatMonitorOptions
{
    /// <summary>Between two looks at the heartbeats. 10 ms to 1 s.</summary>
    public Duration Interval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A watchdog that is later than this doubts itself and blames nobody; one that is late by less excuses a silence by as much. 10 ms to 10 s.</summary>
    public Duration Tolerance { get; set; } = TimeSpan.FromMilliseconds(500);
}
