using Guardian.Actors.Hosting;
using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Kernels;

/// <summary>Starts without the file of kernels, while kernels of an earlier start live.</summary>
public sealed class KernelFileTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-kernels-");

    private string Configured => Path.Combine(_root.FullName, "kernels.yaml");

    private string Data => Path.Combine(_root.FullName, "data");

    public void Dispose()
    {
        KernelLeftovers.EndAsync(Data).Wait(Soon);
        _root.Delete(recursive: true);
    }

    private static KernelDefinition Sleeper(string length = "1000") => new()
    {
        Name = "k", Type = KernelType.Process, Process = new ProcessSpec { Command = ["sleep", length] },
    };

    private Action Require(string configured, params KernelDefinition[] code)
    {
        var catalog = new KernelCatalog(null, code);
        catalog.TryReload().Should().BeTrue();
        return () => KernelFile.Require(configured, catalog, Data);
    }

    [LinuxFact]
    public async Task Without_the_file_living_kernels_are_left_running_and_that_is_said_with_the_remedy()
    {
        Require(Configured).Should().NotThrow("nothing lives");
        var instance = ProcessInstance.Start(new InstanceFolder(InstanceFolder.Root(Data), "k", 0), Sleeper(), 0, 1, DateTimeOffset.UtcNow);
        Require(Configured).Should().Throw<IOException>().WithMessage($"*{Configured}*Guardian:Files:Kernels*k/0 (pid {instance.Identity.Pid})*Put the file back*");
        Require(Configured, Sleeper("1001")).Should().Throw<IOException>("a shipped example of the same name would replace it");
        instance.Identity.Alive.Should().BeTrue();
        Require(Configured, Sleeper()).Should().NotThrow("it is declared as it was");
        Require("").Should().NotThrow("there is to be no file");
        File.WriteAllText(Configured, "kernels: []");
        Require(Configured).Should().NotThrow("that says what is to be");
        Posix.Signal(instance.Identity.Pid, Posix.SIGKILL);
        await instance.Ended.WaitAsync(Soon);
    }

    [LinuxFact]
    public async Task A_node_that_misses_its_file_does_not_start_and_adopts_what_lives_once_it_is_back()
    {
        var folder = new InstanceFolder(InstanceFolder.Root(Data), "k", 0);
        File.WriteAllText(Configured, "kernels: [{ name: k, type: process, command: [sleep, '1000'] }]");
        var catalog = new KernelCatalog(Configured, []);
        catalog.TryReload().Should().BeTrue();
        var instance = ProcessInstance.Start(folder, catalog.Current.Kernels[0], 0, 1, DateTimeOffset.UtcNow);
        var kept = Configured + ".kept";
        File.Move(Configured, kept);
        var options = new GuardianOptions();
        options.Files.Kernels = Configured;
        options.Files.Policy = Path.Combine(Playbooks.RepositoryFiles.Folder("policies"), "access.yaml");
        options.Files.Playbooks = Playbooks.RepositoryFiles.Folder("playbooks");
        using var data = DataDirectory.Open(new NodeOptions { DataDirectory = Data });
        var start = () => GuardianCore.Create(options, data, TimeProvider.System);
        start.Should().Throw<IOException>().WithMessage("*is not there*They are left running*");
        instance.Identity.Alive.Should().BeTrue();
        File.Move(kept, Configured);
        start.Should().NotThrow();
        (await ProcessInstance.AdoptAsync(folder, catalog.Current.Kernels[0]))!.Identity.Should().Be(instance.Identity);
        instance.Signal(Posix.SIGKILL);
        await instance.Ended.WaitAsync(Soon);
    }
}
