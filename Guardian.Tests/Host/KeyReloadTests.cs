using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

public sealed class KeyReloadTests
{
    [Fact]
    public async Task A_node_with_keys_that_reads_a_configuration_without_stays_a_node_with_keys()
    {
        await using var host = await StartAsync(x => x.Options.Http.ApiKeys = [Key("secret", "operator")]);
        host.Reload(); // before the first request, even
        (await host.SendAsync("GET", "/api/v1/status")).Status.Should().Be(401);
        (await host.SendAsync("PUT", "/api/v1/blacklist/x", headers: Bearer(host.AdminKey))).Status.Should().Be(401);
        (await host.SendAsync("POST", "/api/v1/bus/library.books", "x", As("librarian"))).Status.Should().Be(401);
        (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("secret"))).Status.Should().Be(200, "the last good keys hold");
        host.Reload(Key("next", "viewer"));
        (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("secret"))).Status.Should().Be(401, "a good set is taken over");
        (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("next"))).Status.Should().Be(200);
    }

    [Fact]
    public async Task A_node_without_keys_takes_the_first_ones()
    {
        await using var host = await StartAsync();
        (await host.SendAsync("GET", "/api/v1/status")).Status.Should().Be(200);
        host.Reload(Key("first", "viewer"));
        (await host.SendAsync("GET", "/api/v1/status")).Status.Should().Be(401);
    }

    [Fact]
    public void What_is_not_taken_over_is_logged_once()
    {
        var good = new HttpOptions { ApiKeys = [Key("secret", "viewer")] };
        var monitor = new Monitor { Value = () => new GuardianOptions { Http = good } };
        var log = new Lines();
        var keys = new GuardianHttpKeys(monitor, "data", good, log);
        keys.Current.Should().BeSameAs(good);

        var bad = Key("secret", "viewer");
        bad.KeySha256 = "half of i";
        foreach (var (read, reason) in ((Func<GuardianOptions>, string)[])[
            (() => throw new InvalidOperationException("does not convert"), "does not convert"),
            (Always(new HttpOptions()), "Guardian:Http:ApiKeys: none are left"),
            (Always(new HttpOptions { ApiKeys = [bad] }), "Guardian:Http:ApiKeys:0:KeySha256")])
        {
            log.All.Clear();
            monitor.Value = read;
            for (var i = 0; i < 3; i++) keys.Current.Should().BeSameAs(good);
            log.All.Should().ContainSingle().Which.Should().Contain("not taken over").And.Contain(reason);
        }

        var next = new HttpOptions { ApiKeys = [Key("next", "viewer")] };
        monitor.Value = Always(next);
        keys.Current.Should().BeSameAs(next);
    }

    private static Func<GuardianOptions> Always(HttpOptions http)
    {
        var options = new GuardianOptions { Http = http };
        return () => options;
    }

    private sealed class Monitor : IOptionsMonitor<GuardianOptions>
    {
        public Func<GuardianOptions> Value { get; set; } = () => new GuardianOptions();

        public GuardianOptions CurrentValue => Value();

        public GuardianOptions Get(string? name) => Value();

        public IDisposable? OnChange(Action<GuardianOptions, string?> listener) => null;
    }

    private sealed class Lines : ILogger<GuardianHttpKeys>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Add(formatter(state, exception));
    }
}
