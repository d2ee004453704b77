using System.Net;
using Guardian.Host.Http;
using Microsoft.Extensions.Time.Testing;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

/// <summary>What a stream's caller may is asked again while the stream is open, and there are not too many of them.</summary>
public sealed class OpenStreamTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Theory]
    [InlineData("/api/v1/events")]
    [InlineData("/api/v1/bus/library.books/stream")]
    public async Task A_key_that_is_withdrawn_loses_its_open_streams(string path)
    {
        await using var host = await StartAsync(x => (x.Clock, x.Options.Http.ApiKeys) = (_time, [Key("secret", "publisher", "viewer"), Key("other", "viewer")]));
        using var stream = await OpenAsync(host, path, "secret");
        await LivesAsync(stream);
        host.Reload(Key("other", "viewer"));
        await EndsAsync(stream);
    }

    [Theory]
    [InlineData("/api/v1/events", "publisher")]
    [InlineData("/api/v1/bus/library.books/stream", "viewer")]
    public async Task A_key_that_loses_the_role_loses_its_open_streams(string path, string left)
    {
        await using var host = await StartAsync(x => (x.Clock, x.Options.Http.ApiKeys) = (_time, [Key("secret", "publisher", "viewer")]));
        using var stream = await OpenAsync(host, path, "secret");
        await LivesAsync(stream);
        host.Reload(Key("secret", left));
        await EndsAsync(stream);
    }

    [Fact]
    public async Task A_key_that_expires_loses_its_open_streams()
    {
        await using var host = await StartAsync(x =>
        {
            var key = Key("secret", "viewer");
            key.Expires = _time.GetUtcNow().AddSeconds(15);
            (x.Clock, x.Options.Http.ApiKeys) = (_time, [key]);
        });
        using var stream = await OpenAsync(host, "/api/v1/events", "secret");
        await LivesAsync(stream);
        await EndsAsync(stream);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_may_no_longer_subscribe_loses_the_stream_also_while_messages_pour_in(bool busy)
    {
        await using var host = await StartAsync(x => (x.Clock, x.Options.Http.ApiKeys) = (_time, [Key("secret", "publisher")]));
        using var stream = await OpenAsync(host, "/api/v1/bus/library.books/stream", "secret");
        await LivesAsync(stream);
        host.MayHear = false;
        using var enough = new CancellationTokenSource();
        var pouring = busy ? Task.Run(() => PourAsync(host, enough.Token)) : Task.CompletedTask;
        await EndsAsync(stream);
        await enough.CancelAsync();
        await pouring;
        SpinWait.SpinUntil(() => host.OpenStreams == 0, Soon).Should().BeTrue();
    }

    [Fact]
    public async Task Streams_of_events_are_bounded_and_a_place_is_free_again_afterwards()
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Url };
        var open = await Task.WhenAll(Enumerable.Range(0, EventRoutes.MaxStreams).Select(_ => client.GetAsync("/api/v1/events", HttpCompletionOption.ResponseHeadersRead)));
        open.Should().OnlyContain(x => x.StatusCode == HttpStatusCode.OK);
        var (status, body, _) = await host.SendAsync("GET", "/api/v1/events");
        status.Should().Be(429);
        body.Should().Contain("too-many-streams");
        open[0].Dispose();
        using var deadline = new CancellationTokenSource(Soon);
        while (true)
        {
            using var again = await client.GetAsync("/api/v1/events", HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (again.StatusCode == HttpStatusCode.OK) break;
            await Task.Yield();
        }

        foreach (var each in open) each.Dispose();
    }

    private static async Task PourAsync(HostFixture host, CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            if (host.Stream.Reader.Count < 1_000)
                host.Stream.Writer.TryWrite(new Guardian.Actors.Bus.BusMessage { Id = $"m-{i}", Topic = "library.books", Principal = "p", Body = new byte[10], At = DateTimeOffset.UnixEpoch });
            else await Task.Yield();
        }
    }

    private static async Task<StreamReader> OpenAsync(HostFixture host, string path, string key)
    {
        var client = new HttpClient { BaseAddress = host.Url };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + key);
        var response = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.Should().Be(HttpStatusCode.OK);
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync().WaitAsync(Soon)).Should().Be(": open");
        (await reader.ReadLineAsync().WaitAsync(Soon)).Should().BeEmpty();
        return reader;
    }

    private async Task LivesAsync(StreamReader stream)
    {
        _time.Advance(SseResponse.KeepAlive);
        (await stream.ReadLineAsync().WaitAsync(Soon)).Should().Be(": alive");
        (await stream.ReadLineAsync().WaitAsync(Soon)).Should().BeEmpty();
    }

    private async Task EndsAsync(StreamReader stream)
    {
        _time.Advance(SseResponse.KeepAlive);
        while (await stream.ReadLineAsync().WaitAsync(Soon) is { } line) line.Should().NotBe(": alive");
    }
}
