using Akka.TestKit.Xunit2;
using Guardian.Actors.Runs;
using Guardian.Tests.Persistence;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Runs;

public sealed class PlaybookWatcherTests : TestKit
{
    [Fact]
    public async Task What_changed_between_the_first_load_and_the_first_look_is_in_force()
    {
        var folder = Directory.CreateTempSubdirectory("guardian-playbooks-").FullName;
        try
        {
            var file = Path.Combine(folder, "a.yaml");
            await File.WriteAllTextAsync(file, RunFixture.Yaml("steps: [{ id: a, action: note }]"));
            var catalog = new PlaybookCatalog(folder, RunFixture.Vocabulary);
            catalog.TryReload().Should().BeTrue();
            await File.WriteAllTextAsync(file, RunFixture.Yaml("steps: [{ id: b, action: note }]"));

            Sys.ActorOf(PlaybookWatcher.Props(folder, catalog));

            await Eventually.HoldsAsync(() => catalog.Current.Playbooks.Single().Steps[0].Id.Should().Be("b"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
