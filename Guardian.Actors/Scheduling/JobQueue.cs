namespace Guardian.Actors.Scheduling;

/// <summary>
/// Jobs that wait, the most urgent first. A job ages: each <see cref="AgeStep"/> of waiting counts like one step of priority. Since all age alike
/// their order never changes, and nobody starves: a job is overtaken only by those that come within its difference in priority. Pure.
/// </summary>
internal sealed class JobQueue(int bound)
{
    /// <summary>Lowest priority.</summary>
    public const int Lowest = 0;

    /// <summary>Where nothing is said.</summary>
    public const int Usual = 5;

    /// <summary>Highest priority.</summary>
    public const int Highest = 9;

    /// <summary>A job of the lowest priority waits four and a half minutes at most for those of the highest that come after it.</summary>
    public static readonly TimeSpan AgeStep = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<(long Key, long Sequence), string> _order = [];
    private readonly Dictionary<string, (long Key, long Sequence)> _places = new(StringComparer.Ordinal);
    private long _sequence;

    public int Count => _order.Count;

    public bool Full => Count >= bound;

    /// <summary>Adds a job; one that is back for another attempt keeps its age. One that waits already stays where it is. Never refuses: the bound is for new ones.</summary>
    /// <param name="id">Unique.</param>
    /// <param name="priority">0 to 9.</param>
    /// <param name="at">When it was accepted, UTC.</param>
    public void Add(string id, int priority, DateTimeOffset at)
    {
        if (_places.ContainsKey(id)) return;
        var place = (at.UtcTicks - (priority * AgeStep.Ticks), ++_sequence);
        _order[place] = id;
        _places[id] = place;
    }

    /// <summary>Takes the most urgent one out; null where there is none.</summary>
    public string? Take()
    {
        if (_order.Count == 0) return null;
        var (place, id) = _order.First();
        _order.Remove(place);
        _places.Remove(id);
        return id;
    }

    /// <summary>Jobs in their order.</summary>
    public IEnumerable<string> All => _order.Values;

    public bool Remove(string id) => _places.Remove(id, out var place) && _order.Remove(place);
}
