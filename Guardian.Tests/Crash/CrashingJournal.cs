using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;

namespace Guardian.Tests.Crash;

/// <summary>Where a process dies: at the n-th write of an incident, a run or an outbox, counted from 1.</summary>
/// <param name="write">0: never.</param>
/// <param name="before">True: an effect before it has happened, the write is lost. False: it is in the journal and nobody hears of it.</param>
internal sealed class CrashPoint(int write, bool before)
{
    private static readonly ConcurrentDictionary<string, CrashPoint> Known = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;
    private volatile bool _dead;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Completes when the process is to be taken away.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Writes so far.</summary>
    public int Writes => Volatile.Read(ref _writes);

    public static CrashPoint Of(string id) => Known[id];

    /// <summary>For the journal's configuration.</summary>
    public string Hocon()
    {
        Known[Id] = this;
        return $$"""
            guardian.journal { class = "Guardian.Tests.Crash.CrashingJournal, Guardian.Tests", crash-point = "{{Id}}" }
            """;
    }

    /// <summary>The write's number; 0 where it does not count, null where the process is dead and must not write.</summary>
    public int? Enter(string persistenceId)
    {
        if (_dead) return null;
        if (!Counts(persistenceId)) return 0;
        var number = Interlocked.Increment(ref _writes);
        if (number != write || !before) return number;
        Die();
        return null;
    }

    /// <summary>The write is in the journal. False: nobody hears of it any more.</summary>
    public bool Leave(int number)
    {
        if (!before && number == write && number > 0) Die();
        return !_dead;
    }

    private static bool Counts(string persistenceId) =>
        persistenceId.StartsWith("run-", StringComparison.Ordinal) || persistenceId.StartsWith("incident-", StringComparison.Ordinal) || persistenceId.StartsWith("outbox-", StringComparison.Ordinal);

    private void Die()
    {
        _dead = true;
        _reached.TrySetResult();
    }
}

/// <summary>The real journal, until the process "dies": from then on nothing is written and nobody is answered. Lives in the tests alone.</summary>
internal sealed class CrashingJournal(Config config) : SqlWriteJournal(config)
{
    private readonly CrashPoint _point = CrashPoint.Of(config.GetString("crash-point"));

    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages, CancellationToken cancellationToken)
    {
        var writes = messages.ToList();
        var numbers = writes.Select(x => _point.Enter(x.PersistenceId)).TakeWhile(x => x is not null).Select(x => x!.Value).ToList();
        // The base class works on the actor's thread.
        var written = numbers.Count == 0 ? Task.FromResult<IImmutableList<Exception>>([]) : base.WriteMessagesAsync(writes.Take(numbers.Count), cancellationToken);
        return FinishAsync(written, numbers, writes.Count);
    }

    private async Task<IImmutableList<Exception>> FinishAsync(Task<IImmutableList<Exception>> written, List<int> numbers, int writes)
    {
        var results = await written;
        var alive = numbers.Select(_point.Leave).ToList().TrueForAll(x => x);
        if (!alive || numbers.Count < writes || _point.Reached.IsCompleted) await new TaskCompletionSource().Task;
        return results;
    }
}
