using Guardian.Playbooks.Expressions;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Playbooks.Validation;

internal sealed partial class PlaybookReader
{
    private Guards ReadGuards(MapReader? guards, NameTable names)
    {
        if (guards is null) return Guards.None;
        var read = new Guards
        {
            Cooldown = guards.Duration("cooldown", TimeSpan.Zero, max: PlaybookLimits.LongestGuard),
            MaxRuns = [.. guards.List("maxRuns").Select(ReadQuota).OfType<RunQuota>()],
            Lock = guards.Take("lock") is { } node ? new WithReader(names, [], sink, vocabulary).Text(node, "lock") : null,
            BlastRadius = ReadBlastRadius(guards.Map("blastRadius")),
            CircuitBreaker = ReadBreaker(guards.Map("circuitBreaker")),
        };
        guards.Finish();
        return read;
    }

    private RunQuota? ReadQuota(YamlNode node)
    {
        if (MapReader.Of(node, sink, "a quota of 'maxRuns'") is not { } quota) return null;
        quota.Require("count");
        quota.Require("per");
        var read = new RunQuota(
            quota.Int("count", 1, 1, PlaybookLimits.Runs),
            quota.Duration("per", TimeSpan.FromHours(1), TimeSpan.FromSeconds(1), PlaybookLimits.LongestGuard),
            quota.Enum("scope", QuotaScope.Key));
        quota.Finish();
        return read;
    }

    private BlastRadius? ReadBlastRadius(MapReader? radius)
    {
        if (radius is null) return null;
        var kernels = radius.Take("kernels");
        Percentage? share = null;
        if (kernels is not null && Percentage.TryParse(kernels.Text, out var parsed) && parsed.Value > 0) share = parsed;
        else if (kernels is not null) sink.Add(kernels, $"'kernels' must be a percentage such as 50%, more than 0%, not {kernels.Describe()}");
        int? principals = radius.Take("principals") is null ? null : radius.Int("principals", 1, 1, PlaybookLimits.Principals);
        if (kernels is null && principals is null) sink.Add(radius.Node, "'blastRadius' bounds kernels (a percentage), principals (a number), or both");
        radius.Finish();
        return new BlastRadius(share, principals);
    }

    private CircuitBreaker? ReadBreaker(MapReader? breaker)
    {
        if (breaker is null) return null;
        breaker.Require("failures");
        breaker.Require("within");
        var read = new CircuitBreaker(
            breaker.Int("failures", 1, 1, PlaybookLimits.Failures),
            breaker.Duration("within", TimeSpan.FromHours(1), TimeSpan.FromSeconds(1), PlaybookLimits.LongestGuard));
        Only(breaker, "reset", "manual");
        breaker.Finish();
        return read;
    }

    /// <summary>A wait that outlasts the run would never end by its default.</summary>
    private Approval? ReadApproval(MapReader? approval, TimeSpan runTimeout)
    {
        if (approval is null) return null;
        var at = approval.Require("timeout");
        var read = new Approval(
            approval.Duration("timeout", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1), PlaybookLimits.LongestRun),
            approval.Enum("default", ApprovalDefault.Reject) == ApprovalDefault.Approve);
        if (at is not null && read.Timeout >= runTimeout)
            sink.Add(at, $"an approval's 'timeout' ({new Duration(read.Timeout)}) must be shorter than the run's ({new Duration(runTimeout)}); raise the playbook's 'timeout'");
        approval.Finish();
        return read;
    }

    private enum ApprovalDefault
    {
        Reject,
        Approve,
    }
}
