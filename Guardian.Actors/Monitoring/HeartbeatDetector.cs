using Guardian.Actors.Kernels;

namespace Guardian.Actors.Monitoring;

/// <summary>What the watchdog saw.</summary>
/// <param name="Missed">Silent for longer than agreed; each instance once per silence.</param>
/// <param name="Heard">Heard again after they were missed.</param>
/// <param name="Doubts">True: the watchdog itself was late and blames nobody.</param>
internal readonly record struct HeartbeatFindings(IReadOnlyList<HeartbeatSample> Missed, IReadOnlyList<HeartbeatSample> Heard, bool Doubts);

/// <summary>
/// Decides whose heartbeat is missed. Pure; times are monotonic. A watchdog that was late itself doubts itself, after Orleans' and
/// Lifeguard's example (Dadgar et al., 2018): whatever starved it has starved the hearts too. A look that is late by less than the
/// tolerance excuses a silence by as much; one that is later blames nobody, and everybody gets a whole interval from then on.
/// </summary>
/// <param name="interval">Between two looks.</param>
/// <param name="tolerance">A look that is later than this blames nobody.</param>
internal sealed class HeartbeatDetector(TimeSpan interval, TimeSpan tolerance)
{
    private readonly Dictionary<(string, int), long> _missed = [];
    private readonly List<(TimeSpan At, TimeSpan Late)> _late = []; // since the oldest beat that is still waited for
    private readonly TimeSpan _tick = interval / 4; // less is the timer's own
    private TimeSpan? _lastLook;
    private TimeSpan _trustedSince;

    /// <summary>Times that it doubted itself.</summary>
    public long Doubts { get; private set; }

    public HeartbeatFindings Look(IReadOnlyList<HeartbeatSample> samples, TimeSpan now)
    {
        var first = _lastLook is null;
        var late = now - (_lastLook ?? TimeSpan.Zero) - interval;
        _lastLook = now;
        if (late > _tick) _late.Add((now, late)); // nobody knows what kept the hearts before the first look
        if (late > tolerance && !first)
        {
            Doubts++;
            _trustedSince = now;
            ForgetLateness(samples, now);
            return new HeartbeatFindings([], [], true);
        }

        List<HeartbeatSample> missed = [], heard = [];
        foreach (var sample in samples)
        {
            var key = (sample.Kernel, sample.Replica);
            var silent = now - sample.LastBeat >= sample.MissAfter && now - _trustedSince >= sample.Every;
            if (silent && _missed.GetValueOrDefault(key) != sample.Epoch && !Excused(sample, now))
            {
                _missed[key] = sample.Epoch;
                missed.Add(sample);
            }
            else if (now - sample.LastBeat < sample.MissAfter && _missed.Remove(key, out var epoch) && epoch == sample.Epoch)
            {
                heard.Add(sample);
            }
        }

        ForgetLateness(samples, now);
        Forget(samples);
        return new HeartbeatFindings(missed, heard, false);
    }

    /// <summary>The incident about a kernel is over: what is still silent is missed anew.</summary>
    public void Over(string kernel)
    {
        foreach (var key in _missed.Keys.Where(x => x.Item1 == kernel).ToList()) _missed.Remove(key);
    }

    /// <summary>
    /// True where the watchdog's own lateness may explain the silence: without it, the silence is nearer to a single interval than to
    /// the threshold. Halfway, so that the usual jitter of a busy node delays nobody's being missed.
    /// </summary>
    private bool Excused(HeartbeatSample sample, TimeSpan now)
    {
        var excused = TimeSpan.Zero;
        for (var i = _late.Count - 1; i >= 0 && _late[i].At > sample.LastBeat; i--) excused += _late[i].Late;
        return now - sample.LastBeat - excused < (sample.Every + sample.MissAfter) / 2;
    }

    /// <summary>Lateness that excuses nobody any more; the list stays as long as the longest silence.</summary>
    private void ForgetLateness(IReadOnlyList<HeartbeatSample> samples, TimeSpan now)
    {
        if (_late.Count == 0) return;
        var oldest = now;
        foreach (var sample in samples)
            if (sample.LastBeat < oldest && _missed.GetValueOrDefault((sample.Kernel, sample.Replica)) != sample.Epoch) oldest = sample.LastBeat;
        _late.RemoveAll(x => x.At <= oldest);
    }

    /// <summary>Replicas that are gone; the table stays as long as the list of hearts.</summary>
    private void Forget(IReadOnlyList<HeartbeatSample> samples)
    {
        if (_missed.Count == 0) return;
        var present = samples.Select(x => (x.Kernel, x.Replica)).ToHashSet();
        foreach (var key in _missed.Keys.Where(x => !present.Contains(x)).ToList()) _missed.Remove(key);
    }
}
