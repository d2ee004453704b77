using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class AlertmanagerChannelTests : IDisposable
{
    private readonly HttpDelivery _http = HttpDelivery.Create(TimeProvider.System);

    public void Dispose() => _http.Dispose();

    private AlertmanagerChannel Channel(Uri address, string? token = null) => new(_http, address, "n1", TimeSpan.FromDays(7),
        token is null ? SecretSource.None : new SecretSource("x", "TOKEN", "", _ => token));

    private static Deliver Told(string key, string severity = "high") =>
        Item(key) with { Severity = severity, Playbook = "fix", IncidentType = "message_bus.acl_violation.spam_attack", At = DateTimeOffset.UtcNow.AddSeconds(-1) };

    private static Deliver Over(params Deliver[] told) => Item("a-1/resolved") with
    {
        Kind = ItemKind.Resolved, At = DateTimeOffset.UtcNow,
        Resolves = [.. told.Select(x => new ToldNotice { Key = x.Key, Severity = x.Severity, Playbook = x.Playbook, IncidentType = x.IncidentType, At = x.At })],
    };

    [Fact]
    public void What_resolves_an_alert_names_the_same_alert()
    {
        var channel = Channel(new Uri("http://127.0.0.1:9093/"));
        var (a, b) = (Told("run/tell"), Told("run/shout", "critical"));
        var fired = new[] { a, b }.SelectMany(channel.Alerts).ToList();
        var resolved = channel.Alerts(Over(a, b, Told("run/again")));

        resolved.Select(x => x.Labels).Should().BeEquivalentTo(fired.Select(x => x.Labels));
        resolved.Should().OnlyContain(x => x.StartsAt <= x.EndsAt && x.EndsAt <= DateTimeOffset.UtcNow);
        fired.Should().OnlyContain(x => x.EndsAt > DateTimeOffset.UtcNow.AddDays(6));
        fired[0].Labels.Should().Contain("alertname", "message_bus.acl_violation.spam_attack").And.Contain("incident", "acl/principal/rogue")
            .And.Contain("playbook", "fix").And.Contain("severity", "high");
        fired[0].Annotations["description"].Should().Be(a.Text);
    }

    [Fact]
    public async Task The_token_goes_with_it_and_never_into_the_reason()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = _ => 401;
        var result = await Channel(receiver.Url, "t0ken").SendAsync(new Sending(Told("k")), default);
        receiver.Requests.Single().Headers["Authorization"].Should().Be("Bearer t0ken");
        result.Should().BeOfType<ChannelResult.Refused>().Which.Reason.Should().NotContain("t0ken");
    }

    [AlertmanagerFact]
    public async Task A_real_Alertmanager_holds_the_alert_and_then_its_resolution()
    {
        await using var alertmanager = await Alertmanager.StartAsync();
        var channel = Channel(alertmanager.Url);
        var told = Told("run/tell");

        (await channel.SendAsync(new Sending(told), default)).Should().Be(ChannelResult.Ok);
        await Persistence.Eventually.HoldsAsync(async () =>
        {
            var alert = (await alertmanager.FiringAsync()).Should().ContainSingle().Subject;
            alert.GetProperty("status").GetProperty("state").GetString().Should().Be("active");
            alert.GetProperty("labels").GetProperty("incident").GetString().Should().Be("acl/principal/rogue");
            alert.GetProperty("annotations").GetProperty("summary").GetString().Should().Be("rogue was banned");
        });

        (await channel.SendAsync(new Sending(told, Repeated: true), default)).Should().Be(ChannelResult.Ok);
        (await channel.SendAsync(new Sending(Over(told)), default)).Should().Be(ChannelResult.Ok);
        await Persistence.Eventually.HoldsAsync(async () => (await alertmanager.FiringAsync()).Should().BeEmpty());
    }
}
