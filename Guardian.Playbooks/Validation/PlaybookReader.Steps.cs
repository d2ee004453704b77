using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

internal sealed partial class PlaybookReader
{
    /// <summary>Reads steps, or, where others stand <paramref name="before"/> them, those of <c>finally</c>: of the others each may not have run.</summary>
    private List<Step> ReadSteps(IReadOnlyList<YamlNode> nodes, NameTable names, IReadOnlyList<Step> before, IReadOnlyList<string> allIds, TimeSpan runTimeout)
    {
        var steps = new List<Step>();
        foreach (var node in nodes)
        {
            NameTable Seeing(IEnumerable<Step> done) => names.With("steps", NameDeclaration.Group(
                Names.Steps(before, [], vocabulary, allOptional: true).Members!
                    .Concat(Names.Steps(done, allIds, vocabulary).Members!.Where(x => before.All(b => b.Id != x.Key)))
                    .ToDictionary(x => x.Key, x => x.Value, StringComparer.Ordinal)));

            if (ReadStep(node, Seeing(steps), x => Seeing([.. steps, x]), runTimeout) is { } step) steps.Add(step);
        }

        return steps;
    }

    private Step? ReadStep(YamlNode node, NameTable names, Func<Step, NameTable> afterwards, TimeSpan runTimeout)
    {
        if (MapReader.Of(node, sink, "a step") is not { } map) return null;
        var id = ReadId(map, "a step's id");
        var actionNode = map.Require("action");
        var action = Lookup(actionNode, vocabulary.Actions, "action");
        var ifNode = map.Take("if");
        var condition = Condition(ifNode, names, "if");
        var with = map.Take("with");
        var template = action is null
            ? Template.Empty
            : new WithReader(names, condition?.Vouches ?? [], sink, vocabulary).Read(with, action.Inputs, action.Name, node);
        var step = new Step
        {
            Id = id ?? "",
            Action = action?.Name ?? "",
            With = template,
            If = condition,
            Retry = ReadRetry(map.Map("retry")),
            Timeout = map.Duration("timeout", TimeSpan.FromSeconds(30), PlaybookLimits.ShortestTimeout, PlaybookLimits.LongestAttempt),
            SkipWhen = ReadSkipWhen(map.Map("skipWhen"), names),
            UndoOn = ReadUndoOn(map),
            ContinueOnError = ReadOnError(map),
            On = ReadTarget(map),
            Mode = map.Enum("mode", OperatingMode.Enforce),
            Approval = ReadApproval(map.Map("approval"), runTimeout),
        };
        step = step with { Undo = ReadUndo(map, action, condition?.Vouches ?? [], afterwards(step with { If = null, SkipWhen = null, ContinueOnError = false })) };
        CheckTimes(map.Take("timeout"), with, action?.Inputs ?? [], step.Timeout, runTimeout);
        map.Finish();
        return id is null ? null : step with { If = ifNode is not null && condition is null ? Unreadable : condition };
    }

    /// <summary>A step ends before its run does, and what it does before the step.</summary>
    private void CheckTimes(YamlNode? timeoutNode, YamlNode? with, IReadOnlyList<FieldSpec> inputs, TimeSpan timeout, TimeSpan runTimeout)
    {
        if (timeoutNode is not null && timeout > runTimeout)
            sink.Add(timeoutNode, $"a step's 'timeout' ({new Duration(timeout)}) must not be longer than the run's ({new Duration(runTimeout)}); raise the playbook's 'timeout'");
        foreach (var spec in inputs.Where(x => x.Rule == InputRule.WithinTimeout))
        {
            if (with?.Get(spec.Name) is { Kind: YamlKind.Scalar } node && Duration.TryParse(node.Text, out var length) && length.Value >= timeout)
                sink.Add(node, $"'{spec.Name}' ({length}) must be shorter than the step's 'timeout' ({new Duration(timeout)}); raise the step's 'timeout'");
        }
    }

    /// <summary>Stands for a condition with errors, so that the step still counts as conditional for the steps after it.</summary>
    private static CompiledExpression Unreadable { get; } = ExpressionCompiler.Require("false", NameTable.Empty, FieldType.Bool);

    private string? ReadId(MapReader map, string what)
    {
        if (map.Require("id") is not { } node) return null;
        if (node.Kind != YamlKind.Scalar || !Names.IsIdentifier(node.Text))
        {
            sink.Add(node, $"{what} is a letter or underscore, then letters, digits and underscores, at most 64; {node.Describe()} does not fit");
            return null;
        }

        if (_ids.TryAdd(node.Text, node)) return node.Text;
        sink.Add(node, $"the id '{node.Text}' is used already on line {_ids[node.Text].Line}");
        return null;
    }

    private T? Lookup<T>(YamlNode? node, IReadOnlyDictionary<string, T> known, string what)
        where T : class
    {
        if (node is null) return null;
        if (known.TryGetValue(node.Text, out var spec)) return spec;
        sink.Add(node, $"no {what} is called {node.Describe()}{Spelling.Hint(node.Text, known.Keys)}");
        return null;
    }

