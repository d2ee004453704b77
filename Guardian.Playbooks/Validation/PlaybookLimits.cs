namespace Guardian.Playbooks.Validation;

/// <summary>Ranges of what a playbook may say. They catch slips of the pen (<c>5h</c> for <c>5s</c>) and keep a run's record small; none is an option.</summary>
internal static class PlaybookLimits
{
    /// <summary>Files of a folder. Each incident is matched against every playbook.</summary>
    public const int Files = 1_000;

    /// <summary>Events that start one playbook.</summary>
    public const int Triggers = 32;

    /// <summary>Steps; a run's whole state is rebuilt from its events.</summary>
    public const int Steps = 64;

    /// <summary>Final steps.</summary>
    public const int Finally = 16;

    /// <summary>Verifications; they run side by side.</summary>
    public const int Verifications = 32;

    /// <summary>Constants.</summary>
    public const int Vars = 100;

    /// <summary>Attempts of a step.</summary>
    public const int Attempts = 20;

    /// <summary>Consecutive passes of a verification.</summary>
    public const int Passes = 100;

    /// <summary>Measurements of one verification: each is an event of the run.</summary>
    public const int Measurements = 1_000;

    /// <summary>Failures of a circuit breaker.</summary>
    public const int Failures = 1_000;

    /// <summary>Principals of a blast radius; no table of the node holds more.</summary>
    public const int Principals = 1_000_000;

    /// <summary>Runs of a quota. A run is remembered for as long as its quota looks back.</summary>
    public const int Runs = 10_000;

    /// <summary>Shortest wait between two attempts, or two measurements.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(10);

    /// <summary>Shortest bound on an attempt: less than a message's way to another node fails always.</summary>
    public static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest bound on one attempt and longest wait between two.</summary>
    public static readonly TimeSpan LongestAttempt = TimeSpan.FromHours(1);

    /// <summary>Longest run, hold or verification.</summary>
    public static readonly TimeSpan LongestRun = TimeSpan.FromDays(1);

    /// <summary>Longest cooldown and longest period of a quota.</summary>
    public static readonly TimeSpan LongestGuard = TimeSpan.FromDays(7);
}
