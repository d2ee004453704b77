using System.Collections.Concurrent;
using Guardian.Actors.Hosting;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Leasekeeping;

/// <summary>A keeper process whose node is this test process.</summary>
internal sealed class LeasekeeperFixture : IAsyncDisposable
{
    public static readonly GuardianProgram Executable = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "guardian.dll")]);

    private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("guardian-keeper-");

    public LeasekeeperFixture() => Keeper = Start();

    public ConcurrentQueue<string> Said { get; } = new();
    public string Directory => Path.Combine(_folder.FullName, "leases");
    public string Scratch => _folder.FullName;
    public Leasekeeper Keeper { get; private set; }
    public IReadOnlyList<string> OnDisk => System.IO.Directory.Exists(Directory) ? [.. System.IO.Directory.EnumerateFiles(Directory, "*.lease.json")] : [];

    public static OsLease Lease(string id, TimeSpan length, params LeaseUndo[] undo) => new() { Id = id, Owner = "run-1", Reason = "test", For = length, Undo = undo };

    private Leasekeeper Start() => new(Executable, Directory, TimeSpan.FromHours(1), TimeProvider.System, (line, _) => Said.Enqueue(line));

    public async ValueTask DisposeAsync()
    {
        await Keeper.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