    private static RetryPolicy ReadRetry(MapReader? retry)
    {
        if (retry is null) return RetryPolicy.Once;
        retry.Require("attempts");
        var policy = new RetryPolicy(
            retry.Int("attempts", 1, 1, PlaybookLimits.Attempts),
            retry.Enum("backoff", Backoff.Exponential) == Backoff.Exponential,
            retry.Duration("initial", TimeSpan.FromMilliseconds(200), PlaybookLimits.ShortestPause, PlaybookLimits.LongestAttempt),
            retry.Duration("max", TimeSpan.FromSeconds(5), PlaybookLimits.ShortestPause, PlaybookLimits.LongestAttempt),
            retry.Bool("jitter", true));
        if (policy.Max < policy.Initial)
            retry.Sink.Add(retry.Take("max") ?? retry.Node, $"'max' ({new Duration(policy.Max)}) must not be shorter than 'initial' ({new Duration(policy.Initial)})");
        retry.Finish();
        return policy;
    }

    private SkipCondition? ReadSkipWhen(MapReader? skip, NameTable names)
    {
        if (skip is null) return null;
        var probe = Lookup(skip.Require("probe"), vocabulary.Probes, "probe");
        var with = skip.Take("with");
        var checkNode = skip.Require("check");
        var within = skip.Duration("within", TimeSpan.FromSeconds(2), PlaybookLimits.ShortestTimeout, PlaybookLimits.LongestAttempt);
        skip.Finish();
        if (probe is null) return null;
        var template = new WithReader(names, [], sink, vocabulary).Read(with, probe.Inputs, probe.Name, skip.Node);
        return Condition(checkNode, names.WithResult(probe.Results), "check") is { } check
            ? new SkipCondition { Probe = probe.Name, With = template, Check = check, Within = within }
            : null;
    }

    private StepUndo? ReadUndo(MapReader map, ActionSpec? action, IReadOnlyList<string> present, NameTable names)
    {
        if (map.Take("undo") is not { } node) return null;
        if (node.Kind == YamlKind.Map) return ReadUndoAction(MapReader.Of(node, sink, "'undo'")!, present, names);
        if (node.Text != "auto") sink.Add(node, $"'undo' must be auto, or an action: {{ action: …, with: {{ … }} }}, not {node.Describe()}");
        else if (action is { HasUndo: false }) sink.Add(node, $"'{action.Name}' has no undo; remove 'undo', or name an action: {{ action: …, with: {{ … }} }}");
        return StepUndo.Auto;
    }

    /// <summary>Its input may use what the step itself gave.</summary>
    private StepUndo? ReadUndoAction(MapReader undo, IReadOnlyList<string> present, NameTable names)
    {
        var action = Lookup(undo.Require("action"), vocabulary.Actions, "action");
        var with = undo.Take("with");
        undo.Finish();
        return action is null ? null : new StepUndo(action.Name, new WithReader(names, present, sink, vocabulary).Read(with, action.Inputs, action.Name, undo.Node));
    }

    private List<string> ReadUndoOn(MapReader map)
    {
        var causes = new List<string>();
        foreach (var node in map.List("undoOn"))
        {
            if (node.Text is "resolved" or "step_failed" or "verify_failed") causes.Add(node.Text);
            else if (node.Text == "cancelled") sink.Add(node, "'cancelled' need not be said: a cancelled run always lifts its containment, and the rest where 'rollback.on' says cancelled");
            else sink.Add(node, $"'undoOn' takes resolved, step_failed and verify_failed, not {node.Describe()}");
        }

        if (causes.Count > 0 && map.Take("undo") is null) sink.Add(map.Take("undoOn")!, "'undoOn' needs 'undo' beside it");
        return causes;
    }

    private bool ReadOnError(MapReader map)
    {
        if (map.Take("onError") is not { } node) return false;
        if (node.Text is not ("continue" or "fail")) sink.Add(node, $"'onError' must be continue or fail, not {node.Describe()}");
        return node.Text == "continue";
    }

    private StepTarget ReadTarget(MapReader map)
    {
        if (map.Take("on") is not { } node) return StepTarget.IncidentNode;
        if (node.Kind == YamlKind.Scalar && node.Text == "incident.node") return StepTarget.IncidentNode;
        if (node.Kind == YamlKind.Scalar && node.Text == "all") return StepTarget.All;
        if (node.Kind == YamlKind.Scalar && node.Text.StartsWith("role:", StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(node.Text[5..]))
            return new StepTarget(TargetKind.Role, node.Text[5..].Trim());
        sink.Add(node, $"'on' must be incident.node, all or role:<name>, not {node.Describe()}");
        return StepTarget.IncidentNode;
    }

    private enum Backoff
    {
        Exponential,
        Constant,
    }
}
