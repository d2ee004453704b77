using System.Diagnostics.Metrics;
using Guardian.Actors.Runs;
using Guardian.Playbooks.Execution;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Runs;

public sealed class RunMetricsTests
{
    [Fact]
    public void A_run_is_counted_when_it_starts_waits_is_taken_over_and_ends_with_its_steps()
    {
        var (at, name) = (RunFixture.Origin, "counted-" + Guid.NewGuid());
        var bench = new RunBench(RunFixture.Load("steps:\n  - { id: ban, action: contain, with: { value: 1 } }")).Begin();
        var started = bench.Journal.OfType<RunStarted>().Single() with { Playbook = name, At = at };
        var seen = new List<(string Instrument, double Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, x) =>
        {
            if (instrument.Name.StartsWith("guardian.runs.", StringComparison.Ordinal)) x.EnableMeasurementEvents(instrument);
        };
        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var text = string.Join(' ', tags.ToArray().Where(x => x.Key != "playbook").Select(x => x.Value));
            foreach (var tag in tags)
                if (tag.Key == "playbook" && (string?)tag.Value == name) seen.Add((instrument.Name, value, text));
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();

        var state = RunState.Empty;
        foreach (var e in new RunEvent[]
        {
            started, new RunHeld { At = at, Reason = "held" }, new RunAdmitted { At = at, ContainmentOnly = true, Reason = "quota" },
            new RunRecovered { At = at, Epoch = 2 }, new StepSkipped { At = at, StepId = "ban", Reason = "so" },
            new RunEnded { At = at.AddSeconds(2.5), Phase = RunPhase.RolledBack, Reason = "so" },
        }) RunMetrics.Note(e, state = state.Apply(e));

        seen.Should().Equal(
            ("guardian.runs.started", 1, ""), ("guardian.runs.held", 1, ""), ("guardian.runs.narrowed", 1, ""), ("guardian.runs.taken_over", 1, ""),
            ("guardian.runs.ended", 1, "rolled_back"), ("guardian.runs.duration", 2.5, "rolled_back"));
    }
}
