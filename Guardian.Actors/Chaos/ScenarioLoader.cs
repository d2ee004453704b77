using System.Text.RegularExpressions;
using Guardian.Actors.Actions;
using Guardian.Actors.Chaos.Faults;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos;

/// <summary>All valid scenarios and every error of every file.</summary>
internal sealed record ScenarioLoadResult(IReadOnlyList<Scenario> Scenarios, IReadOnlyList<FileError> Errors);

/// <summary>Reads scenarios. Only what the engine does is accepted: an unknown key is an error with its place and the nearest name.</summary>
internal static partial class ScenarioLoader
{
    /// <summary>Longest drill; a scenario is a measurement, not a soak.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Longest load before a measurement: past it nothing is compiled any more.</summary>
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromMinutes(1);

    public static ScenarioLoadResult LoadDirectory(string directory, FaultRegistry? faults = null)
    {
        if (!Directory.Exists(directory))
            return new([], [new FileError(directory, 0, 0, "the folder of scenarios does not exist; set Guardian:Files:Scenarios or pass --scenarios")]);
        var results = Directory.EnumerateFiles(directory).Where(x => x.EndsWith(".yaml", StringComparison.Ordinal) || x.EndsWith(".yml", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(x => LoadFile(x, faults ?? FaultRegistry.BuiltIn)).ToList();
        return Combine(results);
    }

    /// <summary>Reads texts as one set.</summary>
    public static ScenarioLoadResult Load(IEnumerable<(string File, string Text)> files, FaultRegistry? faults = null) =>
        Combine([.. files.Select(x =>
        {
            var sink = new ErrorSink(x.File);
            return Read(YamlReader.Read(x.Text, sink), sink, faults ?? FaultRegistry.BuiltIn);
        })]);

    private static (Scenario?, ErrorSink) LoadFile(string path, FaultRegistry faults)
    {
        var sink = new ErrorSink(path);
        return Read(YamlReader.ReadFile(path, sink).Root, sink, faults);
    }

    private static ScenarioLoadResult Combine(IReadOnlyList<(Scenario? Scenario, ErrorSink Sink)> files)
    {
        var scenarios = new Dictionary<string, Scenario>(StringComparer.Ordinal);
        var errors = files.SelectMany(x => x.Sink.Errors).ToList();
        foreach (var scenario in files.Select(x => x.Scenario).OfType<Scenario>())
        {
            if (!scenarios.TryAdd(scenario.Name, scenario))
                errors.Add(new FileError(scenario.File, 0, 0, $"'{scenario.Name}' is already the name of the scenario in {scenarios[scenario.Name].File}"));
        }

        foreach (var x in scenarios.Values)
        {
            if (x.VariantOf is { } of && !scenarios.ContainsKey(of)) errors.Add(new FileError(x.File, 0, 0, $"'variantOf' names '{of}', which does not exist{Spelling.Hint(of, scenarios.Keys)}"));
            if (x.VariantOf is null && scenarios.Values.Any(y => y != x && y.VariantOf is null && y.Id == x.Id && string.CompareOrdinal(y.Name, x.Name) < 0))
                errors.Add(new FileError(x.File, 0, 0, $"another scenario has the id {x.Id}; give this one another id or 'variantOf'"));
        }

        return new([.. scenarios.Values.OrderBy(x => x.Id, StringComparer.Ordinal).ThenBy(x => x.VariantOf is not null).ThenBy(x => x.Name, StringComparer.Ordinal)], errors);
    }

    private static (Scenario?, ErrorSink) Read(YamlNode? root, ErrorSink sink, FaultRegistry faults)
    {
        if (MapReader.Of(root, sink, "a scenario") is not { } map) return (null, sink);
        Fixed(map, "apiVersion", "guardian/v1");
        Fixed(map, "kind", "Scenario");
        var metadata = MapReader.Of(map.Require("metadata"), sink, "'metadata'");
        var name = metadata?.RequireText("name") ?? "";
        if (metadata is not null && name.Length > 0 && !NameForm().IsMatch(name))
            sink.Add(metadata.Node.Get("name")!, $"'{name}' is not a scenario's name; write an id, an underscore and a name, e.g. S02_acl_spam");
        var title = metadata?.RequireText("title") ?? "";
        var severity = metadata?.Int("severity", 3, 1, 5) ?? 3;
        var variantOf = metadata?.Text("variantOf");
        var proves = Proves(metadata, sink);
        metadata?.Finish();

        var fault = map.Map("fault") is { } broken ? Fault(broken, faults) : null;
        var also = map.List("also").Select(x => MapReader.Of(x, sink, "a fault") is { } one ? Fault(one, faults) : null).OfType<FaultSpec>().ToList();
        if (also.Count > 0 && map.Node.Get("fault") is null) sink.Add(map.Node.Get("also")!, "'also' needs 'fault': what it comes with");
        var nodeMap = map.Map("node");
        var memoryDisk = (nodeMap?.Int("memoryDiskMiB", 0, 8, 256) ?? 0) * 1024L * 1024;
        var memoryLimit = (nodeMap?.Int("memoryLimitMiB", 0, 256, 16_384) ?? 0) * 1024L * 1024;
        var (nodes, postgres) = Cluster(nodeMap, memoryDisk, sink);
        var options = NodeOptions(nodeMap, sink);
        var kernels = nodeMap?.Take("kernels") is { } declared ? NodeKernels.Read(declared, sink) : null;
        nodeMap?.Finish();
        var evidence = map.Take("evidence") is { } node ? ProbeChecks.Read(node, sink) : null;
        if (fault is not null && evidence is null && map.Node.Get("evidence") is null) sink.Add(map.Node, "a scenario with a fault needs 'evidence' that the fault is active");
        if (fault is null && evidence is not null) sink.Add(map.Node.Get("evidence")!, "'evidence' without 'fault' proves nothing; remove it");
        var duration = map.Duration("duration", TimeSpan.Zero, TimeSpan.Zero, Longest);
        if (fault is null && map.Node.Get("fault") is null && duration == TimeSpan.Zero) sink.Add(map.Node, "a scenario without a fault needs 'duration': how long nothing may happen");
        if (fault is not null && duration > TimeSpan.Zero) sink.Add(map.Node.Get("duration")!, "'duration' is for scenarios without a fault; the bounds of 'expect' end this one");

        var steady = map.List("steadyState").Select(x => ProbeChecks.Read(x, sink)).OfType<ProbeCheck>().ToList();
        if (steady.Count == 0 && map.Node.Get("steadyState") is null) sink.Add(map.Node, "a scenario needs 'steadyState': what holds before and after");
        var scenario = new Scenario
        {
            File = sink.File,
            Name = name,
            Title = title,
            Severity = severity,
            VariantOf = variantOf,
            Duration = duration,
            SteadyState = steady,
            Load = Load(map),
            Fault = fault,
            Also = also,
            MemoryDisk = memoryDisk,
            MemoryLimit = memoryLimit,
            Nodes = nodes,
            Postgres = postgres,
            NodeOptions = options,
            NodeKernels = kernels,
            Evidence = evidence,
            Expect = Expect(map, fault),
            Verify = [.. map.List("verify").Select(x => ProbeChecks.Read(x, sink)).OfType<ProbeCheck>()],
            Never = [.. map.List("never").Select(x => ProbeChecks.Read(x, sink)).OfType<ProbeCheck>()],
            ConflictsWith = map.Texts("conflictsWith"),
            Proves = proves,
        };
        map.Finish();
        return (sink.Count == 0 ? scenario : null, sink);
    }

    private static (int Nodes, bool Postgres) Cluster(MapReader? node, long memoryDisk, ErrorSink sink)
    {
        var nodes = node?.Int("count", 1, 1, 5) ?? 1;
        var journal = node?.Text("journal");
        if (journal is not (null or "sqlite" or "postgres")) sink.Add(node!.Node.Get("journal")!, $"'journal' is sqlite or postgres, not '{journal}'");
        if (nodes > 1 && journal == "sqlite") sink.Add(node!.Node.Get("journal")!, "several nodes need 'journal: postgres'");
        if (nodes > 1 && memoryDisk > 0) sink.Add(node!.Node, "a memory disk is for a node alone");
        return (nodes, nodes > 1 || journal == "postgres");
    }

    private static Dictionary<string, string> NodeOptions(MapReader? node, ErrorSink sink)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in node?.Take("options")?.Entries ?? [])
        {
            if (entry.Key.StartsWith("Guardian:", StringComparison.Ordinal)) options[entry.Key] = entry.Value.Text;
            else sink.Add(entry.KeyNode, $"'{entry.Key}' is not an option of the node; write e.g. Guardian:Autonomy:Destroy");
        }

        return options;
    }

