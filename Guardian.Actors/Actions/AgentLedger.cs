using System.Text.Json;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Actions;

/// <summary>What the agent is to do with a message about a key.</summary>
internal enum LedgerVerdict
{
    /// <summary>Carry it out now; call <see cref="AgentLedger.Begin"/>.</summary>
    Execute,

    /// <summary>Answer with the recorded outcome.</summary>
    Replay,

    /// <summary>It is under way; answer when it ends.</summary>
    Running,

    /// <summary>The key that it cancels is still under way: cancel that, say nothing; the next repeat is decided anew.</summary>
    AwaitCancelled,

    /// <summary>Nothing is known of the key: the action's own probe decides.</summary>
    Probe,

    /// <summary>Never carry it out; the reason says why.</summary>
    Refuse,
}

/// <summary>How a key ended. <see cref="Open"/>: nobody was told, since who keeps the effect gave no answer; it is asked for again.</summary>
internal sealed record KeyOutcome(OutcomeKind Kind, JsonElement? Output = null, string? Reason = null, bool Open = false);

/// <summary>The verdict with what it needs.</summary>
internal sealed record LedgerDecision(LedgerVerdict Verdict, KeyOutcome? Outcome = null, string? Reason = null);

/// <summary>
/// The agent's memory: what became of every key that it was asked for. A key that succeeded, or of which nobody can tell,
/// is never carried out again; a failure permits the next attempt; a cancelled key and a smaller epoch are refused for good.
/// Pure and bounded; the oldest finished record falls out first, and of that key the action's probe must tell.
/// </summary>
internal sealed class AgentLedger(int capacity = AgentLedger.Capacity)
{
    /// <summary>1,000 runs at once with 10 steps and their undos are 20,000 keys; the rest remembers the past.</summary>
    public const int Capacity = 50_000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _finished = new(); // oldest first
    private readonly Dictionary<string, (long Epoch, LinkedListNode<string> Node)> _runs = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _runsByUse = new(); // least recently used first

    private sealed class Entry
    {
        public bool Running;
        public int Hanging; // attempts left behind at their deadline that still go on
        public bool Tombstone;
        public int Attempt;
        public long Epoch;
        public KeyOutcome? Outcome;
        public LinkedListNode<string>? Finished;
    }

    /// <summary>Keys remembered.</summary>
    public int Count => _entries.Count;

    /// <summary>Records that fell out.</summary>
    public long Evicted { get; private set; }

    /// <summary>
    /// Decides about a dispatch. Records the epoch and the tombstone; nothing else until <see cref="Begin"/>.
    /// An unknown outcome permits a repeat under a greater epoch or attempt where the action is idempotent.
    /// </summary>
    public LedgerDecision Dispatch(string key, string runId, long epoch, int attempt, string? cancels, bool idempotent)
    {
        if (Outdated(runId, epoch) is { } refusal) return refusal;
        if (cancels is not null && Tombstone(cancels)) return new LedgerDecision(LedgerVerdict.AwaitCancelled);
        if (!_entries.TryGetValue(key, out var entry)) return new LedgerDecision(LedgerVerdict.Execute);
        if (entry.Tombstone) return new LedgerDecision(LedgerVerdict.Refuse, Reason: $"'{key}' was cancelled; it is not carried out any more");
        if (entry.Running) return new LedgerDecision(LedgerVerdict.Running);
        return entry.Outcome switch
        {
            null => new LedgerDecision(LedgerVerdict.Execute),
            { Open: true } open => new LedgerDecision(LedgerVerdict.Execute, open),
            { Kind: OutcomeKind.NotDone } => new LedgerDecision(LedgerVerdict.Execute),
            { Kind: OutcomeKind.Failed } when attempt > entry.Attempt => new LedgerDecision(LedgerVerdict.Execute),
            { Kind: OutcomeKind.Unknown } when idempotent && (attempt > entry.Attempt || epoch > entry.Epoch) => new LedgerDecision(LedgerVerdict.Execute),
            var known => new LedgerDecision(LedgerVerdict.Replay, known),
        };
    }

    /// <summary>
    /// Decides about the question what became of a key's attempt. A recorded unknown is probed again: that can only add knowledge.
    /// Where only an earlier attempt failed, this one was never carried out.
    /// </summary>
    public LedgerDecision Resolve(string key, string runId, long epoch, int attempt)
    {
        if (Outdated(runId, epoch) is { } refusal) return refusal;
        if (!_entries.TryGetValue(key, out var entry)) return new LedgerDecision(LedgerVerdict.Probe);
        if (entry.Running) return new LedgerDecision(LedgerVerdict.Running);
        if (entry is { Tombstone: false, Outcome.Kind: OutcomeKind.Failed } && entry.Attempt < attempt)
            return new LedgerDecision(LedgerVerdict.Replay, new KeyOutcome(OutcomeKind.NotDone));
        return entry.Outcome is null or { Kind: OutcomeKind.Unknown }
            ? new LedgerDecision(LedgerVerdict.Probe)
            : new LedgerDecision(LedgerVerdict.Replay, entry.Outcome);
    }

