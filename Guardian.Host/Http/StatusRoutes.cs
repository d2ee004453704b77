using System.Reflection;
using Akka.Actor;
using Guardian.Actors.Hosting;
using Guardian.Actors.Monitoring;
using Guardian.Actors.Resources;
using Guardian.Host.Http.Security;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Http;

/// <summary>What the node is doing, on one page.</summary>
internal static class StatusRoutes
{
    public static readonly string Version =
        typeof(StatusRoutes).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/api/v1/status", Rights.Read, "What this node is doing", call => StatusAsync(routes.Api, call), ApiJson.Default.StatusView);
    }

    public static string Text(OperatingMode mode) => mode switch
    {
        OperatingMode.Observe => "observe",
        OperatingMode.Propose => "propose",
        _ => "enforce",
    };

    private static async Task StatusAsync(ApiContext api, ApiCall call) =>
        await ApiBodies.JsonAsync(call.Http, await ViewAsync(api, call), ApiJson.Default.StatusView);

    private static async Task<StatusView> ViewAsync(ApiContext api, ApiCall call)
    {
        var parts = call.Guardian.Parts;
        var (held, mode) = (parts.Mode.Held, parts.Mode.Mode);
        var journal = parts.Journal();
        return new StatusView
        {
            Node = parts.NodeName,
            Version = Version,
            StartedAt = parts.StartedAt,
            Uptime = Math.Round(parts.Time.GetElapsedTime(parts.Started).TotalSeconds, 1),
            Now = parts.Time.GetUtcNow(),
            Cluster = ClusterRoutes.View(api.Access.ActorSystem),
            Mode = held is null ? Text(mode) : "hold",
            Autonomy = new AutonomyView(Text(parts.Mode.For(RiskClass.Contain)), Text(parts.Mode.For(RiskClass.Disrupt)), Text(parts.Mode.For(RiskClass.Destroy))),
            Hold = new HoldView(held is not null, held),
            Bus = BusOf(parts),
            Bans = parts.Bans.Count,
            OpenIncidents = await OpenAsync(call),
            Policy = new PolicyView(parts.PolicyHash()),
            Playbooks = new PlaybooksView(parts.Playbooks().Count, parts.PlaybooksHash(), [.. parts.PlaybookErrors().Select(x => x.ToString())]),
            Journal = new JournalView(journal.Healthy, journal.Reason, journal.CheckedAt),
            Parked = parts.Parked(),
            Unreadable = parts.Unreadable() is { Count: > 0 } unreadable ? unreadable : null,
            Monitors = await MonitorsAsync(call),
            Silences = [.. parts.Silences.Active],
            Channels = [.. parts.Channels().Select(x => new ChannelView(x.Channel, x.Pending, x.Delivered, x.Dead, x.Digested, x.Collected, x.Muted, x.Refused, x.WaitingSince, x.LastFailure))],
            Pressure = PressureOf(parts.Resources),
            Scheduler = Guardian.Playbooks.Yaml.YamlValues.Snake(parts.SchedulerMode()),
            Chaos = new ChaosView(parts.Options.Chaos.Enabled),
            NotReady = parts.NotReady(),
            Boot = parts.Phases().ToDictionary(x => x.Phase, x => x.Took?.TotalMilliseconds),
        };
    }

    private static BusView BusOf(GuardianParts parts)
    {
        var c = parts.Counters();
        return new BusView(c.Sent, c.Accepted, c.Refused,
            new RefusedView(c.AclDenied, c.Blacklisted, c.RateLimited, c.QueueFull, c.Invalid, c.Draining),
            c.Delivered, c.Dropped, c.Queued, c.Topics, c.Subscriptions, c.Restarts, c.Parked,
            c.Relay is { } r ? new RelayView(r.Sent, r.Dropped, r.Received, r.Lost, r.Refused, r.Rejected, r.Waiting) : null);
    }

    private static PressureView? PressureOf(ResourceView view) => view.Latest is not { } sample ? null : new PressureView(
        Of(sample.Cpu), Of(sample.Memory), sample.Disks.ToDictionary(x => x.Mount, x => Of(x.Used), StringComparer.Ordinal), view.Pressed, sample.At);

    private static GaugeView Of(Gauge gauge) => new(gauge.Value is { } value ? Math.Round(value, 1) : null, gauge.Source, gauge.Unknown);

    private static async Task<MonitorsView?> MonitorsAsync(ApiCall call)
    {
        try
        {
            var totals = await call.Guardian.Parts.Monitors.Ask<MonitorTotals>(GetMonitorTotals.Instance, TimeSpan.FromSeconds(1), call.Cancellation);
            return new MonitorsView(totals.Digests, totals.Denied, totals.Blacklisted, totals.Overflow, totals.FellOut, totals.Detections, totals.RaisesPending);
        }
        catch (Exception) when (!call.Cancellation.IsCancellationRequested)
        {
            return null; // unknown, not zero
        }
    }

    private static async Task<int?> OpenAsync(ApiCall call)
    {
        try
        {
            return await call.Guardian.Parts.ReadModel.OpenIncidentsAsync(call.Cancellation).WaitAsync(TimeSpan.FromSeconds(1), call.Cancellation);
        }
        catch (Exception) when (!call.Cancellation.IsCancellationRequested)
        {
            return null; // the projection is away; the rest of the status is worth having all the more
        }
    }
}
