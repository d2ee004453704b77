using Guardian.Actors.Chaos.Proxies;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>The way to the nodes' PostgreSQL is broken, in the runner's own proxy: nobody else's connections are touched.</summary>
internal abstract class DatabaseFault(DatabaseTrouble trouble) : ChaosFault<JournalOutage>
{
    public override string UndoText => "the proxy belongs to the runner's process and ends with it";

    public override FaultFacts Facts(JournalOutage input) => new() { Length = input.Length };

    public override string? Check(JournalOutage input, TimeSpan ttl) =>
        input.Length >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the outage before 'for' ({new Duration(input.Length)}) is through" : null;

    public override string? Unsupported(JournalOutage input, FaultContext context) =>
        context.Cluster?.Database is null ? "needs nodes of the runner's own whose journal is in PostgreSQL: 'node: { journal: postgres }'" : null;

    public override async Task RunAsync(JournalOutage input, FaultContext context, CancellationToken withdraw)
    {
        var database = context.Cluster!.Database!;
        database.Begin(trouble);
        try
        {
            await Task.Delay(input.Length, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            database.End();
        }
    }
}

/// <summary>As a server that was stopped.</summary>
internal sealed class JournalRefused() : DatabaseFault(DatabaseTrouble.Refused)
{
    public override string Name => "journal.refused";

    public override string Summary => "PostgreSQL is stopped: connections break and are refused.";
}

/// <summary>As a server, or a network, that does not answer.</summary>
internal sealed class JournalHangs() : DatabaseFault(DatabaseTrouble.Hangs)
{
    public override string Name => "journal.hangs";

    public override string Summary => "PostgreSQL is paused: connections stand and nothing is answered.";
}

/// <summary>Committed, and nobody was told.</summary>
internal sealed class JournalUnacknowledged() : DatabaseFault(DatabaseTrouble.Unacknowledged)
{
    public override string Name => "journal.unacknowledged";

    public override string Summary => "PostgreSQL commits every write, and the connection breaks before its answer.";
}