    /// <summary>
    /// The key is not wanted any more. Replay: how it ended, as far as anybody can tell; Refuse: it was never carried out and never will be;
    /// AwaitCancelled: it is under way, answer when it ends.
    /// </summary>
    public LedgerDecision Cancel(string key, string runId, long epoch)
    {
        if (Outdated(runId, epoch) is { } refusal) return refusal;
        Tombstone(key);
        _entries.TryGetValue(key, out var entry);
        if (entry is { Running: true }) return new LedgerDecision(LedgerVerdict.AwaitCancelled);
        return entry?.Outcome is { Kind: not OutcomeKind.NotDone } outcome
            ? new LedgerDecision(LedgerVerdict.Replay, outcome)
            : new LedgerDecision(LedgerVerdict.Refuse, Reason: $"'{key}' was cancelled before it was carried out");
    }

    /// <summary>The key is under way: an attempt, or its probe.</summary>
    public void Begin(string key, long epoch, int attempt)
    {
        if (!_entries.TryGetValue(key, out var entry)) _entries[key] = entry = new Entry();
        if (entry.Running) throw new InvalidOperationException($"'{key}' is under way already");
        entry.Running = true;
        entry.Attempt = attempt;
        entry.Epoch = epoch;
        Unlist(entry);
        Evict();
    }

    /// <summary>
    /// The key ended. A cancelled key keeps its tombstone. <paramref name="hangs"/>: its attempt was left behind and goes on until
    /// <see cref="Learn"/>; what undoes the key waits for that, since an effect that comes later would stay.
    /// </summary>
    public void Finish(string key, KeyOutcome outcome, bool hangs = false)
    {
        if (!_entries.TryGetValue(key, out var entry) || !entry.Running) return;
        entry.Running = false;
        entry.Outcome = outcome;
        if (hangs) entry.Hanging++;
        List(key, entry);
        Evict();
    }

    /// <summary>What was begun never took place and shall leave no trace: the next dispatch is decided as if this one had not been.</summary>
    public void Forget(string key)
    {
        if (!_entries.TryGetValue(key, out var entry) || !entry.Running) return;
        entry.Running = false;
        if (entry.Tombstone || entry.Outcome is not null) List(key, entry);
        else _entries.Remove(key);
    }

    /// <summary>An abandoned attempt ended after all: the unknown outcome becomes what it was.</summary>
    public void Learn(string key, int attempt, KeyOutcome outcome)
    {
        if (!_entries.TryGetValue(key, out var entry)) return;
        if (entry.Hanging > 0) entry.Hanging--;
        if (entry.Running) return;
        if (entry.Attempt == attempt && entry.Outcome?.Kind == OutcomeKind.Unknown) entry.Outcome = outcome;
        List(key, entry);
        Evict();
    }

    private LedgerDecision? Outdated(string runId, long epoch)
    {
        if (_runs.TryGetValue(runId, out var run))
        {
            if (epoch < run.Epoch)
                return new LedgerDecision(LedgerVerdict.Refuse, Reason: $"epoch {epoch} of {runId} is over; {run.Epoch} has taken its place");
            _runsByUse.Remove(run.Node);
        }
        else if (_runs.Count >= capacity)
        {
            _runs.Remove(_runsByUse.First!.Value);
            _runsByUse.RemoveFirst();
        }

        _runs[runId] = (epoch, _runsByUse.AddLast(runId));
        return null;
    }

    /// <summary>True while the key is under way, or an attempt of it that was left behind.</summary>
    private bool Tombstone(string key)
    {
        if (!_entries.TryGetValue(key, out var entry)) _entries[key] = entry = new Entry();
        entry.Tombstone = true;
        if (entry.Running || entry.Hanging > 0) return true;
        List(key, entry);
        Evict();
        return false;
    }

    private void List(string key, Entry entry)
    {
        Unlist(entry);
        if (entry.Hanging == 0) entry.Finished = _finished.AddLast(key); // what hangs must not be forgotten
    }

    private void Unlist(Entry entry)
    {
        if (entry.Finished is null) return;
        _finished.Remove(entry.Finished);
        entry.Finished = null;
    }

    private void Evict()
    {
        while (_entries.Count > capacity && _finished.First is { } oldest)
        {
            _finished.RemoveFirst();
            _entries.Remove(oldest.Value);
            Evicted++;
        }
    }
}
