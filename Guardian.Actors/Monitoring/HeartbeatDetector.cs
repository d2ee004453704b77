using Guardian.Actors.Kernels;

namespace Guardian.Actors.Monitoring;

/// <summary>What the watchdog saw.</summary>
/// <param name="Missed">Silent for longer than agreed; each instance once per silence.</param>
/// <param name="Heard">Heard again after they were missed.</param>
/// <param name="Doubts">True: the watchdog itself was late and blames nobody.</param>
internal readonly record struct HeartbeatFindings(IReadOnlyList<HeartbeatSample> Missed, IReadOnlyList<HeartbeatSample> Heard, bool Doubts);

/// <summary>
/// Decides whose heartbeat is missed. Pure; times are monotonic. A watchdog that was late itself doubts itself, after Orleans' and
/// Lifeguard's example (Dadgar et al., 2018): whatever starved it has starved the hearts too, so everybody gets a whole interval from now on.
/// </summary>
/// <param name="interval">Between two looks.</param>
/// <param name="tolerance">A look that is later than this is late.</param>
internal sealed class HeartbeatDetector(TimeSpan interval, TimeSpan tolerance)
{
    private readonly Dictionary<(string, int), long> _missed = [];
    private TimeSpan? _lastLook;
    private TimeSpan _trustedSince;

    /// <summary>Times that it doubted itself.</summary>
    public long Doubts { get; private set; }

    public HeartbeatFindings Look(IReadOnlyList<HeartbeatSample> samples, TimeSpan now)
    {
        var late = _lastLook is { } last && now - last > interval + tolerance;
        _lastLook = now;
        if (late)
        {
            Doubts++;
            _trustedSince = now;
            return new HeartbeatFindings([], [], true);
        }

        List<HeartbeatSample> missed = [], heard = [];
        foreach (var sample in samples)
        {
            var key = (sample.Kernel, sample.Replica);
            var silent = now - sample.LastBeat >= sample.MissAfter && now - _trustedSince >= sample.Every;
            if (silent && _missed.GetValueOrDefault(key) != sample.Epoch)
            {
                _missed[key] = sample.Epoch;
                missed.Add(sample);
            }
            else if (now - sample.LastBeat < sample.MissAfter && _missed.Remove(key, out var epoch) && epoch == sample.Epoch)
            {
                heard.Add(sample);
            }
        }

        Forget(samples);
        return new HeartbeatFindings(missed, heard, false);
    }

    /// <summary>The incident about a kernel is over: what is still silent is missed anew.</summary>
    public void Over(string kernel)
    {
        foreach (var key in _missed.Keys.Where(x => x.Item1 == kernel).ToList()) _missed.Remove(key);
    }

    /// <summary>Replicas that are gone; the table stays as long as the list of hearts.</summary>
    private void Forget(IReadOnlyList<HeartbeatSample> samples)
    {
        if (_missed.Count == 0) return;
        var present = samples.Select(x => (x.Kernel, x.Replica)).ToHashSet();
        foreach (var key in _missed.Keys.Where(x => !present.Contains(x)).ToList()) _missed.Remove(key);
    }
}
