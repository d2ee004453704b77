using System.Globalization;
using Guardian.Actors.Mitigations;

namespace Guardian.Actors.Silencing;

/// <summary>A silence with its end on this node's monotonic clock.</summary>
internal sealed record ActiveSilence(Silence Silence, long Deadline);

/// <summary>
/// All silences that this node knows: on each the newest word counts, whichever way it came, so that nodes that exchange their
/// books end with the same. Ends are UTC in the cluster and monotonic here from receipt on. Not thread-safe.
/// </summary>
internal sealed class SilenceBook(TimeProvider time)
{
    /// <summary>Silences at once: with the lengths below the shared set stays within a remote frame.</summary>
    public const int Max = 100;

    public const int MaxPattern = 128;
    public const int MaxReason = 200;

    /// <summary>Longer is a change of policy or playbook, not a window.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    /// <summary>An end is remembered for so long, so that a node that was away does not bring the silence back.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    private readonly Dictionary<string, ActiveSilence> _byId = new(StringComparer.Ordinal);

    /// <summary>In force now, the first to end first.</summary>
    public IReadOnlyList<ActiveSilence> Active
    {
        get
        {
            var now = time.GetTimestamp();
            return [.. _byId.Values.Where(x => !x.Silence.Removed && x.Deadline > now).OrderBy(x => x.Silence.Until).ThenBy(x => x.Silence.Id, StringComparer.Ordinal)];
        }
    }

    /// <summary>Everything worth sharing, ended ones included.</summary>
    public SharedSilences Shared => new() { Items = [.. _byId.Values.Select(x => x.Silence).OrderBy(x => x.Id, StringComparer.Ordinal)] };

    /// <summary>What was over by then is forgotten.</summary>
    public DateTimeOffset Horizon => time.GetUtcNow() - Remembered;

    /// <summary>What two books know together: on each silence the newest word, without what is over for long.</summary>
    public static SharedSilences Join(SharedSilences a, SharedSilences b, DateTimeOffset horizon) => new()
    {
        Items =
        [
            .. a.Items.Concat(b.Items).Where(x => x.Until >= horizon)
                .GroupBy(x => x.Id, StringComparer.Ordinal).Select(x => x.MaxBy(y => y.At)!).OrderBy(x => x.Id, StringComparer.Ordinal),
        ],
    };

    /// <summary>The silence that a command makes, or why not. Not in the book until it is taken in.</summary>
    public SilenceAnswer Plan(AddSilence command, string id)
    {
        var now = time.GetUtcNow();
        if (Problem(command, now) is { } problem) return new SilenceAnswer(null, problem);
        return new SilenceAnswer(new Silence
        {
            Id = id, Match = command.Match, Actions = command.Action, Until = command.Until.ToUniversalTime(), Reason = command.Reason, By = command.By, At = now,
        });
    }

    /// <summary>The word that ends a silence, or why not.</summary>
    public SilenceAnswer Plan(RemoveSilence command)
    {
        if (Active.FirstOrDefault(x => x.Silence.Id == command.Id) is not { Silence: var silence }) return new SilenceAnswer(null, $"no silence '{command.Id}' is in force");
        var now = time.GetUtcNow();
        return new SilenceAnswer(silence with { Removed = true, By = command.By, At = silence.At >= now ? silence.At.AddTicks(1) : now }); // a clock behind must not lose
    }

    /// <summary>Takes a word in; false where a newer one is known, or it is over for long.</summary>
    public bool Take(Silence silence)
    {
        if (silence.Until < Horizon) return false;
        if (_byId.TryGetValue(silence.Id, out var known) && known.Silence.At >= silence.At) return false;
        _byId[silence.Id] = new ActiveSilence(silence, time.DeadlineOf(silence.Until));
        return true;
    }

    /// <summary>Takes in what another node knows; true where something was new.</summary>
    public bool Take(SharedSilences shared) => shared.Items.Aggregate(false, (news, x) => Take(x) || news);

    /// <summary>True where this book knows something that is not in <paramref name="shared"/>.</summary>
    public bool KnowsMoreThan(SharedSilences shared)
    {
        var others = shared.Items.ToDictionary(x => x.Id, x => x.At, StringComparer.Ordinal);
        return _byId.Values.Any(x => !others.TryGetValue(x.Silence.Id, out var at) || at < x.Silence.At);
    }

    /// <summary>Forgets what is over for long.</summary>
    public void Prune()
    {
        var horizon = Horizon;
        foreach (var (id, silence) in _byId)
            if (silence.Silence.Until < horizon) _byId.Remove(id); // allowed while enumerating
    }

    private string? Problem(AddSilence command, DateTimeOffset now)
    {
        var patterns = new[] { command.Match.Type, command.Match.Key, command.Match.Subject };
        if (patterns.All(string.IsNullOrEmpty)) return "'match' names none of type, key and subject; a silence is about something";
        if (patterns.Any(x => x is { Length: > MaxPattern } || x?.Length == 0)) return string.Create(CultureInfo.InvariantCulture, $"a pattern has 1 to {MaxPattern} characters");
        if (string.IsNullOrWhiteSpace(command.Reason) || command.Reason.Length > MaxReason) return string.Create(CultureInfo.InvariantCulture, $"'reason' is a text of 1 to {MaxReason} characters; others will ask");
        if (command.Until <= now) return $"'until' is over already: it is {now:O}";
        if (command.Until > now + Longest) return "'until' is more than 365 days ahead";
        return Active.Count >= Max ? string.Create(CultureInfo.InvariantCulture, $"{Max} silences are in force; remove one") : null;
    }
}
