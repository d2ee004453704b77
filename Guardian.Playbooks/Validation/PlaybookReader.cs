using System.Text.Json;
using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Reads one playbook and checks it against the vocabulary. What is wrong is reported and reading goes on.</summary>
internal sealed partial class PlaybookReader(Vocabulary vocabulary, ErrorSink sink)
{
    private readonly Dictionary<string, YamlNode> _ids = new(StringComparer.Ordinal);

    /// <summary>The playbook, usable only where the sink stayed empty, and the node of its name.</summary>
    public (Playbook? Playbook, YamlNode? Name) Read(YamlNode root)
    {
        if (MapReader.Of(root, sink, "a playbook") is not { } map) return (null, null);
        RequireExactly(map, "apiVersion", "guardian/v1");
        RequireExactly(map, "kind", "Playbook");
        var (name, version, owner, description) = ReadMetadata(map);
        var mode = map.Enum("mode", OperatingMode.Enforce);
        var conflict = map.Enum("onConflict", ConflictPolicy.Attach);
        var holdFor = map.Duration("holdFor", TimeSpan.Zero, max: PlaybookLimits.LongestRun);
        var timeout = map.Duration("timeout", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), PlaybookLimits.LongestRun);
        var approval = ReadApproval(map.Map("approval"), timeout);
        var vars = ReadVars(map.Take("vars"));
        var (triggers, types) = ReadTriggers(map);
        var names = NameTable.Empty
            .WithIncident(Names.IncidentFields(types))
            .With("vars", Names.Vars(vars))
            .With("run", NameTable.Run)
            .With("node", new NameDeclaration(FieldType.String))
            .With("secrets", NameTable.Secrets);
        var guards = ReadGuards(map.Map("guards"), names);

        var stepNodes = Items(map, "steps", PlaybookLimits.Steps, needed: true);
        var finallyNodes = Items(map, "finally", PlaybookLimits.Finally, needed: false);
        var verifyNodes = Items(map, "verify", PlaybookLimits.Verifications, needed: false);
        var allIds = stepNodes.Concat(finallyNodes).Select(x => x.Get("id")?.Text ?? "").Where(Names.IsIdentifier).ToList();
        var steps = ReadSteps(stepNodes, names, [], allIds, timeout);
        var final = ReadSteps(finallyNodes, names, steps, allIds, timeout);
        steps = [.. steps.Select(x => x with { OutcomeIsUsed = steps.Concat(final).Any(y => y.If?.Names.Contains($"steps.{x.Id}.{NameTable.Outcome}") == true) })];
        var verify = ReadVerifications(verifyNodes, names.With("steps", Names.Steps(steps, allIds, vocabulary)));
        var (rollbackOn, rollbackThen) = ReadRollback(map.Map("rollback"));
        var tests = ReadTests(map.List("tests"), types, steps, final, verify);
        map.Finish();

