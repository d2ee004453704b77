using Akka.Actor;
using Guardian.Actors.Persistence;
using Microsoft.Data.Sqlite;

namespace Guardian.Tests.Persistence;

public sealed class JournalHealthTests : IDisposable
{
    private readonly JournalSystem _journal = new();
    private readonly JournalHealthCheck _check;

    public JournalHealthTests()
    {
        _journal.Database.Prepare();
        _check = new JournalHealthCheck(_journal.Database, TimeProvider.System);
    }

    public void Dispose() => _journal.Dispose();

    private string JournalFile => Path.Combine(_journal.Folder, "journal.db");

    private Task<JournalHealth> CheckAsync() => _check.CheckAsync(CancellationToken.None);

    [Fact]
    public async Task A_database_that_takes_writes_is_healthy()
    {
        (await CheckAsync()).Should().Match<JournalHealth>(x => x.Healthy && x.Reason == null);
        (await CheckAsync()).Healthy.Should().BeTrue();
    }

    [Fact]
    public async Task A_locked_database_is_seen_and_its_release_too()
    {
        (await CheckAsync()).Healthy.Should().BeTrue();
        using (var other = Lock())
            (await CheckAsync()).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("locked"));

        (await CheckAsync()).Healthy.Should().BeTrue();
    }

    [Fact]
    public async Task A_read_only_database_is_seen()
    {
        // A file-format write version above 2 makes SQLite open it read-only for anybody, root included (sqlite.org/fileformat2.html, 1.3.3).
        await CheckAsync();
        using (var file = new FileStream(JournalFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = 18;
            file.WriteByte(3);
        }

        (await CheckAsync()).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("read-only"));
    }

    [Fact]
    public async Task A_deleted_database_is_seen_and_not_made_anew()
    {
        await CheckAsync();
        File.Delete(JournalFile);

        (await CheckAsync()).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("missing"));
        File.Exists(JournalFile).Should().BeFalse();
    }

    [Fact]
    public async Task A_database_that_is_none_is_seen()
    {
        await CheckAsync();
        File.WriteAllText(JournalFile, new string('x', 8192));

        (await CheckAsync()).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("damaged"));
    }

    [Fact]
    public async Task A_postgres_that_does_not_answer_is_seen()
    {
        var check = new JournalHealthCheck(JournalDatabase.From("postgres", "Host=127.0.0.1;Port=1;Username=x;Database=x", ""), TimeProvider.System);

        (await check.CheckAsync(CancellationToken.None)).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("does not answer"));
    }

    [Fact]
    public async Task The_watch_follows_the_database()
    {
        var holder = new JournalHealthHolder();
        holder.Current.Healthy.Should().BeFalse("nothing was measured yet");
        using var _ = (await StartWatchAsync(holder));

        await Eventually.HoldsAsync(() => holder.Current.Healthy.Should().BeTrue());
        using (var other = Lock())
            await Eventually.HoldsAsync(() => holder.Current.Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("locked")));
        await Eventually.HoldsAsync(() => holder.Current.Healthy.Should().BeTrue());
    }

    private Task<IDisposable> StartWatchAsync(JournalHealthHolder holder)
    {
        var system = _journal.Start();
        system.ActorOf(JournalWatch.Props(_check, holder, TimeProvider.System, TimeSpan.FromMilliseconds(50)));
        return Task.FromResult<IDisposable>(system);
    }

    private SqliteConnection Lock()
    {
        var other = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = JournalFile, Pooling = false }.ConnectionString);
        other.Open();
        using var command = other.CreateCommand();
        command.CommandText = "BEGIN EXCLUSIVE";
        command.ExecuteNonQuery();
        return other;
    }
}
