using Guardian.Actors.Bus;

namespace Guardian.Tests.Simulation;

/// <summary>A node's bus as the monitors see it: cumulative rows, at most one digest per 40 ms, the latest repeated.</summary>
internal sealed class SimulatedBus(World world, string node, Action<ViolationDigest> publish)
{
    private const int Repeats = 3;
    private readonly Dictionary<(string, string), Row> _rows = [];
    private readonly HashSet<string> _banned = [];
    private long _sequence;
    private int _repeats;
    private bool _changed;
    private bool _scheduled;

    /// <summary>Attempts by principal, refused for whatever reason.</summary>
    public Dictionary<string, long> Attempts { get; } = [];

    public void Ban(string principal) => _banned.Add(principal);

    public void Violate(string principal, string topic, bool control)
    {
        if (!_rows.TryGetValue((principal, topic), out var row)) _rows[(principal, topic)] = row = new Row(_rows.Count + 1, principal, topic, control);
        Attempts[principal] = Attempts.GetValueOrDefault(principal) + 1;
        if (_banned.Contains(principal)) row.Blacklisted++;
        else row.Deny(world.Now);
        _changed = true;
        _repeats = 0;
        if (_scheduled) return;
        _scheduled = true;
        world.At(World.Ms(40), Flush);
    }

    private void Flush()
    {
        _sequence++;
        publish(new ViolationDigest
        {
            Node = node, Incarnation = 1, Sequence = _sequence, Rows = [.. _rows.Values.Select(x => x.View())],
            Denied = _rows.Values.Sum(x => x.Denied), Blacklisted = _rows.Values.Sum(x => x.Blacklisted), Overflow = 0, DeclaredPrincipals = 20, PolicyHash = "policy-0001",
        });
        _repeats = _changed ? 0 : _repeats + 1;
        var again = _changed;
        _changed = false;
        if (again) world.At(World.Ms(40), Flush);
        else if (_repeats <= Repeats) world.At(TimeSpan.FromSeconds(1), Flush);
        else _scheduled = false;
    }

    private sealed class Row(long number, string principal, string topic, bool control)
    {
        private readonly List<DateTimeOffset> _times = [];

        public long Denied { get; private set; }
        public long Blacklisted { get; set; }

        public void Deny(DateTimeOffset at)
        {
            Denied++;
            _times.Add(at);
            if (_times.Count > 20) _times.RemoveAt(0);
        }

        public AclViolation View() => new()
        {
            Row = number, Principal = principal, Topic = topic, Operation = "publish", RuleId = "default/deny", PolicyHash = "policy-0001",
            Control = control, Denied = Denied, Blacklisted = Blacklisted, Times = [.. _times],
        };
    }
}
