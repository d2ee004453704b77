using System.Text.Json;
using Guardian.Actors.Bus;
using Guardian.Actors.Chaos.Faults;
using Guardian.Actors.Chaos.Targets;
using Guardian.Playbooks.Model;
using Microsoft.Data.Sqlite;

namespace Guardian.Tests.Scenarios;

/// <summary>A real node with one bug planted between it and whoever looks.</summary>
internal class PlantedTarget(IChaosTarget node) : IChaosTarget
{
    public virtual Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation) => node.PublishAsync(principal, topic, body, cancellation);

    public Task<IChaosSubscription> SubscribeAsync(string principal, string pattern, CancellationToken cancellation) => node.SubscribeAsync(principal, pattern, cancellation);

    public Task<IReadOnlyList<TargetIncident>> IncidentsAsync(CancellationToken cancellation) => node.IncidentsAsync(cancellation);

    public virtual Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation) => node.RunsAsync(cancellation);

    public Task<IReadOnlyList<string>> BannedAsync(CancellationToken cancellation) => node.BannedAsync(cancellation);

    public Task<JsonElement> ProbeAsync(string probe, JsonElement with, CancellationToken cancellation) => node.ProbeAsync(probe, with, cancellation);

    public Task InjectAsync(InNodeFault fault, CancellationToken withdraw) => node.InjectAsync(fault, withdraw);

    public ValueTask DisposeAsync() => node.DisposeAsync();
}

/// <summary>What was denied reaches the subscribers all the same.</summary>
internal sealed class DeliversDenied(IChaosTarget node) : PlantedTarget(node)
{
    public override async Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation)
    {
        var answer = await base.PublishAsync(principal, topic, body, cancellation);
        if (answer.Outcome == PublishOutcome.AclDenied) await base.PublishAsync("load-01", "library.books.01", body, cancellation);
        return answer;
    }
}

/// <summary>Every hundredth legitimate message is acknowledged and dropped.</summary>
internal sealed class DropsAcknowledged(IChaosTarget node) : PlantedTarget(node)
{
    private int _number;

    public override Task<ChaosAnswer> PublishAsync(string principal, string topic, string body, CancellationToken cancellation) =>
        topic.StartsWith("library.books", StringComparison.Ordinal) && Interlocked.Increment(ref _number) % 100 == 0
            ? Task.FromResult(ChaosAnswer.Of(PublishOutcome.Accepted))
            : base.PublishAsync(principal, topic, body, cancellation);
}

/// <summary>The ticket is made twice: the effect came about under two keys.</summary>
internal sealed class DoublesTheTicket(IChaosTarget node, string dataDirectory) : PlantedTarget(node)
{
    private bool _doubled;

    public override async Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation)
    {
        var file = Path.Combine(dataDirectory, "tasks.jsonl");
        if (!_doubled && File.Exists(file) && (await File.ReadAllLinesAsync(file, cancellation)) is [var only])
        {
            _doubled = true;
            await File.AppendAllTextAsync(file, only + "\n", cancellation);
        }

        return await base.RunsAsync(cancellation);
    }
}

/// <summary>While the run's writer lives, another one writes in turns with it.</summary>
internal sealed class WritesBeside(IChaosTarget node, string dataDirectory) : PlantedTarget(node)
{
    private bool _planted;

    public override async Task<IReadOnlyList<TargetRun>> RunsAsync(CancellationToken cancellation)
    {
        var runs = await base.RunsAsync(cancellation);
        if (_planted || !runs.Any(x => x.Ended)) return runs;
        _planted = true;
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(dataDirectory, "journal.db"), Pooling = false, DefaultTimeout = 5 }.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "update guardian_journal set writer_uuid = 'another' where persistence_id like 'run-%' and sequence_number in (2, 4)";
        (await command.ExecuteNonQueryAsync(cancellation)).Should().Be(2);
        return runs;
    }
}

/// <summary>The journal's lock, without its withdrawal.</summary>
internal sealed class LockThatStays : ChaosFault<LockThatStays.Input>, IDisposable
{
    internal sealed record Input(Duration? For = null);

    private SqliteConnection? _connection;

    public override string Name => "journal.lock.stays";

    public override FaultFacts Facts(Input input) => new() { Length = TimeSpan.FromSeconds(1) };

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(context.DataDirectory!, "journal.db"), Pooling = false, DefaultTimeout = 5 }.ConnectionString);
        await _connection.OpenAsync(withdraw);
        await using var command = _connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        await command.ExecuteNonQueryAsync(withdraw);
    }

    public void Dispose() => _connection?.Dispose();
}