        if (name is null || steps.Count == 0 || triggers.Count == 0) return (null, name);
        return (new Playbook
        {
            Name = name.Text,
            Version = version,
            Owner = owner,
            Description = description,
            Definition = "",
            Hash = "",
            Mode = mode,
            Triggers = triggers,
            OnConflict = conflict,
            HoldFor = holdFor,
            Guards = guards,
            Approval = approval,
            Timeout = timeout,
            Vars = Constants(vars),
            Steps = steps,
            Verify = verify,
            RollbackOn = rollbackOn,
            RollbackThen = rollbackThen,
            Finally = final,
            Tests = tests,
            Places = _ids.Append(new("", name)).ToDictionary(x => x.Key, x => new Place(x.Value.Line, x.Value.Column), StringComparer.Ordinal),
        }, name);
    }

    private void RequireExactly(MapReader map, string key, string value)
    {
        if (map.Require(key) is { } node && node.Text != value) sink.Add(node, $"'{key}' must be {value}, not {node.Describe()}");
    }

    private (YamlNode? Name, int Version, string? Owner, string? Description) ReadMetadata(MapReader map)
    {
        if (MapReader.Of(map.Require("metadata"), sink, "'metadata'") is not { } metadata) return default;
        var name = metadata.Require("name");
        if (name is not null && !IsPlaybookName(name))
        {
            sink.Add(name, $"a playbook's name has 1 to 100 of a-z, 0-9, '_', '-', '.'; {name.Describe()} does not fit");
            name = null;
        }

        metadata.Require("version");
        var version = metadata.Int("version", 1, 1);
        var result = (name, version, metadata.Text("owner"), metadata.Text("description"));
        metadata.Finish();
        return result;
    }

    private static bool IsPlaybookName(YamlNode node) => node.Kind == YamlKind.Scalar && node.Text.Length is > 0 and <= 100
        && node.Text.All(x => char.IsAsciiLetterLower(x) || char.IsAsciiDigit(x) || x is '_' or '-' or '.');

    private (List<Trigger> Triggers, List<IncidentType> Types) ReadTriggers(MapReader map)
    {
        var triggers = new List<Trigger>();
        var types = new List<IncidentType>();
        foreach (var item in Items(map, "trigger", PlaybookLimits.Triggers, needed: true))
        {
            if (MapReader.Of(item, sink, "a trigger") is not { } trigger) continue;
            var at = trigger.Require("event");
            var when = trigger.Take("when");
            if (at is not null && vocabulary.Incidents.TryGetValue(at.Text, out var type))
            {
                if (types.Contains(type) && triggers.Any(x => x.Event == type.Name && x.When is null))
                    sink.Add(at, $"'{type.Name}' starts this playbook already without a condition; remove one of the two");
                if (!types.Contains(type)) types.Add(type);
                var condition = Condition(when, NameTable.Empty.WithIncident(type.Fields), "when");
                triggers.Add(new Trigger(type.Name, condition));
            }
            else if (at is not null)
            {
                sink.Add(at, $"no incident type is called {at.Describe()}{Spelling.Hint(at.Text, vocabulary.Incidents.Keys)}");
            }

            trigger.Finish();
        }

        return (triggers, types);
    }

    private YamlNode? ReadVars(YamlNode? vars)
    {
        if (MapReader.Of(vars, sink, "'vars'") is not { } map) return null;
        if (map.Node.Entries.Count > PlaybookLimits.Vars) sink.Add(map.Node, $"at most {PlaybookLimits.Vars} vars are allowed");
        foreach (var entry in map.Node.Entries) CheckConstant(entry);
        return map.Node;
    }

    private void CheckConstant(YamlEntry entry)
    {
        if (!Names.IsIdentifier(entry.Key))
            sink.Add(entry.KeyNode, $"'{YamlNode.Shorten(entry.Key)}' cannot be written in an expression; use letters, digits and underscores");
        if (entry.Value.IsNull) sink.Add(entry.KeyNode, $"'{entry.Key}' is empty; give it a value or remove it");
        if (entry.Value.Kind == YamlKind.Scalar && entry.Value.Text.Contains("${", StringComparison.Ordinal))
            sink.Add(entry.Value, "vars are constants; '${…}' is not evaluated here");
        foreach (var below in entry.Value.Entries) CheckConstant(below);
    }

    private static Dictionary<string, JsonElement> Constants(YamlNode? vars) =>
        (vars?.Entries ?? []).ToDictionary(x => x.Key, x => Constant(x.Value), StringComparer.Ordinal);

    private static JsonElement Constant(YamlNode node) => new Template(Literals.Part(node)).Render(new EvaluationScope());

    private IReadOnlyList<YamlNode> Items(MapReader map, string key, int most, bool needed)
    {
        var node = needed ? map.Require(key) : map.Take(key);
        if (node is null) return [];
        var items = YamlValues.List(node, sink, key);
        if (needed && node.Kind == YamlKind.List && items.Count == 0) sink.Add(node, $"'{key}' needs at least one item");
        if (items.Count <= most) return items;
        sink.Add(items[most], $"'{key}' has {items.Count} items; at most {most} are allowed");
        return [.. items.Take(most)];
    }

    /// <summary>Compiles a bare condition.</summary>
    private CompiledExpression? Condition(YamlNode? node, NameTable names, string key, IReadOnlyList<string>? present = null)
    {
        if (node is null) return null;
        if (node.Kind != YamlKind.Scalar)
        {
            sink.Add(node, $"'{key}' must be an expression, not {node.Describe()}");
            return null;
        }

        var (expression, errors) = ExpressionCompiler.Compile(node.Text, names, FieldType.Bool, present);
        foreach (var error in errors) sink.Add(node, error.Offset, error.Message);
        return expression;
    }
}
