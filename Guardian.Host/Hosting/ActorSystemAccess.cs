using Akka.Actor;
using Guardian.Actors.Hosting;
using Microsoft.Extensions.Options;

namespace Guardian.Host.Hosting;

/// <summary>Finds Guardian in the application's actor system.</summary>
internal sealed class ActorSystemAccess(IServiceProvider services) : IGuardianAccess
{
    private ActorSystem? _system;

    public ActorSystem? ActorSystem => _system ??= services.GetService<ActorSystem>();

    public GuardianSystem? Current => ActorSystem is { } system ? GuardianSystem.TryGet(system) : null;
}

/// <summary>
/// Where the node's HTTP options stand now: keys reload live. A reload that does not bind keeps the last good ones.
/// </summary>
internal sealed class GuardianHttpKeys(IOptionsMonitor<GuardianOptions> options, string dataDirectory, ILogger<GuardianHttpKeys> log)
{
    private volatile HttpOptions? _last;

    public string DataDirectory { get; } = dataDirectory;

    public HttpOptions Current
    {
        get
        {
            try
            {
                return _last = options.CurrentValue.Http;
            }
            catch (Exception e) when (_last is not null)
            {
                HostLog.BadReload(log, e.Message);
                return _last;
            }
        }
    }
}
