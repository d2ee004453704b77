using System.Net;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Bus;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

public sealed class BusHttpTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(PublishOutcome.AclDenied, 403, "acl-denied")]
    [InlineData(PublishOutcome.Blacklisted, 403, "blacklisted")]
    [InlineData(PublishOutcome.RateLimited, 429, "rate-limited")]
    [InlineData(PublishOutcome.QueueFull, 429, "queue-full")]
    [InlineData(PublishOutcome.InvalidTopic, 400, "invalid-topic")]
    [InlineData(PublishOutcome.InvalidContentType, 400, "invalid-content-type")]
    [InlineData(PublishOutcome.TooLarge, 413, "too-large")]
    [InlineData(PublishOutcome.Draining, 503, "draining")]
    [InlineData(PublishOutcome.Revoked, 503, "revoked")]
    public async Task A_refusal_is_a_problem_with_a_stable_type(PublishOutcome outcome, int expected, string type)
    {
        await using var host = await StartAsync(x => x.Publishes = new PublishResult(outcome, Rule: "principals/p/publish/deny/0", Until: DateTimeOffset.UnixEpoch, RetryAfter: TimeSpan.FromSeconds(1.2)));
        foreach (var (method, path) in ((string, string)[])[("POST", "/api/v1/bus/library.books"), ("GET", "/api/v1/bus/library.%3E/stream")])
        {
            var (status, body, response) = await host.SendAsync(method, path, null, As("p"));
            status.Should().Be(expected);
            response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
            var problem = JsonDocument.Parse(body).RootElement;
            problem.GetProperty("type").GetString().Should().Be("https://guardian.dev/problems/" + type);
            problem.GetProperty("status").GetInt32().Should().Be(expected);
            if (outcome == PublishOutcome.AclDenied) problem.GetProperty("rule").GetString().Should().Be("principals/p/publish/deny/0");
            if (outcome == PublishOutcome.Blacklisted) problem.GetProperty("until").GetString().Should().Be("1970-01-01T00:00:00.000Z");
            if (outcome == PublishOutcome.InvalidContentType) problem.GetProperty("detail").GetString().Should().Contain("255 characters");
            if (expected == 429) response.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(2));
        }
    }

    [Fact]
    public async Task Accepted_is_202_with_id_and_topic()
    {
        await using var host = await StartAsync();
        var (status, body, _) = await host.SendAsync("POST", "/api/v1/bus/library.books", "hello", As("p"));
        (status, body).Should().Be((202, "{\"id\":\"m-1\",\"topic\":\"library.books\"}"));
        (await host.SendAsync("POST", "/api/v1/bus/", "hello", As("p"))).Status.Should().Be(202, "an empty topic is the bus's to refuse");
        host.Published[^1].Topic.Should().Be("");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_bound_is_413_and_never_published(bool chunked)
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Url };
        foreach (var (size, expected) in ((int, int)[])[(262_144, 202), (262_145, 413), (1_000_000, 413)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/bus/library.books") { Content = new ByteArrayContent(new byte[size]) };
            request.Headers.Add("X-Guardian-Principal", "p");
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await client.SendAsync(request);
            ((int)response.StatusCode).Should().Be(expected, $"{size} bytes");
        }

        host.Published.Should().ContainSingle();
    }

    [Fact]
    public async Task A_stream_gives_each_message_as_one_event_and_unsubscribes_at_its_end()
    {
        await using var host = await StartAsync();
        using var client = new HttpClient { BaseAddress = host.Url };
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/bus/library.%3E/stream"))
        {
            request.Headers.Add("X-Guardian-Principal", "reader");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.StatusCode.Should().Be(HttpStatusCode.OK);
            response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
            await host.Stream.Writer.WriteAsync(Message("m-1", "line one\nline \"two\""u8.ToArray()));
            await host.Stream.Writer.WriteAsync(Message("m-2", [0xff, 0x00]));
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            var first = await NextAsync(reader);
            first.Id.Should().Be("m-1");
            first.Data.GetProperty("body").GetString().Should().Be("line one\nline \"two\"");
            first.Data.GetProperty("principal").GetString().Should().Be("librarian");
            var second = await NextAsync(reader);
            second.Data.GetProperty("encoding").GetString().Should().Be("base64");
            second.Data.GetProperty("body").GetString().Should().Be("/wA=");
            host.Stream.Writer.Complete();
            (await reader.ReadToEndAsync().WaitAsync(Soon)).Trim().Should().BeEmpty();
        }

        SpinWait.SpinUntil(() => host.OpenStreams == 0, Soon).Should().BeTrue();
    }

    [Fact]
    public async Task Events_resume_after_the_last_id()
    {
        await using var host = await StartAsync(x => x.Events.AddRange(Enumerable.Range(1, 5).Select(i => new EventViewOf(i).Value)));
        using var client = new HttpClient { BaseAddress = host.Url };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        request.Headers.Add("Last-Event-ID", "3");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        (await NextAsync(reader)).Id.Should().Be("4");
        (await NextAsync(reader)).Data.GetProperty("summary").GetString().Should().Be("event 5");
        (await host.SendAsync("GET", "/api/v1/events?after=x")).Status.Should().Be(400);
    }

    private static BusMessage Message(string id, byte[] body) =>
        new() { Id = id, Topic = "library.books", Principal = "librarian", Body = body, At = DateTimeOffset.UnixEpoch };

    private static async Task<(string Id, JsonElement Data)> NextAsync(StreamReader reader)
    {
        var id = "";
        while (await reader.ReadLineAsync().WaitAsync(Soon) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return (id, JsonDocument.Parse(line[6..]).RootElement.Clone());
        }

        throw new InvalidOperationException("the stream ended");
    }

    private readonly record struct EventViewOf(int Offset)
    {
        public Guardian.Actors.Persistence.EventView Value => new(Offset, "incident-opened", "i-1", DateTimeOffset.UnixEpoch, $"event {Offset}");
    }
}
