using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class WebhookChannelTests : IAsyncLifetime
{
    private readonly HttpDelivery _http = HttpDelivery.Create(TimeProvider.System);
    private Receiver _receiver = null!;

    public async Task InitializeAsync() => _receiver = await Receiver.StartAsync();

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _receiver.DisposeAsync();
    }

    private WebhookChannel Channel(string variable = "", string? secret = null, string file = "", CloudEventMode mode = CloudEventMode.Structured) =>
        new(_http, _receiver.Url, new Uri("/guardian/n1", UriKind.Relative), mode, new SecretSource("Guardian:Notifications:Channels:security", variable, file, name => name == variable ? secret : null));

    [Fact]
    public async Task A_notification_is_a_cloud_event()
    {
        (await Channel().SendAsync(new Sending(Item("run/tell")), default)).Should().Be(ChannelResult.Ok);

        var request = _receiver.Requests.Single();
        request.ContentType.Should().StartWith("application/cloudevents+json");
        request.Key.Should().Be("run/tell");
        request.Signature.Should().BeNull();
        var root = JsonDocument.Parse(request.Body).RootElement;
        string Field(string name) => root.GetProperty(name).GetString()!;
        (Field("specversion"), Field("id"), Field("type"), Field("source"), Field("subject"))
            .Should().Be(("1.0", "run/tell", "guardian.notification", "/guardian/n1", "acl/principal/rogue"));
        root.GetProperty("time").GetDateTimeOffset().Should().Be(At);
        root.GetProperty("data").GetProperty("title").GetString().Should().Be("rogue was banned");
        root.GetProperty("data").GetProperty("severity").GetString().Should().Be("high");
    }

    [Fact]
    public async Task A_secret_signs_the_body()
    {
        await Channel("HOOK_SECRET", "s3cret").SendAsync(new Sending(Item("k")), default);

        var request = _receiver.Requests.Single();
        request.Signature.Should().Be("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("s3cret"), request.Body)));
    }

    [Fact]
    public async Task A_secret_in_a_file_is_read_for_each_attempt()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "first\n");
            await Channel(file: path).SendAsync(new Sending(Item("k")), default);
            _receiver.Requests.Last().Signature.Should().Be(WebhookChannel.Sign(_receiver.Requests.Last().Body, "first"));
            await File.WriteAllTextAsync(path, "second");
            await Channel(file: path).SendAsync(new Sending(Item("k")), default);
            _receiver.Requests.Last().Signature.Should().Be(WebhookChannel.Sign(_receiver.Requests.Last().Body, "second"));
            await File.WriteAllTextAsync(path, "");
            (await Channel(file: path).SendAsync(new Sending(Item("k")), default)).Should().BeOfType<ChannelResult.Retry>().Which.Reason.Should().Contain("empty").And.NotContain("second");
        }
        finally
        {
            File.Delete(path);
        }

        (await Channel(file: path).SendAsync(new Sending(Item("k")), default)).Should().BeOfType<ChannelResult.Retry>().Which.Reason.Should().Contain("SecretFromFile");
    }

    [Fact]
    public async Task A_binary_event_has_its_attributes_in_headers_and_signs_its_data()
    {
        await Channel("HOOK_SECRET", "s3cret", mode: CloudEventMode.Binary).SendAsync(new Sending(Item("run/tell")), default);

        var request = _receiver.Requests.Single();
        request.ContentType.Should().StartWith("application/json");
        (request.Headers["ce-specversion"], request.Headers["ce-id"], request.Headers["ce-type"], request.Headers["ce-source"], request.Headers["ce-subject"])
            .Should().Be(("1.0", "run/tell", "guardian.notification", "/guardian/n1", "acl/principal/rogue"));
        JsonDocument.Parse(request.Body).RootElement.GetProperty("title").GetString().Should().Be("rogue was banned");
        request.Signature.Should().Be(WebhookChannel.Sign(request.Body, "s3cret"));
    }

    [Fact]
    public async Task A_hiccup_is_repeated_at_once_under_the_same_key_unless_the_receiver_asks_for_patience()
    {
        var tries = 0;
        _receiver.Answer = _ => ++tries < 3 ? 503 : 204;
        (await Channel().SendAsync(new Sending(Item("k")), default)).Should().Be(ChannelResult.Ok);
        _receiver.Keys.Should().Equal("k", "k", "k");

        _receiver.Requests.Clear();
        (_receiver.Answer, _receiver.RetryAfter) = (_ => 503, "90");
        (await Channel().SendAsync(new Sending(Item("k")), default)).Should().Be(new ChannelResult.Retry($"POST {_receiver.Url.GetLeftPart(UriPartial.Authority)} answered 503", TimeSpan.FromSeconds(90)));
        _receiver.Requests.Should().ContainSingle();
    }

    [Fact]
    public async Task Without_its_secret_nothing_is_sent_unsigned()
    {
        (await Channel("HOOK_SECRET").SendAsync(new Sending(Item("k")), default)).Should().BeOfType<ChannelResult.Retry>().Which.Reason.Should().Contain("HOOK_SECRET");
        _receiver.Requests.Should().BeEmpty();
    }

    [Theory]
    [InlineData(200, "delivered")]
    [InlineData(202, "delivered")]
    [InlineData(301, "retry")]
    [InlineData(400, "refused")]
    [InlineData(404, "refused")]
    [InlineData(408, "retry")]
    [InlineData(410, "refused")]
    [InlineData(429, "retry")]
    [InlineData(500, "retry")]
    [InlineData(503, "retry")]
    public async Task The_answer_decides(int status, string expected)
    {
        _receiver.Answer = _ => status;

        var result = await Channel().SendAsync(new Sending(Item("k")), default);

        (result switch { ChannelResult.Delivered => "delivered", ChannelResult.Retry => "retry", _ => "refused" }).Should().Be(expected);
        if (result is ChannelResult.Refused refused) refused.Reason.Should().Contain(status.ToString(System.Globalization.CultureInfo.InvariantCulture)).And.NotContain("hook", "the path may be the secret");
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_is_tried_again()
    {
        var channel = new WebhookChannel(_http, new Uri("http://127.0.0.1:1/"), new Uri("/guardian/n1", UriKind.Relative), CloudEventMode.Structured, SecretSource.None);

        (await channel.SendAsync(new Sending(Item("k")), default)).Should().BeOfType<ChannelResult.Retry>();
    }
}
