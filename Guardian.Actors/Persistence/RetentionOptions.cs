using Guardian.Playbooks.Model;

namespace Guardian.Actors.Persistence;

/// <summary><c>Guardian:Retention</c>.</summary>
public sealed class RetentionOptions
{
    /// <summary>Incidents that are over, their runs and their part of the journal are kept so long. 1 h to 3650 d.</summary>
    public Duration Closed { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Above this size of the database the oldest incidents that are over go before their time, except those of the last hour. At least 1MiB.</summary>
    public string MaxBytes { get; set; } = "1GiB";

    /// <summary>Pause between two looks at what can go. 1 s to 1 d.</summary>
    public Duration Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary><see cref="MaxBytes"/> as a number.</summary>
    internal long Limit => ByteSize.Parse(MaxBytes).Bytes;
}
