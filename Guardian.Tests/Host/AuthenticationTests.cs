using Guardian.Actors.Bus;
using Guardian.Host.Http.Security;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

public sealed class AuthenticationTests
{
    [Theory]
    [InlineData("viewer", "GET", "/api/v1/status", 200)]
    [InlineData("viewer", "POST", "/api/v1/bus/library.books", 403)]
    [InlineData("viewer", "PUT", "/api/v1/blacklist/rogue", 403)]
    [InlineData("publisher", "POST", "/api/v1/bus/library.books", 202)]
    [InlineData("publisher", "GET", "/api/v1/status", 403)]
    [InlineData("publisher", "DELETE", "/api/v1/blacklist/rogue", 403)]
    [InlineData("operator", "GET", "/api/v1/incidents", 200)]
    [InlineData("operator", "PUT", "/api/v1/blacklist/rogue", 200)]
    [InlineData("operator", "POST", "/api/v1/bus/library.books", 403)]
    [InlineData("admin", "PUT", "/api/v1/blacklist/rogue", 200)]
    [InlineData("admin", "GET", "/api/v1/status", 200)]
    public async Task With_keys_a_role_opens_what_is_its_own(string role, string method, string path, int expected)
    {
        await using var host = await StartAsync(x => x.Options.Http.ApiKeys = [Key("secret", role)]);
        (await host.SendAsync(method, path, headers: Bearer("secret"))).Status.Should().Be(expected);
    }

    [Fact]
    public async Task A_wrong_missing_or_expired_key_is_401_and_reaches_no_bus()
    {
        await using var host = await StartAsync(x =>
        {
            var old = Key("old", "publisher");
            old.Expires = DateTimeOffset.UnixEpoch;
            x.Options.Http.ApiKeys = [Key("secret", "publisher"), old];
        });
        foreach (var headers in (IEnumerable<(string, string)[]>)[[], [Bearer("wrong")], [Bearer("old")], [As("librarian")], [("Authorization", "Basic c2VjcmV0")]])
        {
            var (status, body, response) = await host.SendAsync("POST", "/api/v1/bus/library.books", "x", headers);
            status.Should().Be(401);
            body.Should().Contain("https://guardian.dev/problems/unauthenticated");
            response.Headers.WwwAuthenticate.ToString().Should().Contain("Bearer");
        }

        host.Published.Should().BeEmpty("a wrong key is never a violation");
        (await host.SendAsync("POST", "/api/v1/bus/library.books", "x", Bearer("secret"), As("somebody-else"))).Status.Should().Be(202);
        host.Published.Single().Principal.Should().Be("p-secret", "the key is who it is, whatever the header says");
    }

