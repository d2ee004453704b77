using Guardian.Playbooks.Model;

namespace Guardian.Actors.Blacklisting;

/// <summary><c>Guardian:Blacklist</c>.</summary>
public sealed class BlacklistOptions
{
    /// <summary>Longest ban after doubling.</summary>
    public Duration Cap { get; set; } = TimeSpan.FromHours(24);

    /// <summary>An offence is forgotten after this long without a ban; an operator's last word on a principal after this long.</summary>
    public Duration ForgetAfter { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Exemption after an operator's lift.</summary>
    public Duration Exemption { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Never banned by a playbook; an operator still may.</summary>
    public IList<AllowListEntry> AllowList { get; set; } = [];

    /// <summary>Bans at once; further ones are refused and counted. 1 to 1,000,000.</summary>
    public int MaxBans { get; set; } = 100_000;
}

/// <summary>A principal that playbooks may not ban.</summary>
public sealed class AllowListEntry
{
    /// <summary>Who.</summary>
    public string Principal { get; set; } = "";

    /// <summary>Until when; null: always.</summary>
    public DateTimeOffset? Until { get; set; }
}
