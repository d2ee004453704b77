using Guardian.Actors.Bus;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

internal static class Violations
{
    public static readonly DateTimeOffset T0 = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static AclViolation Row(long row, string principal, string topic, IReadOnlyList<DateTimeOffset> times, long? denied = null, long blacklisted = 0, bool control = false, bool allowedBefore = false) => new()
    {
        Row = row, Principal = principal, Topic = topic, Operation = "publish", RuleId = "default/deny", PolicyHash = "0123456789abcdef",
        Control = control, AllowedBefore = allowedBefore, Denied = denied ?? times.Count, Blacklisted = blacklisted, Times = times,
    };

    public static ViolationDelta Delta(string principal, string topic, IReadOnlyList<DateTimeOffset> times, bool control = false, long? denied = null, long blacklisted = 0, bool allowedBefore = false)
    {
        var row = Row(1, principal, topic, times, denied, blacklisted, control, allowedBefore);
        return new ViolationDelta("n1", row, row.Denied, row.Blacklisted, times);
    }

    public static ViolationDigest Digest(long sequence, IReadOnlyList<AclViolation> rows, long incarnation = 1, string node = "n1") => new()
    {
        Node = node, Incarnation = incarnation, Sequence = sequence, Rows = rows, Denied = rows.Sum(x => x.Denied), Blacklisted = rows.Sum(x => x.Blacklisted),
        Overflow = 0, DeclaredPrincipals = 5, PolicyHash = "0123456789abcdef",
    };

    public static IReadOnlyList<DateTimeOffset> Burst(int count, double everyMs = 1, double fromMs = 0) =>
        [.. Enumerable.Range(0, count).Select(i => T0.AddMilliseconds(fromMs + i * everyMs))];
}
