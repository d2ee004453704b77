using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using static Guardian.Tests.Host.HostFixture;

namespace Guardian.Tests.Host;

/// <summary>The shapes of Akka.Management, recorded, over a real cluster of two actor systems.</summary>
public sealed class ManagementTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly ActorSystem _a = Start("a");
    private readonly ActorSystem _b = Start("b");
    private HostFixture _host = null!;

    private string A => Cluster.Get(_a).SelfAddress.ToString();
    private string B => Cluster.Get(_b).SelfAddress.ToString();
    private int UidA => Cluster.Get(_a).SelfUniqueAddress.Uid;
    private int UidB => Cluster.Get(_b).SelfUniqueAddress.Uid;
    private (string, string) Admin => Bearer(_host.AdminKey);

    private static ActorSystem Start(string name) => ActorSystem.Create("guardian", ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor.provider = cluster
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          coordinated-shutdown { run-by-actor-system-terminate = off, exit-clr = off }
          cluster {
            min-nr-of-members = 2
            roles = ["guardian", "guardian-node:{{name}}"]
            downing-provider-class = ""
            leader-actions-interval = 100ms
            gossip-interval = 100ms
            unreachable-nodes-reaper-interval = 100ms
            failure-detector { heartbeat-interval = 100ms, acceptable-heartbeat-pause = 1s }
            sharding.state-store-mode = ddata
          }
        }
        """));

    public async Task InitializeAsync() => _host = await StartAsync(x =>
    {
        x.ActorSystem = _a;
        x.Options.Management.ReadOnly = false;
    });

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await Task.WhenAll(_a.Terminate(), _b.Terminate());
    }

    private async Task<string> GetAsync(string path, int status = 200)
    {
        var answer = await _host.SendAsync("GET", path);
        answer.Status.Should().Be(status, answer.Body);
        answer.Response.Content.Headers.ContentType!.MediaType.Should().Be("application/json");
        return answer.Body;
    }

    private async Task ShowsAsync(string path, string expected)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await GetAsync(path) is var body && body != expected)
        {
            if (deadline.IsCancellationRequested) body.Should().Be(expected);
            await timer.WaitForNextTickAsync();
        }
    }

    private async Task<(int Status, string Body)> ChangeAsync(string method, string path, string? form, params (string, string)[] headers)
    {
        using var client = new HttpClient { BaseAddress = _host.Url };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (form is not null) request.Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        foreach (var (name, value) in headers.DefaultIfEmpty(Admin)) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private string Member(string node, int uid, string status) => $$"""{"node":"{{node}}","nodeUid":"{{uid}}","status":"{{status}}","roles":["guardian"]}""";

    [Fact]
    public async Task Members_have_the_documented_shape_from_joining_to_removed()
    {
        (await GetAsync("/cluster/members")).Should().Be($$$"""{"selfNode":"{{{A}}}","members":[],"unreachable":[],"oldestPerRole":{}}""", "a node that has joined nobody leaves out what is unknown");

        (await ChangeAsync("POST", "/cluster/members", $"address={Uri.EscapeDataString(A)}")).Should().Be((200, $$"""{"message":"Joining {{A}}"}"""));
        await ShowsAsync("/cluster/members", $$$"""{"selfNode":"{{{A}}}","members":[{{{Member(A, UidA, "Joining")}}}],"unreachable":[],"leader":"{{{A}}}","oldestPerRole":{}}""");
        (await GetAsync("/bootstrap/seed-nodes")).Should().Be(
            $$"""{"selfNode":"{{A}}","seedNodes":[{"node":"{{A}}","nodeUid":{{UidA}},"roles":["guardian"],"status":"Joining"}]}""");

        Cluster.Get(_b).Join(Cluster.Get(_a).SelfAddress);
        await UntilAsync(() => Task.FromResult(Cluster.Get(_a).State.Members.Count(x => x.Status == MemberStatus.Up) == 2)); // from now on it is settled who is older
        string Both(string statusOfB) => string.Join(",", new[] { (A, Member(A, UidA, "Up")), (B, Member(B, UidB, statusOfB)) }.OrderBy(x => Address.Parse(x.Item1), Akka.Cluster.Member.AddressOrdering).Select(x => x.Item2));
        var leader = new[] { A, B }.Order(Comparer<string>.Create((x, y) => Akka.Cluster.Member.AddressOrdering.Compare(Address.Parse(x), Address.Parse(y)))).First();
        await ShowsAsync("/cluster/members",
            $$$"""{"selfNode":"{{{A}}}","members":[{{{Both("Up")}}}],"unreachable":[],"leader":"{{{leader}}}","oldest":"{{{Oldest()}}}","oldestPerRole":{"guardian":"{{{Oldest()}}}"}}""");

        // By every form of its address; the router decodes what is escaped, except for slashes.
        foreach (var form in new[] { B, B["akka.tcp://".Length..], Uri.EscapeDataString(B), Uri.EscapeDataString(B["akka.tcp://".Length..]), B.Replace("/", "%2F"), B.Replace("@", "%40") })
            (await GetAsync("/cluster/members/" + form)).Should().Be(Member(B, UidB, "Up"), form);
        (await GetAsync("/cluster/members/akka.tcp://guardian@10.9.9.9:1", 404)).Should().Be("""{"message":"Member [akka.tcp://guardian@10.9.9.9:1] not found"}""");

        await _b.Terminate(); // without leaving
        await ShowsAsync("/cluster/members",
            $$$"""{"selfNode":"{{{A}}}","members":[{{{Both("Up")}}}],"unreachable":[{"node":"{{{B}}}","observedBy":["{{{A}}}"]}],"leader":"{{{A}}}","oldest":"{{{Oldest()}}}","oldestPerRole":{"guardian":"{{{Oldest()}}}"}}""");
        (await ChangeAsync("PUT", "/cluster/members/" + B, "operation=lEaVe")).Should().Be((200, $$"""{"message":"Leaving {{B}}"}"""));
        await ShowsAsync("/cluster/members/" + B, Member(B, UidB, "Leaving"));
        (await ChangeAsync("PUT", "/cluster/members/" + B, "operation=DOWN")).Should().Be((200, $$"""{"message":"Downing {{B}}"}"""));
        await ShowsAsync("/cluster/members", $$$"""{"selfNode":"{{{A}}}","members":[{{{Member(A, UidA, "Up")}}}],"unreachable":[],"leader":"{{{A}}}","oldest":"{{{A}}}","oldestPerRole":{"guardian":"{{{A}}}"}}""");
    }

    private string Oldest() => Cluster.Get(_a).State.Members.OrderBy(x => x, Akka.Cluster.Member.AgeOrdering).First().Address.ToString();

    [Fact]
    public async Task Changes_need_the_administrator_and_sense()
    {
        await MeetAsync();
        (await ChangeAsync("PUT", "/cluster/members/" + B, "operation=Down", ("X-Guardian-Principal", "librarian"))).Status.Should().Be(401);
        (await ChangeAsync("POST", "/cluster/members", "address=akka.tcp://other@127.0.0.1:1")).Status.Should().Be(400, "another system is never joined");
        (await ChangeAsync("POST", "/cluster/members", "")).Status.Should().Be(400);
        (await ChangeAsync("POST", "/cluster/members", string.Join('&', Enumerable.Range(0, 100).Select(x => $"f{x}=1")))).Status.Should().Be(400);
        (await ChangeAsync("PUT", "/cluster/members/" + B, "operation=Explode")).Should().Be((400, """{"message":"Operation not supported"}"""));
        (await ChangeAsync("PUT", "/cluster/members/nobody@here:1", "operation=Down")).Should().Be((404, """{"message":"Member [nobody@here:1] not found"}"""));
        (await ChangeAsync("DELETE", "/cluster/members/nobody@here:1", null)).Should().Be((404, """{"message":"Member [nobody@here:1] not found"}"""));
        Cluster.Get(_a).State.Members.Should().HaveCount(2);

        _host.Options.Management.ReadOnly = true;
        foreach (var (method, path) in new[] { ("POST", "/cluster/members"), ("PUT", "/cluster/members/" + B), ("DELETE", "/cluster/members/" + B), ("PATCH", "/cluster/members"), ("DELETE", "/cluster/shards") })
            (await ChangeAsync(method, path, "operation=Down")).Status.Should().Be(405, $"{method} {path}");
        (await ChangeAsync("DELETE", "/cluster/members/" + B, null, ("X-Guardian-Principal", "librarian"))).Status.Should().Be(405, "whoever asks");

        _host.Options.Management.ReadOnly = false;
        (await ChangeAsync("DELETE", "/cluster/members/" + B, null)).Should().Be((200, $$"""{"message":"Leaving {{B}}"}"""));
        await ShowsAsync("/cluster/members/" + A, Member(A, UidA, "Up"));
    }

    [Fact]
    public async Task Shards_have_the_documented_shape()
    {
        await MeetAsync();
        (await GetAsync("/cluster/shards")).Should().Be("""{"entityTypeKeys":[]}""");
        var region = Region(_a);
        Region(_b);
        (await GetAsync("/cluster/shards")).Should().Be("""{"entityTypeKeys":["incidents"]}""");
        (await GetAsync("/cluster/shards/nothing", 404)).Should().Be("""{"message":"Shard Region nothing is not started"}""");
        (await GetAsync("/cluster/shards/nothing/stats", 404)).Should().Be("""{"message":"Shard Region nothing is not started"}""");

        await UntilAsync(async () => await region.Ask<string>("e7", TimeSpan.FromSeconds(2)) == "e7");
        var onA = await GetAsync("/cluster/shards/incidents") != """{"regions":[],"failed":[]}""";
        (await GetAsync("/cluster/shards/incidents")).Should().Be(onA ? """{"regions":[{"shardId":"s","numEntities":1}],"failed":[]}""" : """{"regions":[],"failed":[]}""");
        const string One = """{"shards":[{"shardId":"s","numEntities":1}],"failed":[]}""";
        const string None = """{"shards":[],"failed":[]}""";
        var stats = System.Text.Json.JsonDocument.Parse(await GetAsync("/cluster/shards/guardian-incidents/stats")).RootElement;
        stats.GetProperty("regions").GetProperty(A).GetRawText().Should().Be(onA ? One : None);
        stats.GetProperty("regions").GetProperty(B).GetRawText().Should().Be(onA ? None : One);
        stats.GetRawText().Should().EndWith(""","totalEntities":1,"totalShards":1}""");
    }

    private static IActorRef Region(ActorSystem system) => ClusterSharding.Get(system).Start("guardian-incidents", _ => Props.Create<Echo>(),
        ClusterShardingSettings.Create(system), new OneShard());

    private async Task MeetAsync()
    {
        Cluster.Get(_a).Join(Cluster.Get(_a).SelfAddress);
        Cluster.Get(_b).Join(Cluster.Get(_a).SelfAddress);
        await UntilAsync(() => Task.FromResult(Cluster.Get(_a).State.Members.Count(x => x.Status == MemberStatus.Up) == 2));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (AskTimeoutException)
            {
                // Not allocated yet: the deadline decides.
            }

            await timer.WaitForNextTickAsync(deadline.Token);
        }
    }

    private sealed class OneShard : IMessageExtractor
    {
        public string? EntityId(object message) => message as string;

        public object? EntityMessage(object message) => message;

        public string? ShardId(object message) => "s";

        public string ShardId(string entityId, object? messageHint = null) => "s";
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(x => Sender.Tell(x));
    }
}
