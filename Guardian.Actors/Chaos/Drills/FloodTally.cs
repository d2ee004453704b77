using Guardian.Actors.Bus;
using Guardian.Actors.Chaos.Targets;

namespace Guardian.Actors.Chaos.Drills;

/// <summary>The flood's own answers: evidence that owes nothing to the safeguard under test. Thread-safe.</summary>
internal sealed class FloodTally(string? topic)
{
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan At, string Principal)> _denials = [];
    private readonly Dictionary<string, TimeSpan> _banned = new(StringComparer.Ordinal);
    private FloodResult _result = new();

    public FloodResult Result
    {
        get { lock (_gate) return _result; }
    }

    /// <summary>When each principal was first answered <c>blacklisted</c>.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Banned
    {
        get { lock (_gate) return new Dictionary<string, TimeSpan>(_banned); }
    }

    public void Answered(string principal, ChaosAnswer answer, TimeSpan at)
    {
        lock (_gate)
        {
            var r = _result with { Sent = _result.Sent + 1 };
            _result = answer.Outcome switch
            {
                null => r with { Unknown = r.Unknown + 1 },
                PublishOutcome.Accepted => r with { Accepted = r.Accepted + 1 },
                PublishOutcome.AclDenied => r with { AclDenied = r.AclDenied + 1 },
                PublishOutcome.Blacklisted => r with { Blacklisted = r.Blacklisted + 1 },
                PublishOutcome.RateLimited => r with { Limited = r.Limited + 1 },
                _ => r with { OtherRefusals = r.OtherRefusals + 1 },
            };
            if (answer.Outcome == PublishOutcome.AclDenied) _denials.Add((at, principal));
            if (answer.Outcome == PublishOutcome.Blacklisted) _banned.TryAdd(principal, at);
        }
    }

    public void Delivered()
    {
        lock (_gate) _result = _result with { Delivered = _result.Delivered + 1 };
    }

    /// <summary>Denials within the window before <paramref name="now"/>, and all of them.</summary>
    public (int Count, int Total) Denials(string? subject, TimeSpan window, TimeSpan now)
    {
        lock (_gate)
        {
            var ofSubject = _denials.Where(x => subject is null || subject == topic || x.Principal == subject).ToList();
            return (ofSubject.Count(x => x.At > now - window), ofSubject.Count);
        }
    }
}
