using System.ComponentModel;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.Probes;

/// <summary>Input of <c>http.get</c>.</summary>
internal sealed record HttpGetInput(
    [property: Description("A path of this node's API such as /ready, or an http(s) address on loopback or an allowed host.")] string Url,
    [property: Description("Bound on the answer; 1s where missing.")] Duration? Timeout = null);

/// <summary>Result of <c>http.get</c>.</summary>
internal sealed record HttpGetResult(
    [property: Description("Status code; a redirect is not followed.")] int Status,
    [property: Description("Milliseconds until the headers came.")] double ElapsedMs);

/// <summary>Asks an HTTP endpoint. No answer is no measurement.</summary>
internal sealed class HttpGet(ActionDependencies dependencies) : GuardianProbe<HttpGetInput, HttpGetResult>
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(1);

    private static readonly HttpClient Client = HttpGuard.Client();

    /// <summary>For this node alone: its certificate names it as others call it, not as it is asked here.</summary>
    private static readonly HttpClient Own = HttpGuard.Client(anyCertificate: true);

    public override string Name => "http.get";

    public override string Summary => "Asks an HTTP endpoint; redirects are not followed.";

    public override async Task<HttpGetResult> MeasureAsync(HttpGetInput input, CancellationToken cancellation)
    {
        var own = dependencies.HttpBase();
        var target = HttpTarget.Resolve(input.Url, own, dependencies.HttpAllowedHosts);
        var within = input.Timeout?.Value ?? DefaultTimeout;
        using var timeout = new CancellationTokenSource(within, dependencies.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        var started = dependencies.Time.GetTimestamp();
        try
        {
            using var response = await (target.Authority == own?.Authority ? Own : Client).GetAsync(target, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            return new HttpGetResult((int)response.StatusCode, dependencies.Time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ActionFailedException($"{target} did not answer within {new Duration(within)}");
        }
        catch (HttpRequestException e)
        {
            throw new ActionFailedException($"{target} did not answer: {(e.InnerException ?? e).Message}", e);
        }
    }
}
