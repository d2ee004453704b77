using Guardian.Actors.Hosting;
using Guardian.Actors.Persistence;
using Guardian.Tests.Node;

namespace Guardian.Tests.Persistence;

/// <summary>What a newer version wrote is not touched by an older one, which says so.</summary>
public sealed class SchemaVersionTests : IDisposable
{
    private JournalSystem _journal = new();

    public void Dispose() => _journal.Dispose();

    [Theory, OnSqlite, OnPostgres]
    public async Task A_database_of_a_newer_version_is_refused(string provider)
    {
        _journal.Dispose();
        _journal = new JournalSystem(provider);
        _journal.Database.Prepare();
        _journal.Database.Prepare();
        _journal.Rows("select value from guardian_meta where name = 'schema'").Should().Equal(JournalMeta.SchemaVersion.ToString(System.Globalization.CultureInfo.InvariantCulture));
        _journal.Rows("update guardian_meta set value = 99 where name = 'schema' returning value");

        FluentActions.Invoking(_journal.Database.Prepare).Should().Throw<IOException>().WithMessage("*newer Guardian (data schema 99; this version knows*");
        (await new JournalHealthCheck(_journal.Database, TimeProvider.System).CheckAsync(default)).Should().Match<JournalHealth>(x => !x.Healthy && x.Reason!.Contains("newer Guardian"));
    }

    [Fact]
    public async Task A_node_does_not_start_on_a_newer_data_directory_and_says_why()
    {
        DataDirectory.Open(new NodeOptions { DataDirectory = _journal.Folder }).Dispose();
        File.ReadAllText(Path.Combine(_journal.Folder, "schema")).Trim().Should().Be(JournalMeta.SchemaVersion.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await File.WriteAllTextAsync(Path.Combine(_journal.Folder, "schema"), "99\n");

        var (exitCode, output) = await GuardianCommand.RunAsync("run", $"--Guardian:Node:DataDirectory={_journal.Folder}", "--Guardian:Http:Url=http://127.0.0.1:0");

        exitCode.Should().NotBe(0);
        output.Should().Contain("newer Guardian").And.Contain(_journal.Folder);
        File.Exists(Path.Combine(_journal.Folder, "journal.db")).Should().BeFalse("nothing is written");
    }
}