    [Fact]
    public async Task Wrong_keys_are_limited_per_address_and_a_right_one_still_works()
    {
        await using var host = await StartAsync(x =>
        {
            x.Options.Http.ApiKeys = [Key("secret", "viewer")];
            x.Options.Http.FailedAuthenticationsPerMinute = 3;
        });
        for (var i = 0; i < 3; i++) (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("wrong"))).Status.Should().Be(401);
        var (status, body, response) = await host.SendAsync("GET", "/api/v1/status", headers: Bearer("wrong"));
        status.Should().Be(429);
        body.Should().Contain("too-many-failed-authentications");
        response.Headers.RetryAfter!.Delta.Should().BePositive();
        (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("secret"))).Status.Should().Be(200);
    }

    [Fact]
    public async Task Without_keys_reads_are_open_the_header_names_and_changes_need_the_admin_key()
    {
        await using var host = await StartAsync();
        (await host.SendAsync("GET", "/api/v1/status")).Status.Should().Be(200);
        (await host.SendAsync("POST", "/api/v1/bus/library.books", "x", As("librarian"))).Status.Should().Be(202);
        host.Published.Single().Should().Be(("librarian", "library.books", "x"));
        var missing = await host.SendAsync("POST", "/api/v1/bus/library.books", "x");
        missing.Status.Should().Be(400);
        missing.Body.Should().Contain("principal-missing");
        var claimed = await host.SendAsync("POST", "/api/v1/bus/library.books", "x", As("guardian"));
        claimed.Status.Should().Be(403);
        claimed.Body.Should().Contain("protected-principal");
        (await host.SendAsync("PUT", "/api/v1/blacklist/rogue")).Status.Should().Be(401);
        (await host.SendAsync("PUT", "/api/v1/blacklist/rogue", headers: Bearer("wrong"))).Status.Should().Be(401);
        (await host.SendAsync("PUT", "/api/v1/blacklist/rogue", headers: Bearer(host.AdminKey))).Status.Should().Be(200);
        (await host.SendAsync("PUT", "/api/v1/mode", "{\"mode\":\"observe\"}", Bearer(host.AdminKey))).Status.Should().Be(200);
    }

    [Theory]
    [InlineData("evil.example", null, 403)]
    [InlineData("127.0.0.1.evil.example", null, 403)]
    [InlineData("localhost:8558", null, 200)]
    [InlineData("[::1]:8558", null, 200)]
    [InlineData("127.0.0.1", "http://evil.example", 403)]
    [InlineData("127.0.0.1", "null", 403)]
    [InlineData("127.0.0.1", "http://localhost:8558", 200)]
    public async Task Without_keys_foreign_hosts_and_origins_are_refused(string hostName, string? origin, int expected)
    {
        await using var host = await StartAsync();
        foreach (var path in (string[])["/api/v1/status", "/ready", "/metrics", "/"])
        {
            var (status, body, _) = await host.SendAsync("GET", path, headers: origin is null ? [("Host", hostName)] : [("Host", hostName), ("Origin", origin)]);
            status.Should().Be(expected, path);
            if (expected == 403) body.Should().Contain("https://guardian.dev/problems/foreign-");
        }
    }

    [Fact]
    public async Task An_operator_may_hold_and_only_an_admin_changes_the_mode()
    {
        await using var host = await StartAsync(x => x.Options.Http.ApiKeys = [Key("op", "operator")]);
        (await host.SendAsync("PUT", "/api/v1/mode", "{\"mode\":\"hold\",\"reason\":\"r\"}", Bearer("op"))).Body.Should().Contain("\"mode\":\"hold\"");
        (await host.SendAsync("PUT", "/api/v1/mode", "{\"mode\":\"resume\"}", Bearer("op"))).Body.Should().Contain("\"mode\":\"enforce\"");
        (await host.SendAsync("PUT", "/api/v1/mode", "{\"mode\":\"observe\"}", Bearer("op"))).Status.Should().Be(403);
    }

    [Fact]
    public void The_admin_key_is_made_once_and_is_nobody_elses_to_read()
    {
        var directory = Directory.CreateTempSubdirectory("guardian-key-");
        try
        {
            var keys = Enumerable.Range(0, 8).AsParallel().Select(_ => AdminKeyFile.Ensure(directory.FullName)).ToList();
            keys.Distinct().Should().ContainSingle().Which.Should().HaveLength(43);
            directory.GetFiles().Select(x => x.Name).Should().Equal("admin.key");
            var inner = Path.Combine(directory.FullName, "new", "data");
            AdminKeyFile.Ensure(inner);
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(inner).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, "jobs' output and the journal are in there");
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(AdminKeyFile.PathIn(directory.FullName)).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_key_cannot_speak_for_a_protected_principal()
    {
        await using var host = await StartAsync(x =>
        {
            var key = Key("secret", "publisher", "viewer");
            key.Principal = "guardian";
            x.Options.Http.ApiKeys = [key];
        });
        foreach (var (method, path) in ((string, string)[])[("POST", "/api/v1/bus/library.books"), ("GET", "/api/v1/bus/library.books/stream")])
        {
            var (status, body, _) = await host.SendAsync(method, path, headers: Bearer("secret"));
            status.Should().Be(403);
            body.Should().Contain("protected-principal");
        }

        host.Published.Should().BeEmpty();
        (await host.SendAsync("GET", "/api/v1/status", headers: Bearer("secret"))).Status.Should().Be(200);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" x")]
    [InlineData("a\tb")]
    [InlineData(null)]
    public void A_key_needs_a_name_that_a_principal_may_have(string? principal)
    {
        var options = new Guardian.Actors.Hosting.GuardianOptions();
        var key = Key("secret", "publisher");
        key.Principal = principal ?? new string('x', 129);
        options.Http.ApiKeys = [key];
        Guardian.Actors.Hosting.GuardianOptionsValidator.Validate(options).Should().ContainSingle().Which.Should().StartWith("Guardian:Http:ApiKeys:0:Principal: ");
    }

    [Fact]
    public void A_full_table_of_addresses_counts_further_ones_together()
    {
        var failures = new FailedAuthentications(TimeProvider.System, tableSize: 2);
        for (byte i = 1; i <= 4; i++) failures.Fail(new System.Net.IPAddress([10, 0, 0, i]), 1).HasValue.Should().Be(i == 4);
        failures.Overflow.Should().Be(2);
    }
}
