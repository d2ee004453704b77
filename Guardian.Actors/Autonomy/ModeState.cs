using Guardian.Actors.Mitigations;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Autonomy;

/// <summary>
/// What operators have set, and what of it is in force. Ends are UTC in the cluster and monotonic here from receipt on.
/// The newest word wins. Not thread-safe.
/// </summary>
internal sealed class ModeState(TimeProvider time)
{
    private const string HoldFileReason = "the file HOLD in the data directory; remove it to go on";

    private long? _modeDeadline;
    private long? _holdDeadline;
    private string? _unreadable;

    /// <summary>The word in force; null where nobody has spoken.</summary>
    public ClusterMode? Word { get; private set; }

    /// <summary>True while the file exists.</summary>
    public bool HoldFile { get; set; }

    public OperatingMode Mode => Word is { } word && Before(_modeDeadline) ? word.Mode : OperatingMode.Enforce;

    /// <summary>Why this node is held; null where it is not.</summary>
    public string? Held =>
        HoldFile ? HoldFileReason
        : _unreadable is not null ? _unreadable
        : IsWordHeld ? $"{Word!.Reason} ({Word.By})"
        : null;

    private bool IsWordHeld => Word is { Hold: true } && Before(_holdDeadline);

    /// <summary>Takes a word in; false where a newer one is known.</summary>
    public bool Take(ClusterMode word)
    {
        if (Word is not null && word.At <= Word.At) return false;
        Word = word;
        _unreadable = null;
        _modeDeadline = Deadline(word.ModeUntil);
        _holdDeadline = Deadline(word.HoldUntil);
        return true;
    }

    /// <summary>What was set before cannot be known: hold until an operator speaks.</summary>
    public void Unreadable(string reason) => _unreadable = reason;

    /// <summary>The word that a command makes of what is in force.</summary>
    public ClusterMode Next(SetMode command)
    {
        var now = time.GetUtcNow();
        var until = now + command.For;
        return new ClusterMode
        {
            Mode = command.Mode ?? Mode,
            ModeUntil = command.Mode is null ? (Mode == Word?.Mode ? Word.ModeUntil : null) : until,
            Hold = command.Hold ?? (IsWordHeld || (_unreadable is not null && command.Mode is null)),
            HoldUntil = command.Hold switch { true => until, false => null, null => IsWordHeld ? Word!.HoldUntil : null },
            Reason = command.Reason,
            By = command.By,
            At = Word is { } word && word.At >= now ? word.At.AddTicks(1) : now, // a clock behind the last word's must not lose
        };
    }

    public ModeStatus Status(OperatingMode inForce) => new(inForce, Held is not null, Held ?? Word?.Reason, Word?.By, Word?.At,
        IsWordHeld ? Word!.HoldUntil : Before(_modeDeadline) ? Word?.ModeUntil : null);

    private bool Before(long? deadline) => deadline is null || time.GetTimestamp() < deadline;

    private long? Deadline(DateTimeOffset? until) => until is { } end ? time.DeadlineOf(end) : null;
}