    private static List<int> Proves(MapReader? metadata, ErrorSink sink)
    {
        var numbers = new List<int>();
        foreach (var node in metadata?.List("proves") ?? [])
        {
            if (int.TryParse(node.Text, System.Globalization.CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= Coverage.Invariants) numbers.Add(number);
            else sink.Add(node, $"'proves' takes numbers of invariants, 1 to {Coverage.Invariants}, not {node.Describe()}");
        }

        return numbers;
    }

    private static LoadSpec Load(MapReader map)
    {
        var empty = new LoadSpec(1, new Rate(1, TimeSpan.FromSeconds(1)), ["library.>"], "patron");
        if (MapReader.Of(map.Require("load"), map.Sink, "'load'") is not { } load) return empty;
        var principals = load.Int("principals", 10, 1, 10);
        var rate = load.Rate("rate") ?? new Rate(50, TimeSpan.FromSeconds(1));
        if (rate.PerSecond > 5_000) map.Sink.Add(load.Node.Get("rate")!, "at most 5000/s: beyond that the load itself is the fault");
        var topics = load.Texts("topics");
        if (topics.Count == 0) map.Sink.Add(load.Node, "'load' needs 'topics'");
        var subscriber = load.Text("subscriber") ?? "patron";
        TimeSpan? warmUp = load.Node.Get("warmUp") is null ? null : load.Duration("warmUp", TimeSpan.Zero, TimeSpan.Zero, LongestWarmUp);
        load.Finish();
        return new LoadSpec(principals, rate, topics.Count > 0 ? topics : empty.Topics, subscriber, warmUp);
    }

    private static FaultSpec? Fault(MapReader fault, FaultRegistry faults)
    {
        var kind = fault.RequireText("kind");
        FaultBinding? binding = null;
        if (kind is not null && !faults.TryGet(kind, out binding)) fault.Sink.Add(fault.Node.Get("kind")!, $"no fault '{kind}' is registered{Spelling.Hint(kind, faults.Names)}");
        var ttl = fault.Duration("ttl", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1), Longest);
        var after = fault.Duration("after", TimeSpan.Zero, TimeSpan.Zero, Longest);
        var with = fault.Take("with");
        fault.Finish();
        if (binding is null) return null;
        var before = fault.Sink.Count;
        var template = new WithReader(NameTable.Empty, [], fault.Sink, new Vocabulary([], [], [])).Read(with, binding.Inputs, binding.Name, fault.Node);
        if (fault.Sink.Count > before) return null;
        try
        {
            var read = template.Render(new EvaluationScope());
            if (binding.Check(read, ttl) is not { } problem) return new FaultSpec(binding, read, ttl, after);
            fault.Sink.Add(fault.Node, problem);
        }
        catch (ActionFailedException e)
        {
            fault.Sink.Add(fault.Node, e.Message);
        }

        return null;
    }

