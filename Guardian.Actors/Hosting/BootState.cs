using System.Globalization;

namespace Guardian.Actors.Hosting;

/// <summary>How far the start has come and what was lost since; written by the supervisor, read from any thread.</summary>
internal sealed class BootState
{
    private sealed record Phase(string Name, TimeSpan? Took, string? Reason);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<string> _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Phase> _phases = [new("supervisor", null, "starting")];
    private readonly List<string> _lost = [];

    /// <summary>Completes with the reason why this node cannot go on: a required child was lost, or it may not be a member.</summary>
    public Task<string> Failure => _failure.Task;

    /// <summary>One line for everything that is not ready.</summary>
    public IReadOnlyList<string> NotReady()
    {
        lock (_gate)
        {
            return [.. _phases.Where(x => x.Took is null).Select(x => $"{x.Name}: {x.Reason ?? "waiting"}"), .. _lost];
        }
    }

    /// <summary>The phases with the time each took.</summary>
    public IReadOnlyList<(string Phase, TimeSpan? Took)> Phases()
    {
        lock (_gate) return [.. _phases.Select(x => (x.Name, x.Took))];
    }

    public void Begin(IEnumerable<string> phases)
    {
        lock (_gate) _phases = [.. phases.Select(x => new Phase(x, null, null))];
    }

    public void Held(string phase, TimeSpan took)
    {
        lock (_gate) Replace(phase, x => x with { Took = took, Reason = null });
    }

    /// <summary>True when the reason is new, so that it is logged once.</summary>
    public bool Waiting(string phase, string reason)
    {
        lock (_gate)
        {
            var known = _phases.Exists(x => x.Name == phase && x.Reason == reason);
            Replace(phase, x => x with { Reason = reason });
            return !known;
        }
    }

    public void Lost(string child) => Fail($"{child}: lost", $"required part '{child}' was lost for good");

    /// <summary>This node may not be a member.</summary>
    public void Refuse(string reason) => Fail($"refused: {reason}", reason);

    private void Fail(string line, string reason)
    {
        lock (_gate)
        {
            if (!_lost.Contains(line)) _lost.Add(line);
        }

        _failure.TrySetResult(reason);
    }

    public string Summary() => string.Join(", ", Phases().Select(x =>
        string.Create(CultureInfo.InvariantCulture, $"{x.Phase} {x.Took?.TotalMilliseconds ?? 0:F0} ms")));

    private void Replace(string phase, Func<Phase, Phase> change)
    {
        var at = _phases.FindIndex(x => x.Name == phase);
        if (at >= 0) _phases[at] = change(_phases[at]);
    }
}
