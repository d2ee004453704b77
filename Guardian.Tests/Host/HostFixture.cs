using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Configuration;
using Guardian.Actors.Autonomy;
using Guardian.Actors.Blacklisting;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos;
using Guardian.Actors.Kernels;
using Guardian.Actors.Scheduling;
using Guardian.Actors.Guards;
using Guardian.Actors.Hosting;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Guardian.Actors.Resources;
using Guardian.Actors.Switches;
using Guardian.Host;
using Guardian.Host.Hosting;
using Guardian.Host.Http;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Validation;
using Guardian.Tests.Playbooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Guardian.Tests.Host;

/// <summary>The real HTTP side on a free port, with a Guardian whose parts answer what a test tells them.</summary>
internal sealed class HostFixture : IAsyncDisposable, IGuardianAccess, IBusClients, IReadModel
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("guardian-host-");
    /// <summary>It started so long ago.</summary>
    public static readonly TimeSpan UpFor = TimeSpan.FromSeconds(90);

    private readonly JumpableTime _time = new(TimeProvider.System);
    private WebApplication? _app;
    private ActorSystem? _own;

    public GuardianOptions Options { get; } = new();
    public GuardianSystem? Current { get; set; }
    public ActorSystem? ActorSystem { get; set; }
    public Uri Url { get; private set; } = null!;
    public Uri? ProbeUrl { get; private set; }
    public string DataDirectory => _data.FullName;
    public string AdminKey => AdminKeyFile.Ensure(DataDirectory);

    // What the parts answer.
    public PublishResult Publishes { get; set; } = new(PublishOutcome.Accepted, "m-1");
    public List<(string Principal, string Topic, string Body)> Published { get; } = [];
    public Channel<BusMessage> Stream { get; } = Channel.CreateUnbounded<BusMessage>();
    public int OpenStreams;
    public List<BanEntry> Bans { get; } = [];
    public List<object> Commands { get; } = [];
    public JournalHealth Journal { get; set; } = new(true, null, DateTimeOffset.UnixEpoch);
    public List<string> NotReady { get; } = [];
    public List<EventView> Events { get; } = [];
    public string? BanRefusal { get; set; }
    public SwitchView Switches { get; } = new();
    public string? BreakerOpen { get; set; }
    public List<FileError> PlaybookErrors { get; } = [];
    public Lazy<IReadOnlyList<Playbook>> Playbooks { get; set; } = new(() =>
        PlaybookLoader.LoadDirectory(RepositoryFiles.Folder("playbooks"), GuardianVocabulary.Of(new GuardianOptions())).Playbooks);
    public RunRequested Requested { get; set; } = new() { Done = true, RunId = "i-1.1", IncidentId = "i-1" };

    public JobView Job { get; set; } = new()
    {
        Id = "job-1", Kernel = "pool", Priority = 5, State = JobState.Failed, AcceptedAt = DateTimeOffset.UnixEpoch, Attempt = 1, ExitCode = 3, Output = "what it wrote", Payload = "p",
    };

    public ResourceView Resources { get; } = new();

    /// <summary>The clock of streams and of keys' ends.</summary>
    public TimeProvider? Clock { get; set; }

    /// <summary>What a stream is told when it asks again.</summary>
    public bool MayHear { get; set; } = true;

    /// <summary>The node's configuration file is written anew with these keys alone.</summary>
    public void Reload(params ApiKeyOptions[] keys)
    {
        IConfigurationBuilder configuration = (ConfigurationManager)_app!.Configuration;
        configuration.Sources.Remove(configuration.Sources.OfType<CommandLineConfigurationSource>().Single());
        configuration.AddCommandLine([.. Overrides(keys)]);
    }

    private static IEnumerable<string> Overrides(IEnumerable<ApiKeyOptions> keys) => keys.SelectMany((key, i) => (string[])[
        $"--Guardian:Http:ApiKeys:{i}:Principal={key.Principal}", $"--Guardian:Http:ApiKeys:{i}:KeySha256={key.KeySha256}",
        .. key.Roles.Select((role, r) => $"--Guardian:Http:ApiKeys:{i}:Roles:{r}={role}"),
        .. key.Expires is { } at ? (string[])[$"--Guardian:Http:ApiKeys:{i}:Expires={at:O}"] : []]);

    public static async Task<HostFixture> StartAsync(Action<HostFixture>? prepare = null)
    {
        var fixture = new HostFixture();
        fixture.Options.Http.Url = "http://127.0.0.1:0";
        var system = fixture._own = fixture.ActorSystem = ActorSystem.Create("host", ConfigurationFactory.ParseString("akka.loglevel = ERROR"));
        fixture.Current = fixture.Guardian(system);
        prepare?.Invoke(fixture);
        var overrides = Overrides(fixture.Options.Http.ApiKeys)
            .Append($"--Guardian:Http:FailedAuthenticationsPerMinute={fixture.Options.Http.FailedAuthenticationsPerMinute}").ToList();
        var builder = NodeHost.Builder(overrides);
        NodeHost.AddServices(builder, fixture.Options, fixture.DataDirectory);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IGuardianAccess>(fixture);
        builder.Services.AddSingleton<IBusClients>(fixture);
        if (fixture.Clock is { } clock) builder.Services.AddSingleton(clock);
        fixture._app = builder.Build();
        NodeHost.Map(fixture._app);
        await fixture._app.StartAsync();
        fixture.Url = new Uri(fixture._app.Urls.First());
        fixture.ProbeUrl = fixture._app.Urls.Skip(1).Select(x => new Uri(x)).SingleOrDefault();
        return fixture;
    }

    public static ApiKeyOptions Key(string key, params string[] roles) =>
        new() { Principal = "p-" + key, KeySha256 = Convert.ToHexStringLower(ApiKeyRing.Hash(key)), Roles = [.. roles] };

    public async Task<(int Status, string Body, HttpResponseMessage Response)> SendAsync(string method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient { BaseAddress = Url };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = new StringContent(body);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        var response = await client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    public static (string Name, string Value) Bearer(string key) => ("Authorization", "Bearer " + key);

    public static (string Name, string Value) As(string principal) => ("X-Guardian-Principal", principal);

    /// <summary>The wall clock jumps.</summary>
    public void Jump(TimeSpan by) => _time.Jump(by);

    public Task StopAsync() => _app!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        if (_own is not null) await _own.Terminate();
        _data.Delete(recursive: true);
    }

    private GuardianSystem Guardian(ActorSystem system)
    {
        var bans = system.ActorOf(Props.Create(() => new Answering(Answer)));
        return new GuardianSystem(new GuardianParts
        {
            Bus = new NoBus(),
            NodeName = "node-1",
            Options = Options,
            DataDirectory = DataDirectory,
            StartedAt = _time.GetUtcNow() - UpFor,
            Started = _time.GetTimestamp() - (long)(UpFor.TotalSeconds * _time.TimestampFrequency),
            Time = _time,
            Bans = new BanView(_time),
            Mode = new ModeView(OperatingMode.Enforce, Options.Autonomy.For),
            ReadModel = this,
            Counters = () => new BusCounters
            {
                Sent = 10, Accepted = 7, Delivered = 7, Dropped = 0, AclDenied = 2, Blacklisted = 1, RateLimited = 0, QueueFull = 0,
                Invalid = 0, Draining = 0, Queued = 0, Topics = 1, Subscriptions = 1, Restarts = 0, Parked = 0,
            },
            ClientPort = _ => throw new InvalidOperationException("the fixture is the bus"),
            Resources = Resources,
            BusActor = bans,
            Blacklist = bans,
            ModeActor = bans,
            Incidents = bans,
            Agent = bans,
            KernelsActor = bans,
            Scheduler = bans,
            NotReady = () => NotReady,
            Journal = () => Journal,
            IsProtected = x => x == "guardian",
            SwitchActor = bans,
            Guards = bans,
            Switches = Switches,
            Vocabulary = GuardianVocabulary.Of(Options),
            Playbooks = () => Playbooks.Value,
            PlaybookErrors = () => PlaybookErrors,
            PolicyHash = () => "abc",
        });
    }

    private object Answer(object message)
    {
        lock (Commands) Commands.Add(message);
        return message switch
        {
            GetBans => new BanList([.. Bans]),
            BanPrincipal x => new BanResult { Key = x.Key, Done = BanRefusal is null, Refusal = BanRefusal, Until = DateTimeOffset.UnixEpoch + x.For, Offences = 1 },
            LiftBan x => new BanResult { Key = x.Key, Done = true },
            GetBusMitigations => new BusMitigations([]),
            GetSchedulerMode => new SchedulerAnswer(true, SchedulerMode.Normal, SchedulerMode.Normal, []),
            GetJob or ListJobs => new JobAnswer { Job = Job, Jobs = [Job] },
            GetKernelMitigations => new KernelMitigations([]),
            LiftMitigation => new BusCommandResult(false, "no such limit"),
            GetMode => new ModeStatus(OperatingMode.Enforce, false, null, null, null, null),
            SetMode x => new ModeStatus(x.Mode ?? OperatingMode.Enforce, x.Hold ?? false, x.Reason, x.By, null, null),
            SetSwitch x => new SwitchAnswer(Switched(x), null),
            RequestRun => Requested,
            GetGuard x => new GuardStatus { Guard = x.Guard, Runs = [], Principals = 0, Kernels = 0, BreakerOpen = BreakerOpen, BreakerOpenSince = BreakerOpen is null ? null : DateTimeOffset.UnixEpoch },
            ResetBreaker => new BreakerAnswer(BreakerOpen is not null, BreakerOpen is null ? "it is closed" : null),
            CloseIncident or DirectRun => new IncidentAnswer { Done = message is CloseIncident, Reason = "the run has ended" },
            _ => new Status.Failure(new InvalidOperationException("unexpected " + message.GetType().Name)),
        };
    }

    private PlaybookSwitch Switched(SetSwitch x)
    {
        var word = new PlaybookSwitch { Playbook = x.Playbook, Enabled = x.Enabled, By = x.By, Reason = x.Reason, At = _time.GetUtcNow() };
        Switches.Take(word);
        return word;
    }

    PublishResult IBusClients.Publish(GuardianSystem guardian, string principal, string topic, ReadOnlyMemory<byte> body, string? contentType)
    {
        lock (Published) Published.Add((principal, topic, System.Text.Encoding.UTF8.GetString(body.Span)));
        return Publishes;
    }

    (PublishResult Result, BusStream? Stream) IBusClients.OpenStream(GuardianSystem guardian, string principal, string pattern)
    {
        if (!Publishes.Accepted) return (Publishes, null);
        Interlocked.Increment(ref OpenStreams);
        return (Publishes, new BusStream(Stream.Reader, () => Interlocked.Decrement(ref OpenStreams)));
    }

    bool IBusClients.MayHear(GuardianSystem guardian, string principal, string pattern) => MayHear;

    private readonly IncidentView _incident = new()
    {
        Id = "i-1", Key = "acl/principal/rogue", Type = "t", Severity = "high", Node = "node-1", Subject = "rogue",
        OpenedAt = DateTimeOffset.UnixEpoch, State = "open", Occurrences = 1, Violations = 12,
    };

    private readonly RunDetail _run = new()
    {
        Id = "r-1", Playbook = "fix", Version = 1, Hash = "h", Incident = "i-1", IncidentKey = "acl/principal/rogue", State = "running", StartedAt = DateTimeOffset.UnixEpoch,
    };

    Task<IReadOnlyList<IncidentView>> IReadModel.IncidentsAsync(string? state, int limit, string? after, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<IncidentView>>(after is null ? [_incident] : []);

    Task<IncidentView?> IReadModel.IncidentAsync(string id, CancellationToken cancellation) => Task.FromResult(id == "i-1" ? _incident : null);

    Task<IReadOnlyList<RunDetail>> IReadModel.RunsAsync(string? playbook, string? incident, int limit, string? after, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<RunDetail>>([_run]);

    Task<RunDetail?> IReadModel.RunAsync(string id, CancellationToken cancellation) => Task.FromResult(id == "r-1" ? _run : null);

    Task<int> IReadModel.OpenIncidentsAsync(CancellationToken cancellation) => Task.FromResult(1);

    async IAsyncEnumerable<EventView> IReadModel.EventsAsync(long after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var item in Events.Where(x => x.Offset > after)) yield return item;
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    private sealed class Answering : ReceiveActor
    {
        public Answering(Func<object, object> answer) => ReceiveAny(x => Sender.Tell(answer(x)));
    }

    private sealed class NoBus : IMessageBus
    {
        public Task<BusPort> RegisterAsync(string principal, IActorRef owner, CancellationToken cancellation = default) => throw new NotSupportedException();
    }
}
