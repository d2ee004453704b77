using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

/// <summary>Rules that an input declares beyond its type.</summary>
/// <param name="probes">Probes that may be named.</param>
/// <param name="sink">Where errors go.</param>
internal sealed class InputRules(IReadOnlyDictionary<string, ProbeSpec> probes, ErrorSink sink)
{
    /// <summary>Checks all inputs; false for one that is read as it stands, without <c>${…}</c>.</summary>
    public void Check(YamlNode? with, IReadOnlyList<FieldSpec> inputs, string owner, YamlNode at)
    {
        foreach (var spec in inputs.Where(x => x.Rule == InputRule.LiteralOrigin))
            if (with?.Get(spec.Name) is { Kind: YamlKind.Scalar } url) Origin(url, spec.Name);
        if (inputs.FirstOrDefault(x => x.Rule == InputRule.ProbeName) is { } name) Probe(with, name, inputs, owner, at);
    }

    /// <summary>The probe that the inputs name; null where none is, or none that is known.</summary>
    public ProbeSpec? ProbeOf(YamlNode? with, IReadOnlyList<FieldSpec> inputs) =>
        inputs.FirstOrDefault(x => x.Rule == InputRule.ProbeName) is { } spec && with?.Get(spec.Name) is { Kind: YamlKind.Scalar } node
            ? probes.GetValueOrDefault(node.Text) : null;

    /// <summary>What is substituted must not decide whom the call goes to.</summary>
    private void Origin(YamlNode node, string key)
    {
        var literal = node.Text.IndexOf("${", StringComparison.Ordinal) is >= 0 and var at ? node.Text[..at] : node.Text + "/";
        var scheme = literal.StartsWith("https://", StringComparison.Ordinal) ? 8 : literal.StartsWith("http://", StringComparison.Ordinal) ? 7 : -1;
        if (scheme < 0)
        {
            sink.Add(node, $"'{key}' must begin with http:// or https:// and a host, written out; only path and query may hold '${{…}}'");
            return;
        }

        var end = literal.AsSpan(scheme).IndexOfAny('/', '?', '#');
        var authority = end < 0 ? literal[scheme..] : literal.Substring(scheme, end);
        if (end < 0) sink.Add(node, literal.Length, $"'{key}': scheme, host and port must be written out; '${{…}}' may stand in path and query only");
        else if (authority.Contains('@', StringComparison.Ordinal)) sink.Add(node, $"'{key}' must not hold a user or password; give a header with a secret");
        else if (authority.Contains('\\', StringComparison.Ordinal) || !Uri.TryCreate(literal[..scheme] + authority + "/", UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            sink.Add(node, $"'{key}': '{YamlNode.Shorten(authority)}' is not a host with an optional port");
    }

    private void Probe(YamlNode? with, FieldSpec name, IReadOnlyList<FieldSpec> inputs, string owner, YamlNode at)
    {
        var check = inputs.First(x => x.Rule == InputRule.ProbeCheck);
        var (probeNode, checkNode) = (with?.Get(name.Name), with?.Get(check.Name));
        if (with is not { Entries.Count: > 0 }) sink.Add(with ?? at, $"'{owner}' needs an input: for, or {name.Name} and {check.Name}");
        if (probeNode is null && checkNode is not null) sink.Add(checkNode, $"'{check.Name}' needs '{name.Name}' beside it");
        if (probeNode is null) return;
        if (checkNode is null) sink.Add(probeNode, $"'{name.Name}' needs '{check.Name}' beside it: a bare expression on its result");
        if (ProbeOf(with, inputs) is not { } probe)
            sink.Add(probeNode, $"no probe is called {probeNode.Describe()}{Spelling.Hint(probeNode.Text, probes.Keys)}");
        else if (checkNode is { Kind: YamlKind.Scalar })
            foreach (var error in ProbeCheck.Compile(checkNode.Text, probe).Errors) sink.Add(checkNode, error.Offset, error.Message);
    }
}
