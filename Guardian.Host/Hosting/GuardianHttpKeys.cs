using Guardian.Actors.Hosting;
using Microsoft.Extensions.Options;

namespace Guardian.Host.Hosting;

/// <summary>
/// Where the node's HTTP options stand now: keys reload live. A reload that does not bind, has an error, or takes the last
/// key from a node that has keys is not taken over: a file that is half written or gone must not open the node.
/// </summary>
internal sealed class GuardianHttpKeys(IOptionsMonitor<GuardianOptions> options, string dataDirectory, HttpOptions atStart, ILogger<GuardianHttpKeys> log)
{
    private readonly Lock _settling = new();
    private volatile Settled _settled = new(null, atStart, null);

    /// <param name="Seen">What was read last.</param>
    /// <param name="Good">What holds.</param>
    /// <param name="Refused">Why these are not the same; null where they are.</param>
    private sealed record Settled(HttpOptions? Seen, HttpOptions Good, string? Refused);

    public string DataDirectory { get; } = dataDirectory;

    public HttpOptions Current
    {
        get
        {
            HttpOptions given;
            try
            {
                given = options.CurrentValue.Http;
            }
            catch (Exception e)
            {
                return Settle(null, e.Message);
            }

            var settled = _settled;
            return ReferenceEquals(settled.Seen, given) ? settled.Good : Settle(given, null);
        }
    }

    private HttpOptions Settle(HttpOptions? given, string? unreadable)
    {
        lock (_settling)
        {
            var (seen, good, before) = _settled;
            if (given is not null && ReferenceEquals(seen, given)) return good;
            if ((unreadable ?? Refusal(given!, good)) is not { } reason)
            {
                _settled = new Settled(given, given!, null);
                return given!;
            }

            _settled = new Settled(given, good, reason);
            if (reason != before) HostLog.BadReload(log, reason); // once, not for every request
            return good;
        }
    }

    private static string? Refusal(HttpOptions given, HttpOptions good) =>
        GuardianOptionsValidator.ValidateHttp(given) is { Count: > 0 } errors ? string.Join("; ", errors)
        : given.ApiKeys.Count == 0 && good.ApiKeys.Count > 0 ? "Guardian:Http:ApiKeys: none are left, so the last ones hold; a restart does without keys"
        : null;
}
