using System.Net;
using Akka.Actor;
using Guardian.Actors.Backup;
using Guardian.Actors.Persistence;
using Guardian.Tests.Node;
using Microsoft.Data.Sqlite;

namespace Guardian.Tests.Persistence;

/// <summary>Backup, restore and verification of real nodes' journals, through the command line.</summary>
public sealed class BackupTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-backup-").FullName;
    private readonly List<string> _databases = [];

    public void Dispose()
    {
        foreach (var database in _databases) Postgres.Drop(database);
        Directory.Delete(_folder, recursive: true);
    }

    private string[] With(string provider, string directory)
    {
        if (provider == "sqlite") return [$"--Guardian:Node:DataDirectory={directory}"];
        var database = Postgres.Create();
        _databases.Add(database);
        return [$"--Guardian:Node:DataDirectory={directory}", "--Guardian:Persistence:Provider=postgres", $"--Guardian:Persistence:ConnectionString={database}"];
    }

    private static async Task FloodAsync(NodeProcess node, string principal)
    {
        for (var i = 0; i < 12; i++)
        {
            using var answer = await node.PublishAsync(principal, "system.control." + principal);
        }
    }

    private static async Task<string> StateAsync(NodeProcess node, string principal) =>
        (await node.ListAsync("/api/v1/incidents?limit=100")).Where(x => x.GetProperty("key").GetString() == "acl/principal/" + principal).Select(x => x.GetProperty("state").GetString()!).SingleOrDefault() ?? "";

    [Theory]
    [OnSqlite("sqlite")]
    [OnPostgres("sqlite")]
    public async Task A_backup_of_a_running_node_is_restored_and_waits_for_an_operator(string from, string to)
    {
        var file = Path.Combine(_folder, "backup.guardian");
        var source = With(from, Path.Combine(_folder, "source"));
        await using (var node = await NodeProcess.StartAsync([.. source, "--Guardian:Files:Playbooks=" + Playbooks()]))
        {
            await FloodAsync(node, "done");
            await node.UntilAsync("done", async () => await StateAsync(node, "done") == "resolved", Soon);
            await FloodAsync(node, "slow");
            await node.UntilAsync("slow runs", async () => (await node.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("state").GetString() == "running"), Soon);

            var made = await GuardianCommand.RunAsync(_folder, ["data", "backup", file, .. source]);
            made.ExitCode.Should().Be(0, made.Output);
            (await GuardianCommand.RunAsync(_folder, ["data", "backup", file, .. source])).Should().Match<(int, string)>(x => x.Item1 == 1 && x.Item2.Contains("exists"));
            (await GuardianCommand.RunAsync(_folder, ["data", "restore", file, .. source])).Should().Match<(int, string)>(x => x.Item1 == 1 && x.Item2.Contains("running"));
            var verified = await GuardianCommand.RunAsync(_folder, ["data", "verify", .. source]);
            verified.ExitCode.Should().Be(0, verified.Output);
        }

        (await GuardianCommand.RunAsync(_folder, ["data", "restore", file, .. source])).Should().Match<(int, string)>(x => x.Item1 == 1 && x.Item2.Contains("not empty"));
        (await GuardianCommand.RunAsync(_folder, ["data", "verify", file])).Should().Match<(int, string)>(x => x.Item1 == 0 && x.Item2.Contains("1 of them unfinished"));
        var target = With(to, Path.Combine(_folder, "target"));
        var restored = await GuardianCommand.RunAsync(_folder, ["data", "restore", file, .. target]);
        restored.ExitCode.Should().Be(0, restored.Output);

        await using var again = await NodeProcess.StartAsync([.. target, "--Guardian:Files:Playbooks=" + Playbooks()]);
        again.Http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(Path.Combine(_folder, "target", "admin.key"))).Trim());
        await again.UntilAsync("the old incident", async () => await StateAsync(again, "done") == "resolved", Soon);
        await again.UntilAsync("the unfinished run waits", async () =>
            (await again.ListAsync("/api/v1/runs")).Any(x => x.GetProperty("state").GetString() == "holding" && x.GetProperty("reason").GetString()!.Contains("restored from a backup")), Soon);
        (await again.ListAsync("/api/v1/blacklist")).Should().Contain(x => x.GetProperty("principal").GetString() == "done", "bans hold");

        using (var go = await again.Http.PutAsync("/api/v1/mode", new StringContent("""{ "mode": "resume", "reason": "looked at it" }""", System.Text.Encoding.UTF8, "application/json")))
            go.StatusCode.Should().Be(HttpStatusCode.OK);
        await again.UntilAsync("it goes on", async () => await StateAsync(again, "slow") is "resolved" or "escalated", Soon);
        await FloodAsync(again, "new");
        await again.UntilAsync("new ones are healed", async () => await StateAsync(again, "new") is "resolved", Soon);
        (await GuardianCommand.RunAsync(_folder, ["data", "verify", .. target])).ExitCode.Should().Be(0);
        (await GuardianCommand.RunAsync(_folder, ["data", "prune", "--dry-run", .. target])).Should().Match<(int, string)>(x => x.Item1 == 0 && x.Item2.StartsWith("0 incidents"));
    }

    /// <summary>A restore that ends in between must not leave a journal on which a node would act.</summary>
    [Fact]
    public async Task What_a_restore_left_behind_is_held()
    {
        var file = Path.Combine(_folder, "backup.guardian");
        using (var source = new JournalSystem())
        {
            var outbox = source.Start().ActorOf(Guardian.Actors.Notifications.Outbox.Props("log", Notifications.Items.Dependencies(source.Folder)));
            await outbox.Ask<Guardian.Actors.Notifications.OutboxAccepted>(Notifications.Items.Item("k", "log"), Soon);
            source.Database.Prepare();
            JournalBackup.Write(source.Database, source.Folder, "", file, DateTimeOffset.UnixEpoch);
        }

        using (var broken = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            broken.Open();
            using var command = broken.CreateCommand();
            command.CommandText = "insert into files (name, content) values ('../outside', x'00')";
            command.ExecuteNonQuery();
        }

        var options = new Guardian.Actors.Hosting.GuardianOptions();
        options.Node.DataDirectory = Path.Combine(_folder, "target");

        await FluentActions.Awaiting(() => JournalRestore.ReadAsync(file, options, TimeProvider.System)).Should().ThrowAsync<IOException>().WithMessage("*outside of the data directory*");

        new Guardian.Actors.Autonomy.ModeFile(options.Node.DataDirectory).Read()!.Hold.Should().BeTrue();
    }

    [PostgresFact]
    public async Task A_backup_of_SQLite_is_restored_into_PostgreSQL()
    {
        var file = Path.Combine(_folder, "backup.guardian");
        using (var source = new JournalSystem())
        {
            var system = source.Start();
            var outbox = system.ActorOf(Guardian.Actors.Notifications.Outbox.Props("log", Notifications.Items.Dependencies(source.Folder)));
            for (var i = 0; i < 3; i++) await outbox.Ask<Guardian.Actors.Notifications.OutboxAccepted>(Notifications.Items.Item("k" + i, "log"), Soon);
            source.Database.Prepare();
            JournalBackup.Write(source.Database, source.Folder, "", file, DateTimeOffset.UnixEpoch).Events.Should().BeGreaterThanOrEqualTo(3);
        }

        using var target = new JournalSystem("postgres");
        var options = new Guardian.Actors.Hosting.GuardianOptions();
        (options.Node.DataDirectory, options.Persistence.Provider, options.Persistence.ConnectionString) = (Path.Combine(_folder, "target"), "postgres", target.Database.Journal);
        await JournalRestore.ReadAsync(file, options, TimeProvider.System);

        var again = target.Start().ActorOf(Guardian.Actors.Notifications.Outbox.Props("log", Notifications.Items.Dependencies(target.Folder)));
        (await again.Ask<Guardian.Actors.Notifications.OutboxAccepted>(Notifications.Items.Item("k9", "log"), Soon)).Accepted.Should().BeTrue();
        target.Rows("select count(*) from guardian_journal where sequence_number = 1").Should().Equal("1");
        using (var view = JournalView.Open(target.Database)) JournalVerifier.Verify(view).Problems.Should().BeEmpty();
        await FluentActions.Awaiting(() => JournalRestore.ReadAsync(file, options, TimeProvider.System)).Should().ThrowAsync<IOException>().WithMessage("*not empty*");
        options.Node.DataDirectory = Path.Combine(_folder, "another");
        await FluentActions.Awaiting(() => JournalRestore.ReadAsync(file, options, TimeProvider.System)).Should().ThrowAsync<IOException>().WithMessage("*already holds a journal*");
    }

    /// <summary>The shipped one for most; one that takes its time for <c>slow</c>.</summary>
    private string Playbooks()
    {
        var folder = Path.Combine(_folder, "playbooks");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(Guardian.Tests.Playbooks.RepositoryFiles.Folder("playbooks"), "message_bus_acl_violation_fix.yaml"), Path.Combine(folder, "fix.yaml"), overwrite: true);
        File.WriteAllText(Path.Combine(folder, "slow.yaml"), """
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: a_slow_one, version: 1, owner: tests, description: takes its time }
            trigger:
              - { event: message_bus.acl_violation.spam_attack, when: incident.subject == 'slow' }
              - { event: message_bus.acl_violation.control_topic_flood, when: incident.subject == 'slow' }
            timeout: 5m
            steps:
              - { id: think, action: wait, with: { for: 20s }, timeout: 40s }
            """);
        return folder;
    }

    [Fact]
    public async Task What_is_no_backup_and_what_is_of_a_newer_version_is_refused()
    {
        var plain = Path.Combine(_folder, "plain");
        await File.WriteAllTextAsync(plain, "no backup");
        (await GuardianCommand.RunAsync(_folder, ["data", "verify", plain])).Should().Match<(int, string)>(x => x.Item1 == 1 && x.Item2.Contains("not a backup"));
        (await GuardianCommand.RunAsync(_folder, ["data", "backup", "b", $"--Guardian:Node:DataDirectory={_folder}/none"])).Should().Match<(int, string)>(x => x.Item1 == 1 && x.Item2.Contains("cannot be read"));
        (await GuardianCommand.RunAsync(_folder, ["data", "prune"])).ExitCode.Should().Be(2);
        File.Exists(Path.Combine(_folder, "b")).Should().BeFalse();

        var newer = Path.Combine(_folder, "newer");
        using (var connection = new SqliteConnection($"Data Source={newer};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = JournalCopy.Schema + "insert into backup values (1, '2026-01-02T03:04:05Z', 'n', 'sqlite'); insert into guardian_meta values ('schema', 99)";
            command.ExecuteNonQuery();
        }

        FluentActions.Invoking(() => JournalBackup.Open(newer)).Should().Throw<IOException>().WithMessage("*newer Guardian*");
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "delete from guardian_journal where persistence_id like 'run-%' and sequence_number = 2", "1 is followed by 3" },
        { "delete from guardian_journal where persistence_id like 'run-%' and sequence_number = 1", "begins with number 2" },
        { "update guardian_journal set manifest = 'step-teleported:v3' where manifest = 'run-ended:v1'", "step-teleported:v3" },
        { "update guardian_journal set message = x'7b' where manifest = 'run-ended:v1'", "run-ended:v1" },
        { "delete from guardian_journal where persistence_id like 'run-a-1%'", "is over, which is not in the journal" },
        { "delete from guardian_journal where manifest = 'run-ended:v1'", "but the run does not" },
        { "delete from guardian_journal where manifest = 'incident-run-assigned:v1'", "no incident has assigned it" },
        { "delete from guardian_tags where sequence_nr = 1", "have no tag" },
        { "insert into guardian_tags values (99999, 'guardian', 1, 'x')", "belong to no event" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Every_damage_is_found(string damage, string found)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Run(connection, JournalCopy.Schema);
        Fill(connection);
        Verify(connection).Should().BeEmpty();
        Run(connection, damage);

        Verify(connection).Should().Contain(x => x.Contains(found));
    }

    private static IReadOnlyList<string> Verify(SqliteConnection connection)
    {
        // The view ends its transaction; the connection stays for the next question.
        var view = JournalView.Open(connection);
        try
        {
            return JournalVerifier.Verify(view).Problems;
        }
        finally
        {
            view.JournalRead.Dispose();
        }
    }

    private static void Fill(SqliteConnection connection)
    {
        var serializer = new Guardian.Actors.Serialization.GuardianSerializer(null!);
        var last = new Dictionary<string, long>();
        foreach (var e in Stories.Journal())
        {
            var n = last[e.PersistenceId] = last.GetValueOrDefault(e.PersistenceId) + 1;
            using var command = connection.CreateCommand();
            command.CommandText = "insert into guardian_journal values (@o, 1, 0, @id, @n, @m, @manifest, 8558, null); insert into guardian_tags values (@o, 'guardian', @n, @id)";
            command.Parameters.AddWithValue("@o", e.Offset);
            command.Parameters.AddWithValue("@id", e.PersistenceId);
            command.Parameters.AddWithValue("@n", n);
            command.Parameters.AddWithValue("@m", serializer.ToBinary(e.Event));
            command.Parameters.AddWithValue("@manifest", serializer.Manifest(e.Event));
            command.ExecuteNonQuery();
        }
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // texts of this test
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
