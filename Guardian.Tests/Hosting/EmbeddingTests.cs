using System.Text;
using Akka.Actor;
using Akka.Hosting;
using Akka.Persistence;
using Guardian.Actors.Actions;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
using Guardian.Playbooks.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Guardian.Tests.Hosting;

/// <summary>An application with its own journal and Newtonsoft messages embeds Guardian with one call; both work.</summary>
public sealed class EmbeddingTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("guardian-embed-");

    public void Dispose() => _data.Delete(recursive: true);

    /// <summary>A message that only Newtonsoft knows how to write: no parameterless constructor, private setter.</summary>
    public sealed class Sold(string item)
    {
        public string Item { get; private set; } = item;
    }

    private sealed class Shop : ReceivePersistentActor
    {
        private readonly List<string> _sold = [];

        public Shop()
        {
            Recover<Sold>(x => _sold.Add(x.Item));
            Command<Sold>(x => Persist(x, y =>
            {
                _sold.Add(y.Item);
                Sender.Tell(_sold.Count);
            }));
            Command<string>(_ => Sender.Tell(JournalPluginId));
        }

        public override string PersistenceId => "shop";
    }

    public sealed record PurgeInput(string Cache);

    public sealed record PurgeOutput(int Entries);

    private sealed class PurgeCache : GuardianAction<PurgeInput, PurgeOutput>
    {
        public override string Name => "cache.purge";
        public override RiskClass Risk => RiskClass.Disrupt;
        public override bool Idempotent => true;
        public override Task<PurgeOutput> ExecuteAsync(PurgeInput input, ActionContext context, CancellationToken cancellation) => Task.FromResult(new PurgeOutput(input.Cache.Length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_action_of_the_application_is_registered_with_one_line(bool asService)
    {
        var playbooks = Directory.CreateDirectory(Path.Combine(_data.FullName, "playbooks"));
        await File.WriteAllTextAsync(Path.Combine(playbooks.FullName, "purge.yaml"), """
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: purge, version: 1 }
            trigger: [ { event: shop.cache_stale } ]
            steps: [ { id: purge, action: cache.purge, with: { cache: books } } ]
            """);
        using var host = await StartAsync(options =>
        {
            options.Files.Playbooks = playbooks.FullName;
            options.IncidentTypes.Add(new IncidentType("shop.cache_stale", []));
            if (!asService) options.Actions.Add(new PurgeCache());
        }, services =>
        {
            if (asService) services.AddSingleton<IGuardianAction, PurgeCache>();
        });
        var guardian = await GuardianSystem.Access(host.Services.GetRequiredService<ActorSystem>()).Started.WaitAsync(Soon);
        guardian.Parts.Playbooks().Should().ContainSingle(x => x.Name == "purge", "the file names the action and is valid");

        var inbox = Inbox.Create(host.Services.GetRequiredService<ActorSystem>());
        guardian.Parts.Agent.Tell(new DispatchAction
        {
            Key = "r/purge", Epoch = 1, Attempt = 1, RunId = "r", IncidentKey = "k", IncidentId = "i", Playbook = "purge", Action = "cache.purge",
            Input = System.Text.Json.JsonElement.Parse("""{ "cache": "books" }"""), Deadline = DateTimeOffset.UtcNow + Soon,
        }, inbox.Receiver);
        var outcome = (ActionOutcome)await inbox.ReceiveAsync(Soon);
        outcome.Output!.Value.GetProperty("entries").GetInt32().Should().Be(5);
        await host.StopAsync();
    }

    private async Task<IHost> StartAsync(Action<GuardianOptions>? more = null, Action<IServiceCollection>? services = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        services?.Invoke(builder.Services);
        builder.Services.AddAkka("shop", akka => akka
            .AddHocon("""
                akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
                akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
                """, HoconAddMode.Prepend)
            .WithGuardian(options =>
            {
                options.Node.DataDirectory = _data.FullName;
                options.Monitors.Resources.Enabled = false; // a busy test machine is under pressure, and that is no news
                more?.Invoke(options);
            }));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    [Fact]
    public async Task The_application_keeps_its_journal_and_serializer_and_gets_a_bus()
    {
        using var host = await StartAsync();
        var system = host.Services.GetRequiredService<ActorSystem>();
        var guardian = await GuardianSystem.Access(system).Started.WaitAsync(Soon);

        var shop = system.ActorOf(Props.Create(() => new Shop()), "shop");
        (await shop.Ask<int>(new Sold("book"), Soon)).Should().Be(1);
        system.Serialization.FindSerializerForType(typeof(Sold)).Should().BeOfType<Akka.Serialization.NewtonSoftJsonSerializer>();
        system.Settings.Config.GetString("akka.persistence.journal.plugin").Should().Be("akka.persistence.journal.inmem");

        var inbox = Inbox.Create(system);
        var reader = await guardian.Bus.RegisterAsync("patron", inbox.Receiver);
        reader.Subscribe("library.>", inbox.Receiver).Accepted.Should().BeTrue();
        var port = await guardian.Bus.RegisterAsync("librarian", shop);
        port.Publish("library.books", Encoding.UTF8.GetBytes("hello")).Accepted.Should().BeTrue();
        var message = (BusMessage)await inbox.ReceiveAsync(Soon);
        Encoding.UTF8.GetString(message.Body.Span).Should().Be("hello");
        message.Principal.Should().Be("librarian");

        await shop.GracefulStop(Soon);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var deadline = new CancellationTokenSource(Soon);
        while (port.Publish("library.books", default).Outcome != PublishOutcome.Revoked) await timer.WaitForNextTickAsync(deadline.Token);
        await host.StopAsync();
    }

    [Fact]
    public async Task Wrong_options_disable_Guardian_and_never_the_application()
    {
        using var host = await StartAsync(options => options.Bus.DefaultQueue = 0);
        var system = host.Services.GetRequiredService<ActorSystem>();

        GuardianSystem.TryGet(system).Should().BeNull();
        GuardianSystem.Access(system).Disabled.Should().Contain("Guardian:Bus:DefaultQueue");
        var shop = system.ActorOf(Props.Create(() => new Shop()), "shop");
        (await shop.Ask<int>(new Sold("book"), Soon)).Should().Be(1);
        await host.StopAsync();
    }
}
