using System.Globalization;
using Akka.Actor;
using Guardian.Actors.Actions;
using Guardian.Playbooks.Execution;

namespace Guardian.Actors.Runs;

/// <summary>Sends a run's commands to the agents and repeats what stays unanswered, under the same key.</summary>
internal sealed class RunDispatcher(Func<string, ICanTell> agent, RunGuards guards, IActorRef self, TimeSpan repeatEvery)
{
    /// <summary>A question about an old dispatch may take this long; it is asked again anyway.</summary>
    private static readonly TimeSpan ResolveWithin = TimeSpan.FromSeconds(30);

    private Dictionary<string, DateTimeOffset> _sent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _probes = new(StringComparer.Ordinal);
    private long _questions;

    /// <summary>The verification or step that a probe's answer belongs to; each question counts once.</summary>
    public string? AskedBy(string id)
    {
        if (!_probes.Remove(id, out var verification)) return null;
        _sent.Remove("probe " + verification);
        foreach (var other in _probes.Where(x => x.Value == verification).Select(x => x.Key).ToList()) _probes.Remove(other);
        return verification;
    }

    public void Carry(IReadOnlyList<RunCommand> commands, RunStarted run, long epoch, DateTimeOffset now)
    {
        var sent = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var command in commands)
        {
            var id = IdOf(command);
            if (_sent.TryGetValue(id, out var last) && now >= last && now - last < repeatEvery * 0.9)
            {
                sent[id] = last;
                continue;
            }

            sent[id] = now;
            Send(command, run, epoch, now);
        }

        _sent = sent;
    }

    private void Send(RunCommand command, RunStarted run, long epoch, DateTimeOffset now)
    {
        switch (command)
        {
            case RunCommand.Dispatch x:
                agent(x.Node).Tell(Of(run, x.Key, x.Epoch, x.Attempt, x.Action, x.Input, x.Undo, x.Deadline) with
                {
                    Cancels = x.Cancels, Output = x.Output.ValueKind == System.Text.Json.JsonValueKind.Undefined ? null : x.Output, Compensates = x.Compensates, ApprovedBy = x.ApprovedBy, ApprovedByDefault = x.ApprovedByDefault,
                }, self);
                break;
            case RunCommand.Resolve x:
                agent(x.Node).Tell(new ResolveAction { Dispatch = Of(run, x.Key, x.Epoch, x.Attempt, x.Action, x.Input, x.Undo, now + ResolveWithin) }, self);
                break;
            case RunCommand.Admit x:
                guards.Ask(x.Lock, epoch);
                break;
            case RunCommand.Reserve x:
                guards.Reserve(x, epoch);
                break;
            case RunCommand.Cancel x:
                agent(x.Node).Tell(new CancelAction { Key = x.Key, Epoch = x.Epoch, RunId = run.RunId }, self);
                break;
            case RunCommand.Probe x:
                var id = string.Create(CultureInfo.InvariantCulture, $"{run.RunId}/{x.Id}/{++_questions}");
                _probes[id] = x.Id;
                agent(x.Node).Tell(new RunProbe { Id = id, Probe = x.Name, With = x.With, Deadline = x.Deadline }, self);
                break;
        }
    }

    private static DispatchAction Of(
        RunStarted run, string key, long epoch, int attempt, string action, System.Text.Json.JsonElement input, bool undo, DateTimeOffset deadline) => new()
    {
        Key = key, Epoch = epoch, Attempt = attempt, RunId = run.RunId, IncidentKey = run.IncidentKey, IncidentId = run.IncidentId,
        Playbook = run.Playbook, IncidentType = Field(run, "type"), Subject = Field(run, "subject"),
        Action = action, Input = input, Undo = undo, Deadline = deadline,
    };

    private static string? Field(RunStarted run, string name) =>
        run.Incident.ValueKind == System.Text.Json.JsonValueKind.Object && run.Incident.TryGetProperty(name, out var value)
        && value.ValueKind == System.Text.Json.JsonValueKind.String ? value.GetString() : null;

    private static string IdOf(RunCommand command) => command switch
    {
        RunCommand.Dispatch x => string.Create(CultureInfo.InvariantCulture, $"dispatch {x.Key} {x.Attempt} {x.Deadline.UtcTicks}"),
        RunCommand.Resolve x => "resolve " + x.Key,
        RunCommand.Reserve x => "reserve " + x.StepId,
        RunCommand.Cancel x => "cancel " + x.Key,
        RunCommand.Probe x => "probe " + x.Id,
        _ => command.GetType().Name,
    };
}
