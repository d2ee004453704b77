using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Guardian.Actors.Actions;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>A fault as the engine calls it: JSON in.</summary>
internal abstract class FaultBinding(IChaosFault fault)
{
    public IChaosFault Fault { get; } = fault;

    public string Name => Fault.Name;

    public IReadOnlyList<FieldSpec> Inputs { get; } = RecordFields.Of(fault.InputType);

    public abstract string UndoText { get; }

    /// <exception cref="ActionFailedException">The input does not fit; the message names the field.</exception>
    public abstract FaultFacts Facts(JsonElement input);

    /// <exception cref="ActionFailedException">The input does not fit; the message names the field.</exception>
    public abstract string? Check(JsonElement input, TimeSpan ttl);

    public abstract string? Unsupported(JsonElement input, FaultContext context);

    public abstract IReadOnlyList<LeaseUndo> Undo(JsonElement input, FaultContext context);

    public abstract Task RunAsync(JsonElement input, FaultContext context, CancellationToken withdraw);

    /// <exception cref="ArgumentException">It does not derive from <see cref="ChaosFault{TInput}"/>.</exception>
    public static FaultBinding Of(IChaosFault fault)
    {
        var arguments = GenericBase.Arguments(fault.GetType(), typeof(ChaosFault<>))
            ?? throw new ArgumentException($"fault '{fault.Name}' ({fault.GetType()}) must derive from ChaosFault<TInput>");
        return (FaultBinding)Activator.CreateInstance(typeof(Typed<>).MakeGenericType(arguments), fault)!;
    }

    private sealed class Typed<TInput>(ChaosFault<TInput> fault) : FaultBinding(fault)
        where TInput : class
    {
        public override string UndoText => fault.UndoText;

        public override FaultFacts Facts(JsonElement input) => fault.Facts(Read(input));

        public override string? Check(JsonElement input, TimeSpan ttl) => fault.Check(Read(input), ttl);

        public override string? Unsupported(JsonElement input, FaultContext context) => fault.Unsupported(Read(input), context);

        public override IReadOnlyList<LeaseUndo> Undo(JsonElement input, FaultContext context) => fault.Undo(Read(input), context);

        public override Task RunAsync(JsonElement input, FaultContext context, CancellationToken withdraw) => fault.RunAsync(Read(input), context, withdraw);

        private TInput Read(JsonElement input) => ActionJson.Read<TInput>(fault.Name, input, Inputs);
    }
}

/// <summary>Every fault that scenarios may name: the built-in ones and those an application adds. Names are unique.</summary>
internal sealed class FaultRegistry
{
    private readonly FrozenDictionary<string, FaultBinding> _faults;

    /// <exception cref="ArgumentException">A name is given twice, or a type does not derive from the base class.</exception>
    public FaultRegistry(IEnumerable<IChaosFault> faults)
    {
        var byName = new Dictionary<string, FaultBinding>(StringComparer.Ordinal);
        foreach (var fault in faults.Select(FaultBinding.Of))
        {
            if (!byName.TryAdd(fault.Name, fault)) throw new ArgumentException($"fault '{fault.Name}' is registered twice; give one of them another name");
        }

        _faults = byName.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The built-in ones alone.</summary>
    public static FaultRegistry BuiltIn { get; } = With([]);

    public IEnumerable<string> Names => _faults.Keys;

    public static FaultRegistry With(IEnumerable<IChaosFault> added) => new(
        [new BusFlood(), new BusCrash(), new JournalLock(), new JournalReadOnly(), new JournalFull(), new DiskFill(), new SlowSubscriber(), new NodeKill(),
            new RunCrash(), new NodeDie(), new JournalRefused(), new JournalHangs(), new JournalUnacknowledged(), new NetworkPartition(),
            new KernelMute(), new KernelFreeze(), new KernelCrash(), new JobPoison(), new PolicyMistake(),
            new KernelMisbehave(), new CpuBurn(), new ClockJump(), new OperatorBan(),
            .. added]);

    public bool TryGet(string name, [NotNullWhen(true)] out FaultBinding? fault) => _faults.TryGetValue(name, out fault);
}
