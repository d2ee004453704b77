using System.Text.RegularExpressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Kernels;

/// <summary>Reads <c>kernels.yaml</c> and reports everything that is wrong with it in one pass.</summary>
internal sealed partial class KernelsFileReader
{
    /// <summary>Kernels of one file: what one node is planned for, ten times over.</summary>
    public const int MaxKernels = 10_000;

    private const long SmallestMemory = 4 * 1024 * 1024; // with less a shell does not start

    private const int MaxReplicas = 1_000; // processes or workers of one kernel

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50); // a beat more often measures only the scheduler
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly ErrorSink _sink;

    private KernelsFileReader(ErrorSink sink) => _sink = sink;

    /// <summary>The kernels, or all errors.</summary>
    public static (IReadOnlyList<KernelDefinition> Kernels, IReadOnlyList<FileError> Errors) Read(string file, string text)
    {
        var sink = new ErrorSink(file);
        var root = YamlReader.Read(text, sink);
        var kernels = root is null ? [] : new KernelsFileReader(sink).File(root);
        return sink.Count == 0 ? (kernels, []) : ([], sink.Errors);
    }

    /// <summary>The kernels of a list that stands in another file; errors go to its sink.</summary>
    public static IReadOnlyList<KernelDefinition> Read(YamlNode list, ErrorSink sink) => new KernelsFileReader(sink).List(list);

    private List<KernelDefinition> File(YamlNode root)
    {
        if (MapReader.Of(root, _sink, "the file") is not { } map) return [];
        MayBe(map, "apiVersion", "guardian/v1");
        MayBe(map, "kind", "Kernels");
        var kernels = map.Take("kernels") is { } list ? List(list) : [];
        map.Finish();
        return kernels;
    }

    private List<KernelDefinition> List(YamlNode list)
    {
        var kernels = new List<KernelDefinition>();
        var places = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        var items = YamlValues.List(list, _sink, "kernels");
        if (items.Count > MaxKernels) _sink.Add(list, $"{items.Count} kernels; at most {MaxKernels}");
        foreach (var item in items.Take(MaxKernels))
        {
            if (Kernel(item) is not { } kernel) continue;
            if (!places.TryAdd(kernel.Name, item)) _sink.Add(item, $"kernel '{kernel.Name}' is declared twice; it is already on line {places[kernel.Name].Line}");
            else kernels.Add(kernel);
        }

        KernelOrder.Check(kernels, (name, message) => _sink.Add(places[name].Get("dependsOn") ?? places[name], message));
        return kernels;
    }

    private void MayBe(MapReader map, string key, string expected)
    {
        if (map.Text(key) is { } text && text != expected) _sink.Add(map.Node.Get(key)!, $"'{key}' must be {expected}, not '{text}'");
    }

    private KernelDefinition? Kernel(YamlNode node)
    {
        if (MapReader.Of(node, _sink, "kernel") is not { } map) return null;
        var name = Name(map);
        var type = map.Require("type") is { } typeNode ? YamlValues.Enum<KernelType>(typeNode, _sink, "type") : null;
        var definition = new KernelDefinition
        {
            Name = name ?? "",
            Type = type ?? KernelType.Process,
            Criticality = map.Enum("criticality", KernelCriticality.Normal),
            Class = Word(map, "class") ?? "general",
            Remediation = map.Take("remediation") is { } remediation ? YamlValues.Enum<OperatingMode>(remediation, _sink, "remediation") : null,
            DependsOn = map.Texts("dependsOn"),
            Heartbeat = Heartbeat(map.Map("heartbeat")),
            Restart = Restart(map.Map("restart")),
        };
        definition = type switch
        {
            KernelType.Process => definition with { Process = Process(map), Replicas = Replicas(map, "replicas") },
            KernelType.Jobs => definition with { Jobs = Jobs(map), Replicas = Replicas(map, "workers") },
            KernelType.Actor => ActorRefused(typeNode: map.Node.Get("type")!),
            _ => null!,
        };
        if (type is null or KernelType.Actor) return null; // reported; its other keys belong to no type
        map.Finish();
        return name is null ? null : definition;
    }

    private KernelDefinition ActorRefused(YamlNode typeNode)
    {
        _sink.Add(typeNode, "an actor kernel is declared in code: options.Kernels.Actor(name, props)");
        return null!;
    }

    private string? Name(MapReader map)
    {
        if (map.RequireText("name") is not { } name) return null;
        if (KernelName().IsMatch(name)) return name;
        _sink.Add(map.Node.Get("name")!, $"'{YamlNode.Shorten(name)}' is no name for a kernel: 1 to 63 letters, digits, '.', '-' or '_', beginning with a letter or digit");
        return null;
    }

    private string? Word(MapReader map, string key)
    {
        if (map.Text(key) is not { } word) return null;
        if (KernelName().IsMatch(word)) return word;
        _sink.Add(map.Node.Get(key)!, $"'{YamlNode.Shorten(word)}' is no {key}: 1 to 63 letters, digits, '.', '-' or '_'");
        return null;
    }

    private ReplicaSpec Replicas(MapReader map, string key)
    {
        if (map.Take(key) is not { } node) return new ReplicaSpec();
        if (node.Kind == YamlKind.Scalar)
        {
            var fixedCount = map.Int(key, 1, 0, MaxReplicas);
            return new ReplicaSpec(fixedCount, Math.Min(1, fixedCount), Math.Max(1, fixedCount));
        }

        if (map.Map(key) is not { } range) return new ReplicaSpec();
        var max = range.Int("max", -1, 1, MaxReplicas);
        var count = range.Int("count", 1, 0, MaxReplicas);
        var min = range.Int("min", Math.Min(1, count), 0, MaxReplicas);
        if (max < 0) max = Math.Max(1, count);
        range.Finish();
        if (min > count || count > max) _sink.Add(node, $"'{key}' must be ordered min ≤ count ≤ max, not {min} ≤ {count} ≤ {max}");
        return new ReplicaSpec(count, min, max);
    }

    private ProcessSpec Process(MapReader map)
    {
        var process = new ProcessSpec
        {
            Command = Command(map, "command"),
            Environment = Environment(map.Map("env")),
            WorkingDirectory = map.Text("workingDirectory"),
        };
        if (map.Map("stop") is { } stop)
        {
            process = process with { Grace = stop.Duration("grace", process.Grace, TimeSpan.Zero, Longest) };
            stop.Finish();
        }

        if (map.Map("readiness") is { } ready)
        {
            process = process with { ReadyWithin = ready.Duration("within", process.ReadyWithin, Shortest, Longest), ReadyProbe = Probe(ready, "probe") };
            ready.Finish();
        }

        if (map.Map("limits") is { } limits) process = process with { Limits = Limits(limits) };
        if (map.Map("output") is not { } output) return process;
        var fallback = process.Output;
        process = process with { Output = new OutputSpec(output.Int("maxBytes", (int)fallback.MaxBytes, 1_024, int.MaxValue), output.Int("files", fallback.Files, 1, 100)) };
        output.Finish();
        return process;
    }

    private LimitSpec Limits(MapReader map)
    {
        var spec = new LimitSpec(
            map.Take("cpu") is null ? null : map.Double("cpu", 1, 0.01, 1_024),
            map.Take("memory") is null ? null : Size(map, "memory"),
            map.Take("processes") is null ? null : map.Int("processes", 1, 1, 1_000_000));
        map.Finish();
        if (!spec.Any) _sink.Add(map.Node, "'limits' needs cpu (cores, e.g. 0.5), memory (e.g. 256MiB) or processes");
        return spec;
    }

    private long? Size(MapReader map, string key)
    {
        if (map.Text(key) is not { } text) return null;
        if (ByteSize.TryParse(text, out var size) && size.Bytes >= SmallestMemory) return size.Bytes;
        _sink.Add(map.Node.Get(key)!, $"'{key}' must be a size of at least {SmallestMemory / 1024 / 1024}MiB such as 256MiB, not '{YamlNode.Shorten(text)}'");
        return null;
    }

    private Dictionary<string, string> Environment(MapReader? map)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        if (map is null) return environment;
        foreach (var entry in map.Node.Entries)
        {
            if (entry.Key.Length == 0 || entry.Key.Contains('=', StringComparison.Ordinal) || entry.Key.StartsWith("GUARDIAN_", StringComparison.Ordinal))
                _sink.Add(entry.KeyNode, $"'{entry.Key}' is no name that may be set; it must not be empty, hold '=' or begin with GUARDIAN_");
            else if (YamlValues.Text(entry.Value, _sink, entry.Key) is { } value) environment[entry.Key] = value;
        }

        return environment;
    }

    private JobsSpec Jobs(MapReader map)
    {
        var commands = new Dictionary<string, JobCommand>(StringComparer.Ordinal);
        if (map.Map("commands") is { } list)
        {
            foreach (var entry in list.Node.Entries)
            {
                if (!KernelName().IsMatch(entry.Key)) _sink.Add(entry.KeyNode, $"'{YamlNode.Shorten(entry.Key)}' is no name for a command: letters, digits, '.', '-' or '_'");
                if (JobCommand(entry) is { } command) commands[entry.Key] = command;
            }
        }

        if (commands.Count == 0) _sink.Add(map.Node, "a jobs kernel needs 'commands': names with the program and arguments to run");
        return new JobsSpec { Commands = commands, Queue = map.Int("queue", new JobsSpec().Queue, 1, 1_000_000) };
    }

    private JobCommand? JobCommand(YamlEntry entry)
    {
        if (entry.Value.Kind == YamlKind.List) return new JobCommand { Command = Words(entry.Value, entry.Key) };
        if (MapReader.Of(entry.Value, _sink, $"command '{entry.Key}'") is not { } map) return null;
        var fallback = new JobCommand { Command = [] };
        var command = new JobCommand
        {
            Command = Command(map, "command"),
            Timeout = map.Duration("timeout", fallback.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(7)),
            Attempts = map.Int("attempts", fallback.Attempts, 1, 100),
        };
        map.Finish();
        return command;
    }

    private List<string> Command(MapReader map, string key) => map.Require(key) is { } node ? Words(node, key) : [];

    private List<string> Words(YamlNode node, string key)
    {
        var words = YamlValues.List(node, _sink, key).Select(x => YamlValues.Text(x, _sink, key) ?? "").ToList();
        if (node.Kind == YamlKind.List && (words.Count == 0 || words[0].Length == 0)) _sink.Add(node, $"'{key}' must name a program: [\"/usr/bin/env\", \"true\"]; there is no shell");
        return words;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", RegexOptions.NonBacktracking)]
    internal static partial Regex KernelName();
}
