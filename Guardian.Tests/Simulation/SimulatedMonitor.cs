using System.Globalization;
using Guardian.Actors.Bus;
using Guardian.Actors.Incidents;
using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Simulation;

/// <summary>AclViolationMonitor without Akka: ledger, detector and raises, which a crash loses.</summary>
internal sealed class SimulatedMonitor
{
    private readonly World _world;
    private readonly string _node;
    private readonly Action<IncidentRaised, SimulatedMonitor> _raise;
    private DigestLedger _ledger = null!;
    private AclDetector _detector = null!;
    private RaiseBook _raises = null!;
    private int _incarnation;
    private DateTimeOffset? _wakeAt;

    public SimulatedMonitor(World world, string node, Action<IncidentRaised, SimulatedMonitor> raise)
    {
        (_world, _node, _raise) = (world, node, raise);
        Start();
    }

    public int Pending => _raises.Pending;

    /// <summary>How often its node has started.</summary>
    public int Lives => _incarnation;

    public void Crash()
    {
        _world.Note("crash", "monitor " + _node);
        Start();
    }

    public void OnDigest(ViolationDigest digest)
    {
        var observed = _detector.Observe(_ledger.Observe(digest, _world.Now), _world.Now);
        foreach (var detection in observed.Detections)
        {
            _world.Note("detected", $"{_node} {detection.Key} {detection.Type} {detection.Violations}");
            _raises.Detected(AclIncidents.Raise(detection) with { Monitor = _node });
        }

        foreach (var grew in observed.Grew) _raises.Grew(grew);
        Send();
    }

    public void OnAccepted(IncidentAccepted accepted)
    {
        _raises.Accepted(accepted, _world.Now);
        Send();
    }

    public void OnOver(IncidentOver over)
    {
        _detector.Over(over.Key, over.Episode);
        _raises.Over(over.Key, over.Episode);
    }

    private void Start()
    {
        _incarnation++;
        var options = new AclMonitorOptions();
        _ledger = new DigestLedger(options.TableSize);
        _detector = new AclDetector(options, string.Create(CultureInfo.InvariantCulture, $"{_node}-{_incarnation}"));
        _raises = new RaiseBook();
        _wakeAt = null;
    }

    private void Send()
    {
        foreach (var raised in _raises.Due(_world.Now)) _raise(raised, this);
        if (_world.Options.TellsOnce || _raises.NextDue() is not { } next || next >= _wakeAt && _wakeAt > _world.Now) return;
        _wakeAt = next > _world.Now ? next : _world.Now.AddMilliseconds(1);
        var (raises, wait) = (_raises, _wakeAt.Value - _world.Now);
        _world.At(wait, () =>
        {
            if (raises == _raises) Send();
        });
    }
}