    private static Expectation Expect(MapReader map, FaultSpec? fault)
    {
        if (MapReader.Of(map.Require("expect"), map.Sink, "'expect'") is not { } expect) return new Expectation();
        TimeSpan? Bound(string key) => expect.Take(key) is null ? null : expect.Duration(key, Longest, TimeSpan.FromMilliseconds(1), Longest);
        int? Count(string key) => expect.Take(key) is null ? null : expect.Int(key, 0, 0, 1_000_000);
        var result = new Expectation
        {
            Incident = expect.Text("incident"),
            Playbook = expect.Text("playbook"),
            Steps = expect.Texts("steps"),
            MayRefuse = expect.Texts("mayRefuse"),
            MustNotRun = expect.Texts("mustNotRun"),
            MustRun = expect.Texts("mustRun"),
            Incidents = Count("incidents"),
            Runs = Count("runs"),
            MinViolations = Count("minViolations"),
            TotalViolations = Count("totalViolations"),
            BanLasts = Bound("banLasts"),
            SettleWithin = Bound("settleWithin"),
            DetectWithin = Bound("detectWithin"),
            DetectAfter = Bound("detectAfter"),
            BannedWithin = Bound("bannedWithin"),
            RecoverWithin = Bound("recoverWithin"),
            ResolveWithin = Bound("resolveWithin"),
            TakenOverWithin = Bound("takenOverWithin"),
            EscalateWithin = Bound("escalateWithin"),
            RecoverAfterDetection = Bound("recoverAfterDetection"),
            RecoverAfterWithdrawal = Bound("recoverAfterWithdrawal"),
            Subject = expect.Text("subject"),
            NotBanned = expect.Bool("notBanned", false),
            StableFor = expect.Duration("stableFor", TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(100), Longest),
            Latency = Latency(expect),
        };
        if (result.Playbook is not null && result.Incident is null) map.Sink.Add(expect.Node, "'playbook' needs 'incident': the run must belong to it");
        if (result is { ResolveWithin: not null, EscalateWithin: not null }) map.Sink.Add(expect.Node, "a run ends in one way: either 'resolveWithin' or 'escalateWithin'");
        if (result.EscalateWithin is not null && result.Playbook is null) map.Sink.Add(expect.Node, "'escalateWithin' needs 'playbook': whose run escalates");
        if (result.Steps.Count > 0 && result.Playbook is null) map.Sink.Add(expect.Node, "'steps' needs 'playbook'");
        if (fault is null && result.Incident is not null) map.Sink.Add(expect.Node.Get("incident")!, "without a fault nothing can be expected to be detected");
        if (result is { NotBanned: true, BannedWithin: not null }) map.Sink.Add(expect.Node, "'notBanned' and 'bannedWithin' contradict each other");
        expect.Finish();
        return result;
    }

    private static LatencyBound? Latency(MapReader expect)
    {
        if (expect.Map("latency") is not { } latency) return null;
        var bound = new LatencyBound(
            latency.Int("windows", 5, 1, 25), latency.Duration("length", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
            latency.Double("factor", 2, 1, 100), latency.Duration("slack", TimeSpan.FromMilliseconds(20), TimeSpan.Zero, TimeSpan.FromSeconds(10))) { Delivered = latency.Text("of") == "delivery" };
        if (latency.Node.Get("of") is { } of && of.Text is not ("answer" or "delivery")) latency.Sink.Add(of, $"'of' is answer or delivery, not '{of.Text}'");
        latency.Finish();
        return bound;
    }

    private static void Fixed(MapReader map, string key, string value)
    {
        if (map.RequireText(key) is { } text && text != value) map.Sink.Add(map.Node.Get(key)!, $"'{key}' must be '{value}', not '{text}'");
    }

    [GeneratedRegex("^[A-Z][0-9]{2}_[a-z0-9_]{1,60}$")]
    private static partial Regex NameForm();
}
