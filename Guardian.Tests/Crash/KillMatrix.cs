using System.Collections.Concurrent;
using System.Data.Common;
using System.Net;
using System.Text.Json;
using Guardian.Actors.Incidents;
using Guardian.Actors.Persistence;
using Guardian.Tests.Node;
using Guardian.Tests.Persistence;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Crash;

/// <summary>Where a node is killed. <paramref name="Number"/> counts from 1, within one incident.</summary>
/// <param name="Kind"><c>event</c>: once so many events of it are in the journal. <c>call</c>: while the receiver holds its n-th call, so between an effect and its result.</param>
/// <param name="Number">Which.</param>
/// <param name="Playbook"><c>rogue</c> starts the shipped one, <c>ten</c> the one with ten steps.</param>
internal sealed record KillPoint(string Kind, int Number, string Playbook);

/// <summary>
/// A real node, killed by <c>kill -9</c> from outside and started again on the same database, over and over. Each point has a principal and
/// a topic of its own, and so an incident of its own. Nothing in the node knows of it.
/// </summary>
internal sealed class KillMatrix : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    /// <summary>Written once a second while it grows: how often is up to the machine.</summary>
    private const string Counted = "incident-counted:v1";

    private const string Token = "s3cr3t-of-the-kill-matrix";

    private const string TenSteps = """
        apiVersion: guardian/v1
        kind: Playbook
        metadata: { name: a_ten_steps, version: 1, owner: tests, description: ten steps }
        trigger:
          - { event: message_bus.acl_violation.spam_attack, when: incident.subject.startsWith('ten') }
          - { event: message_bus.acl_violation.control_topic_flood, when: incident.subject.startsWith('ten') }
        holdFor: 500ms
        guards:
          cooldown: 30s
          maxRuns: [ { count: 5, per: 1h, scope: key }, { count: 1000, per: 1h, scope: playbook } ]
          lock: "${incident.subject}"
          blastRadius: { principals: 1000 }
          circuitBreaker: { failures: 1000, within: 1h, reset: manual }
        timeout: 50s
        steps:
          - { id: assess, action: severity.assess, with: { violations: "${incident.violations}" } }
          - { id: ban, if: has(incident.principal), action: blacklist.add, with: { principal: "${incident.principal}", for: 10m }, undo: auto }
          - { id: limit, on: all, action: bus.rate_limit, with: { topic: "${incident.topic}", rate: 10/s, for: 5m, denialsOnly: true }, undo: auto, undoOn: [resolved] }
          - { id: never, skipWhen: { probe: bus.health, check: result.healthy, within: 5s }, action: bus.restart }
          - { id: pause, mode: propose, approval: { timeout: 1s, default: approve }, action: wait, with: { for: 20ms } }
          - { id: broken, action: notify, with: { channel: security, text: x, severity: "none-${steps.assess.score}" }, retry: { attempts: 2, backoff: constant, initial: 50ms, max: 50ms }, onError: continue }
          - { id: tell, action: notify, with: { channel: security, text: "run ${run.id}" } }
          - { id: again, action: notify, with: { channel: security, severity: "${steps.assess.severity}", text: "again" }, onError: continue }
          - { id: task, action: task.create, with: { title: "look at ${incident.subject}", body: b } }
          - { id: last, action: http.call, with: { url: "RECEIVER/drain", method: POST, headers: { Authorization: "Bearer ${secrets.drain}" }, body: { run: "${run.id}" } }, undo: { action: http.call, with: { url: "RECEIVER/fill", method: POST, body: { run: "${run.id}" } } }, undoOn: [resolved] }
        verify:
          - { id: bus, probe: bus.health, check: result.healthy, every: 100ms, succeedAfter: 2, within: 10s }
          - { id: banned, probe: blacklist.contains, with: { principal: "${incident.subject}" }, check: result.banned, within: 10s }
        rollback: { on: [step_failed, cancelled], order: reverse, then: escalate }
        finally:
          - { id: report, action: notify, with: { channel: security, text: "over" } }
        """;

    private readonly WebhookReceiver _receiver;
    private readonly NodeProcess _node;
    private readonly JournalDatabase _database;
    private readonly string _folder;
    private readonly string? _postgres;
    private int _next;

    private KillMatrix(WebhookReceiver receiver, NodeProcess node, JournalDatabase database, string folder, string? postgres) =>
        (_receiver, _node, _database, _folder, _postgres) = (receiver, node, database, folder, postgres);

    public static async Task<KillMatrix> StartAsync(string provider)
    {
        var folder = Directory.CreateTempSubdirectory("guardian-kill-").FullName;
        File.Copy(Path.Combine(RepositoryFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml"), Path.Combine(folder, "fix.yaml"));
        var receiver = await WebhookReceiver.StartAsync();
        File.WriteAllText(Path.Combine(folder, "a_ten_steps.yaml"), TenSteps.Replace("RECEIVER", receiver.Url.TrimEnd('/'), StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(folder, "drain.token"), Token);
        var postgres = provider == "postgres" ? Postgres.Create() : null;
        var node = await NodeProcess.StartAsync(
            $"--Guardian:Notifications:Channels:security:Webhook={receiver.Url}/security", "--Guardian:Notifications:Channels:security:MaxItems=1000", "--Guardian:Notifications:Channels:security:SendResolved=true", $"--Guardian:Tasks:Webhook={receiver.Url}/tasks",
            $"--Guardian:Secrets:drain:FromFile={Path.Combine(folder, "drain.token")}", $"--Guardian:Persistence:Provider={provider}", $"--Guardian:Persistence:ConnectionString={postgres}", $"--Guardian:Files:Playbooks={folder}");
        return new KillMatrix(receiver, node, JournalDatabase.From(provider, postgres ?? "", node.DataDirectory), folder, postgres);
    }

    /// <summary>One incident, undisturbed or killed at the point; its end state as text, and its calls.</summary>
    public async Task<KillOutcome> RunAsync(string playbook, KillPoint? point)
    {
        var number = ++_next;
        var (principal, topic) = ($"{playbook}{number}", $"system.control.t{number}");
        var entity = IncidentKeys.Entity("acl/principal/" + principal);
        var killed = point is null ? Task.CompletedTask : KillAsync(point, entity);
        using var over = new CancellationTokenSource();
        var goesOn = playbook == "ten" ? GoOnAsync(principal, topic, over.Token) : Task.CompletedTask; // its holdFor asks for it
        await Parallel.ForEachAsync(Enumerable.Range(0, 12), async (_, _) =>
        {
            try
            {
                using var answer = await _node.PublishAsync(principal, topic);
            }
            catch (HttpRequestException) when (point is not null)
            {
                // Killed meanwhile.
            }
        });
        try
        {
            await killed.WaitAsync(Soon);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{principal} never came to {point}: {Journalled(entity)}\n{string.Join('\n', _receiver.Calls.Select(x => x.Key).Where(x => x.StartsWith(IncidentKeys.Incident(entity, 1), StringComparison.Ordinal)))}\n{_node.Output}");
        }

        if (point is not null) await _node.StartAgainAsync();
        var id = IncidentKeys.Incident(entity, 1);
        await _node.UntilAsync($"{principal} is over, killed at {point}", async () =>
        {
            using var answer = await _node.Http.GetAsync($"/api/v1/incidents/{id}");
            return answer.StatusCode == HttpStatusCode.OK && JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("state").GetString() is "resolved" or "escalated";
        }, Soon);
        await over.CancelAsync();
        await goesOn;
        await _node.UntilAsync($"all of {id} is delivered", () => Task.FromResult(Undelivered(id) == 0 && _receiver.Calls.Any(x => x.Key == id + "/resolved")), Soon);
        return await OutcomeAsync(id, principal);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _receiver.DisposeAsync();
        if (_postgres is not null) Postgres.Drop(_postgres);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task GoOnAsync(string principal, string topic, CancellationToken over)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                try
                {
                    using var answer = await _node.PublishAsync(principal, topic);
                }
                catch (HttpRequestException)
                {
                    // Killed meanwhile.
                }
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The incident is over.
        }
    }

    private async Task KillAsync(KillPoint point, string entity)
    {
        if (point.Kind == "call")
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (calls, node, prefix) = (0, _node, IncidentKeys.Incident(entity, 1));
            _receiver.Before = async key =>
            {
                if (!key.StartsWith(prefix, StringComparison.Ordinal) || Interlocked.Increment(ref calls) != point.Number) return;
                await node.KillAsync();
                reached.TrySetResult();
            };
            await reached.Task;
            _receiver.Before = null;
            return;
        }

        // Polling from outside: the kill lands at the n-th event or a moment later, as a real one does.
        await Task.Run(async () =>
        {
            await using var connection = _database.Connect(_database.Journal);
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = $"select count(*) from guardian_journal where manifest <> '{Counted}' and (persistence_id = 'incident-{entity}' or persistence_id like 'run-{entity[..12]}-%')";
            while (Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture) < point.Number) await Task.Delay(1);
        });
        await _node.KillAsync();
    }

    /// <summary>The names of an incident's events and of those of its runs, for a failure to show.</summary>
    private string Journalled(string entity)
    {
        using var connection = _database.Connect(_database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select persistence_id, manifest from guardian_journal where persistence_id = 'incident-{entity}' or persistence_id like 'run-{entity[..12]}-%' order by ordering";
        using var rows = command.ExecuteReader();
        var names = new List<string>();
        while (rows.Read()) names.Add($"{rows.GetString(0)} {rows.GetString(1)}");
        return string.Join('\n', names);
    }

    private long Undelivered(string id)
    {
        using var connection = _database.Connect(_database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        var text = _database.IsSqlite ? "cast(message as text)" : "convert_from(message, 'UTF8')";
        command.CommandText = $"""
            select sum(case manifest when 'delivery-accepted:v1' then 1 else -1 end) from guardian_journal
            where persistence_id like 'outbox-%' and manifest like 'delivery-%' and {text} like '%"key":"{id}%'
            """;
        return command.ExecuteScalar() is { } sum and not DBNull ? Convert.ToInt64(sum, System.Globalization.CultureInfo.InvariantCulture) : 0;
    }

    private async Task<KillOutcome> OutcomeAsync(string id, string principal)
    {
        var incident = await _node.GetAsync($"/api/v1/incidents/{id}");
        var text = new System.Text.StringBuilder().AppendLine($"incident {incident.GetProperty("state").GetString()}");
        foreach (var runId in incident.GetProperty("runs").EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? x.GetString() : x.GetProperty("id").GetString()))
        {
            var run = await _node.GetAsync($"/api/v1/runs/{runId}");
            text.AppendLine($"run {run.GetProperty("state").GetString()}");
            foreach (var step in run.GetProperty("steps").EnumerateArray())
                text.AppendLine($"  {step.GetProperty("id").GetString()} {step.GetProperty("state").GetString()} {(step.TryGetProperty("undo", out var undo) ? undo.ToString() : "")}");
        }

        var bans = (await _node.ListAsync("/api/v1/blacklist")).Where(x => x.GetProperty("principal").GetString() == principal).ToList();
        foreach (var ban in bans) text.AppendLine($"ban by {ban.GetProperty("owner").GetString()!.Replace(id, "<incident>")}, offence {ban.GetProperty("offences").GetInt32()}");
        var keys = _receiver.Calls.Select(x => x.Key).Where(x => x.StartsWith(id, StringComparison.Ordinal)).Select(x => x[id.Length..]).ToList();
        foreach (var (key, _) in _receiver.Authorizations.Where(x => x.Value == "Bearer " + Token && x.Key.StartsWith(id, StringComparison.Ordinal)).OrderBy(x => x.Key, StringComparer.Ordinal))
            text.AppendLine($"the secret came with {key[id.Length..]}");
        JournalHolds(Token).Should().BeFalse("a secret never enters the journal");
        return new KillOutcome(text.ToString(), [.. keys.Distinct().Order(StringComparer.Ordinal)], keys.Count, Events(id));
    }

    private bool JournalHolds(string value)
    {
        using var connection = _database.Connect(_database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select count(*) from guardian_journal where {(_database.IsSqlite ? "cast(message as text)" : "convert_from(message, 'UTF8')")} like '%{value}%'";
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture) > 0;
    }

    private int Events(string id)
    {
        using var connection = _database.Connect(_database.Journal);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select count(*) from guardian_journal where manifest <> '{Counted}' and (persistence_id like 'incident-{id.Split('-')[0]}%' or persistence_id like 'run-{id}.%')";
        return Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <param name="State">Incident, run, steps and ban as text.</param>
/// <param name="Keys">Distinct keys at the receiver.</param>
/// <param name="Calls">Raw calls.</param>
/// <param name="Events">Events of incident and run.</param>
internal sealed record KillOutcome(string State, IReadOnlyList<string> Keys, int Calls, int Events);
