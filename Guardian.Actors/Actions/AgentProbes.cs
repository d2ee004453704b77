using Akka.Actor;

namespace Guardian.Actors.Actions;

/// <summary>
/// The measurements under way. A run repeats its question until it is answered: the repeats of one check wait for the measurement
/// that is under way, so that a slow probe costs its run one measurement and leaves the others of the node theirs.
/// </summary>
internal sealed class AgentProbes
{
    /// <summary>Who may wait for one measurement: a run, and what it was before each of a few restarts.</summary>
    public const int Askers = 16;

    private readonly Dictionary<(string Check, string Probe, string With), Measurement> _underWay = [];

    /// <summary>A measurement, with the latest question of everyone who waits for it.</summary>
    internal sealed class Measurement(RunProbe probe)
    {
        public Dictionary<IActorRef, string> Questions { get; } = [];

        /// <summary>True: it did not end at its deadline and still has not.</summary>
        public bool Hangs { get; set; }

        /// <summary>What its askers are told then.</summary>
        public string Late { get; } = $"{probe.Probe} gave no answer by {probe.Deadline:O}";

        /// <summary>A question's id is the check's, a slash and a number; one without a slash is its own.</summary>
        public (string, string, string) Key { get; } =
            (probe.Id.LastIndexOf('/') is var end and > 0 ? probe.Id[..end] : probe.Id, probe.Probe, probe.With.GetRawText());
    }

    /// <summary>Measurements under way, hanging ones among them.</summary>
    public int Count => _underWay.Count;

    /// <summary>A measurement that is to be started now, or why there is none; neither where the question waits for one that is under way.</summary>
    public (Measurement? Start, string? Refusal) Ask(RunProbe probe, IActorRef asker, int limit)
    {
        var asked = new Measurement(probe);
        if (_underWay.TryGetValue(asked.Key, out var running))
        {
            if (running.Hangs) return (null, $"{running.Late} and still goes on; it is measured again once that has ended");
            if (running.Questions.Count >= Askers && !running.Questions.ContainsKey(asker)) return (null, $"{Askers} others wait for this measurement; try again");
            running.Questions[asker] = probe.Id;
            return (null, null);
        }

        if (_underWay.Count >= limit) return (null, $"{_underWay.Count} probes are under way on this node; try again");
        asked.Questions[asker] = probe.Id;
        _underWay[asked.Key] = asked;
        return (asked, null);
    }

    /// <summary>It ended, or was left behind at its deadline; who is to be told, with the id of its latest question.</summary>
    public IReadOnlyList<KeyValuePair<IActorRef, string>> End(Measurement measurement, bool hangs)
    {
        measurement.Hangs = hangs;
        if (!hangs) _underWay.Remove(measurement.Key);
        IReadOnlyList<KeyValuePair<IActorRef, string>> told = [.. measurement.Questions];
        measurement.Questions.Clear();
        return told;
    }
}
