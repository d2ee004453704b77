namespace Guardian.Actors.Access;

/// <summary>
/// Values by topic pattern. A look-up walks the segments of a concrete topic, or of a pattern, and finds every stored pattern
/// that covers it entirely: a requested <c>*</c> is covered by <c>*</c> and <c>&gt;</c>, a requested <c>&gt;</c> by <c>&gt;</c> alone.
/// A node is visited at most once, so a look-up costs at most the nodes that match, never the number of patterns.
/// Not thread-safe while it changes; safe for any number of readers afterwards.
/// </summary>
internal sealed class PatternTrie<T>
{
    private readonly Node _root = new();
    private int _order;

    /// <summary>Adds a valid pattern; of several that match, the one added first wins in <see cref="TryFirst"/>.</summary>
    public void Add(string pattern, T value)
    {
        var node = _root;
        foreach (var segment in pattern.Split('.'))
        {
            if (segment == ">")
            {
                (node.Tail ??= []).Add(new Item(_order++, value));
                return;
            }

            node = segment == "*" ? node.Any ??= new Node() : node.Child(segment);
        }

        (node.Here ??= []).Add(new Item(_order++, value));
    }

    /// <summary>Removes one entry with this value at this pattern, and nodes that became empty.</summary>
    public bool Remove(string pattern, T value) => Remove(_root, pattern.Split('.'), 0, value);

    /// <summary>The first added value whose pattern covers <paramref name="topic"/>. Allocates nothing.</summary>
    public bool TryFirst(ReadOnlySpan<char> topic, out T value)
    {
        var best = new Item(int.MaxValue, default!);
        First(_root, topic, false, ref best);
        value = best.Value;
        return best.Order != int.MaxValue;
    }

    /// <summary>Adds every value whose pattern covers <paramref name="topic"/> to <paramref name="into"/>.</summary>
    public void Collect(ReadOnlySpan<char> topic, ICollection<T> into) => Collect(_root, topic, false, into);

    private static void First(Node node, ReadOnlySpan<char> rest, bool end, ref Item best)
    {
        if (end)
        {
            if (node.Here is { Count: > 0 } here && here[0].Order < best.Order) best = here[0];
            return;
        }

        if (node.Tail is { Count: > 0 } tail && tail[0].Order < best.Order) best = tail[0];
        var segment = Next(ref rest, out var last);
        if (segment is ">") return;
        if (node.Any is { } any) First(any, rest, last, ref best);
        if (segment is not "*" && node.TryChild(segment, out var child)) First(child, rest, last, ref best);
    }

    private static void Collect(Node node, ReadOnlySpan<char> rest, bool end, ICollection<T> into)
    {
        if (end)
        {
            AddAll(node.Here, into);
            return;
        }

        AddAll(node.Tail, into);
        var segment = Next(ref rest, out var last);
        if (segment is ">") return;
        if (node.Any is { } any) Collect(any, rest, last, into);
        if (segment is not "*" && node.TryChild(segment, out var child)) Collect(child, rest, last, into);
    }

    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> rest, out bool last)
    {
        var dot = rest.IndexOf('.');
        last = dot < 0;
        var segment = last ? rest : rest[..dot];
        rest = last ? default : rest[(dot + 1)..];
        return segment;
    }

    private static void AddAll(List<Item>? items, ICollection<T> into)
    {
        if (items is null) return;
        foreach (var item in items) into.Add(item.Value);
    }

    private static bool Remove(Node node, string[] segments, int at, T value)
    {
        if (at == segments.Length) return RemoveFrom(ref node.Here, value);
        var segment = segments[at];
        if (segment == ">") return RemoveFrom(ref node.Tail, value);
        var child = segment == "*" ? node.Any : node.TryChild(segment, out var found) ? found : null;
        if (child is null || !Remove(child, segments, at + 1, value)) return false;
        if (child.IsEmpty)
        {
            if (segment == "*") node.Any = null;
            else node.RemoveChild(segment);
        }

        return true;
    }

    private static bool RemoveFrom(ref List<Item>? items, T value)
    {
        var index = items?.FindIndex(x => EqualityComparer<T>.Default.Equals(x.Value, value)) ?? -1;
        if (index < 0) return false;
        items!.RemoveAt(index);
        if (items.Count == 0) items = null;
        return true;
    }

    private readonly record struct Item(int Order, T Value);

    private sealed class Node
    {
        private Dictionary<string, Node>? _literals;

        public Node? Any;
        public List<Item>? Here;
        public List<Item>? Tail;

        public bool IsEmpty => Any is null && Here is null && Tail is null && _literals is null;

        public Node Child(string segment)
        {
            _literals ??= new Dictionary<string, Node>(StringComparer.Ordinal);
            if (!_literals.TryGetValue(segment, out var child)) _literals[segment] = child = new Node();
            return child;
        }

        public bool TryChild(ReadOnlySpan<char> segment, out Node child)
        {
            child = null!;
            return _literals is not null && _literals.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(segment, out child!);
        }

        public void RemoveChild(string segment)
        {
            _literals!.Remove(segment);
            if (_literals.Count == 0) _literals = null;
        }
    }
}
