using System.Text;
using Akka.Actor;
using Akka.Hosting;
using Akka.Persistence;
using Guardian.Actors.Bus;
using Guardian.Actors.Hosting;
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

    private async Task<IHost> StartAsync(Action<GuardianOptions>? more = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
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
