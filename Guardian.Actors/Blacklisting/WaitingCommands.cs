using Akka.Actor;

namespace Guardian.Actors.Blacklisting;

/// <summary>A command that the authority has not answered.</summary>
internal sealed class WaitingCommand(object command, string key, string principal, bool byOperator, DateTimeOffset giveUp)
{
    public object Command { get; } = command;
    public string Key { get; } = key;
    public string Principal { get; } = principal;
    public bool ByOperator { get; } = byOperator;

    /// <summary>The sender is answered then, whatever the authority does.</summary>
    public DateTimeOffset GiveUp { get; } = giveUp;
    public DateTimeOffset NextSend { get; set; }
    public HashSet<IActorRef> ReplyTo { get; } = [];
}

/// <summary>Commands on their way to the authority, by key. Bounded. Not thread-safe.</summary>
internal sealed class WaitingCommands
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Repeat = TimeSpan.FromMilliseconds(500);
    private const int Max = 10_000; // further ones are refused as unavailable, and counted

    private readonly Dictionary<string, WaitingCommand> _byKey = new(StringComparer.Ordinal);

    public int Count => _byKey.Count;

    /// <summary>Null where there is no room; the same command repeated by its sender is one.</summary>
    public WaitingCommand? Add(object command, string key, string principal, bool byOperator, IActorRef replyTo, DateTimeOffset now)
    {
        if (!_byKey.TryGetValue(key, out var waiting))
        {
            if (_byKey.Count >= Max) return null;
            _byKey[key] = waiting = new(command, key, principal, byOperator, now + Patience);
        }

        waiting.ReplyTo.Add(replyTo);
        return waiting;
    }

    /// <summary>An operator's newer word on a principal takes the place of the older ones, lest they arrive after it.</summary>
    public IReadOnlyList<WaitingCommand> Supersede(string principal, string byKey)
    {
        var older = _byKey.Values.Where(x => x.ByOperator && x.Principal == principal && x.Key != byKey).ToList();
        foreach (var x in older) _byKey.Remove(x.Key);
        return older;
    }

    /// <summary>A lift takes back what its owner's bans of the principal have not brought about yet, lest one arrive after it.</summary>
    public IReadOnlyList<WaitingCommand> CallOff(string owner, string principal)
    {
        var bans = _byKey.Values.Where(x => x.Command is BanPrincipal { ByOperator: false } ban && ban.Owner == owner && ban.Principal == principal).ToList();
        foreach (var x in bans) _byKey.Remove(x.Key);
        return bans;
    }

    public WaitingCommand? Take(string key) => _byKey.Remove(key, out var waiting) ? waiting : null;

    /// <summary>It goes out now.</summary>
    public static void Sent(WaitingCommand waiting, DateTimeOffset now) => waiting.NextSend = now + Repeat;

    /// <summary>Commands to send again now.</summary>
    public IReadOnlyList<WaitingCommand> Due(DateTimeOffset now)
    {
        var due = _byKey.Values.Where(x => x.NextSend <= now).ToList();
        foreach (var x in due) Sent(x, now);
        return due;
    }

    /// <summary>Commands whose sender has waited long enough; those of operators stay and are sent on.</summary>
    public IReadOnlyList<WaitingCommand> Impatient(DateTimeOffset now)
    {
        var impatient = _byKey.Values.Where(x => x.GiveUp <= now && (!x.ByOperator || x.ReplyTo.Count > 0)).ToList();
        foreach (var x in impatient.Where(x => !x.ByOperator)) _byKey.Remove(x.Key);
        return impatient;
    }
}
