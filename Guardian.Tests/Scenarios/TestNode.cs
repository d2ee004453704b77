using Akka.Actor;
using Akka.Hosting;
using Guardian.Actors.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Guardian.Tests.Scenarios;

/// <summary>A whole node in this process, without HTTP, with a journal of its own in a temporary folder.</summary>
public sealed class TestNode : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private readonly IHost _host;
    private readonly DirectoryInfo _data;

    private TestNode(IHost host, DirectoryInfo data, GuardianSystem guardian) => (_host, _data, Guardian) = (host, data, guardian);

    /// <summary>Its actor system.</summary>
    public ActorSystem System => _host.Services.GetRequiredService<ActorSystem>();

    /// <summary>Its Guardian.</summary>
    public GuardianSystem Guardian { get; }

    /// <summary>Starts one and waits until it is ready.</summary>
    public static async Task<TestNode> StartAsync(Action<GuardianOptions>? configure = null)
    {
        var data = Directory.CreateTempSubdirectory("guardian-test-");
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        builder.Services.AddAkka("guardian", akka => akka.AddHocon("akka.loglevel = WARNING", HoconAddMode.Prepend).WithGuardian(options =>
        {
            options.Node.DataDirectory = data.FullName;
            options.Monitors.Resources.Enabled = false; // a busy test machine is under pressure, and that is no news
            configure?.Invoke(options);
        }));
        var host = builder.Build();
        await host.StartAsync();
        var guardian = await GuardianSystem.Access(host.Services.GetRequiredService<ActorSystem>()).Started.WaitAsync(StartDeadline);
        using var deadline = new CancellationTokenSource(StartDeadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (guardian.Parts.NotReady().Count > 0) await timer.WaitForNextTickAsync(deadline.Token);
        return new TestNode(host, data, guardian);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _data.Delete(recursive: true);
    }
}
