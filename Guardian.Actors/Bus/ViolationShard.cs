using Guardian.Actors.Access;

namespace Guardian.Actors.Bus;

/// <summary>A part of the violation table under its own lock, which is held for one count or one look over the rows.</summary>
internal sealed class ViolationShard(int capacity, int index, int shards)
{
    // Of eight random rows the least is among the lightest third of the table with a probability of 96 %.
    private const int Samples = 8;

    // A row that saw nothing within this many events has no claim on its place beyond what it has not sent.
    private const long Fresh = 100_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<ViolationKey, int> _indexes = [];
    private readonly List<ViolationRow> _rows = [];
    private uint _random = (uint)index + 2463534242; // xorshift32 (Marsaglia 2003)
    private long _numbers;
    private long _denied;
    private long _blacklisted;
    private long _overflow;

    public (long Denied, long Blacklisted, long Overflow) Totals
    {
        get { lock (_lock) return (_denied, _blacklisted, _overflow); }
    }

    public int Count
    {
        get { lock (_lock) return _rows.Count; }
    }

    public void Denied(in ViolationKey key, AccessPolicy policy, string ruleId, DateTimeOffset at, long order)
    {
        lock (_lock)
        {
            var row = RowOf(key, policy, order);
            row.RuleId = ruleId;
            row.CountDenied(at, order);
            _denied++;
        }
    }

    public void Blacklisted(in ViolationKey key, AccessPolicy policy, long order)
    {
        lock (_lock)
        {
            RowOf(key, policy, order).CountBlacklisted(order);
            _blacklisted++;
        }
    }

    public void Visit(Func<ViolationRow, bool> which, Action<ViolationRow, RowReference> visit)
    {
        lock (_lock)
        {
            for (var i = 0; i < _rows.Count; i++)
            {
                if (which(_rows[i])) visit(_rows[i], new RowReference(index, i, _rows[i].Number));
            }
        }
    }

    public bool TryTake(RowReference reference, long sequence, out AclViolation violation)
    {
        lock (_lock)
        {
            var row = _rows[reference.Index];
            violation = row.Number == reference.Number ? row.Take(sequence) : null!;
            return violation is not null;
        }
    }

    private ViolationRow RowOf(in ViolationKey key, AccessPolicy policy, long order)
    {
        if (_indexes.TryGetValue(key, out var at)) return _rows[at];
        if (_rows.Count < capacity)
        {
            at = _rows.Count;
            _rows.Add(new ViolationRow());
        }
        else
        {
            at = Least(order);
            _overflow += _rows[at].Unsent;
            _indexes.Remove(_rows[at].Key);
        }

        _indexes[key] = at;

        // Numbered 1 + shard, 1 + shard + shards, …: unique in the incarnation without asking the other shards.
        _rows[at].Begin(1 + index + (_numbers++ * shards), key, policy.Hash, policy.IsControlTopic(key.Topic));
        return _rows[at];
    }

    private int Least(long order)
    {
        var (least, leastScore) = (0, long.MaxValue);
        for (var i = 0; i < Samples; i++)
        {
            _random ^= _random << 13;
            _random ^= _random >> 17;
            _random ^= _random << 5;
            var candidate = (int)(_random % (uint)_rows.Count);
            var row = _rows[candidate];
            var score = row.Unsent + (order - row.LastEvent < Fresh ? row.Total : 0);
            if (score < leastScore) (least, leastScore) = (candidate, score);
        }

        return least;
    }
}
