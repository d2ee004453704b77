using System.Collections.Concurrent;
using System.Text.Json;
using Guardian.Actors.Leasekeeping;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Leasekeeping;

/// <summary>The keeper's loop in this process, on a clock that is moved by hand.</summary>
public sealed class KeeperTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-keeper-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The next keeper would undo an effect that never was.</summary>
    [LinuxFact]
    public async Task A_refused_lease_leaves_no_file()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        OsLease Lease(string id) => new()
        {
            Id = id, Owner = "run-1", Reason = "test", For = TimeSpan.FromMinutes(1), Until = time.GetUtcNow().AddMinutes(1), Undo = [new DeletePath(Path.Combine(_folder, "nothing"))],
        };
        var files = new LeaseFiles(Path.Combine(_folder, "leases"));
        for (var i = 0; i < LeaseBook.MaxLeases; i++)
            await File.WriteAllTextAsync(Path.Combine(_folder, "leases", $"{i}.lease.json"), JsonSerializer.Serialize(Lease("held-" + i), LeasekeepingJson.Default.OsLease));
        var answers = new ConcurrentQueue<KeeperReply>();
        using var keeper = new Keeper(ProcessIdentity.Of(Environment.ProcessId)!, files, TimeSpan.FromHours(1), time, answers.Enqueue, new KeeperLog(Path.Combine(_folder, "keeper.log")));
        var take = JsonSerializer.Serialize(new KeeperRequest { Number = 7, Op = "take", Lease = Lease("one-more") }, LeasekeepingJson.Default.KeeperRequest);

        var running = keeper.RunAsync(new StringReader(take.ReplaceLineEndings("") + "\n"));

        await Eventually.HoldsAsync(() => answers.Any(x => x.Number == 7), "the answer", 60);
        answers.Single(x => x.Number == 7).Error.Should().Contain("held already");
        files.Read().Leases.Should().HaveCount(LeaseBook.MaxLeases).And.NotContain(x => x.Id == "one-more");
        await Eventually.HoldsAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(2));
            return running.IsCompleted;
        }, "its end", 60);
        await running;
    }
}
