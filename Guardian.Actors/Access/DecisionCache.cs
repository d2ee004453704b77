using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Guardian.Actors.Access;

/// <summary>
/// A bounded, lock-free cache of decisions: four-way set-associative, replacing what was not recently used (one reference bit
/// per entry, as in the CLOCK algorithm). Entries are immutable and swapped by reference, so a reader sees a whole entry or none.
/// A hit writes nothing that is shared once the bit is set, and allocates nothing. The hash need not resist an attacker:
/// only decisions on declared principals get here, and colliding ones merely cost the walk through the trie.
/// </summary>
internal sealed class DecisionCache
{
    private const int Ways = 4;
    private const ulong Multiplier = 0x9E3779B97F4A7C15; // 2^64 / golden ratio (Knuth, TAOCP 3, 6.4)

    private readonly Entry?[] _slots;
    private readonly uint _sets;
    private uint _hand;

    public DecisionCache(int capacity)
    {
        _sets = BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, capacity / Ways));
        _slots = new Entry?[_sets * Ways];
    }

    public bool TryGet(string principal, string topic, BusOperation operation, out AccessDecision decision)
    {
        var hash = Hash(principal, topic, operation);
        foreach (var entry in Set(hash))
        {
            if (entry is null || !entry.Is(hash, principal, topic, operation)) continue;
            if (!entry.Used) entry.Used = true;
            decision = entry.Decision;
            return true;
        }

        decision = default;
        return false;
    }

    public void Add(string principal, string topic, BusOperation operation, AccessDecision decision)
    {
        var hash = Hash(principal, topic, operation);
        var fresh = new Entry(hash, principal, topic, operation, decision);
        var set = Set(hash);
        for (var i = 0; i < Ways; i++)
        {
            if (set[i] is { Used: true }) continue;
            set[i] = fresh;
            return;
        }

        foreach (var entry in set) entry!.Used = false;
        set[(int)(_hand++ % Ways)] = fresh; // a torn increment only moves the hand differently
    }

    private Span<Entry?> Set(uint hash) => _slots.AsSpan((int)((hash & (_sets - 1)) * Ways), Ways);

    private static uint Hash(string principal, string topic, BusOperation operation)
    {
        var hash = Mix(Mix((ulong)operation + 1, principal), topic);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Mix(ulong hash, string text)
    {
        var bytes = MemoryMarshal.AsBytes(text.AsSpan());
        hash ^= (ulong)bytes.Length;
        while (bytes.Length >= 8)
        {
            hash = Step(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        if (bytes.Length >= 4)
        {
            hash = Step(hash, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
            bytes = bytes[4..];
        }

        return bytes.Length >= 2 ? Step(hash, BinaryPrimitives.ReadUInt16LittleEndian(bytes)) : hash;
    }

    private static ulong Step(ulong hash, ulong chunk)
    {
        hash = (hash ^ chunk) * Multiplier;
        return hash ^ (hash >> 29);
    }

    private sealed class Entry(uint hash, string principal, string topic, BusOperation operation, AccessDecision decision)
    {
        public readonly AccessDecision Decision = decision;
        public volatile bool Used = true;

        public bool Is(uint otherHash, string otherPrincipal, string otherTopic, BusOperation otherOperation) =>
            hash == otherHash && operation == otherOperation
            && string.Equals(topic, otherTopic) && string.Equals(principal, otherPrincipal);
    }
}
