using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Kernels;

/// <summary>One attempt of a job as a real process.</summary>
public sealed class JobProcessTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("guardian-jobs-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task What_cannot_be_looked_for_is_looked_for_until_it_is_known()
    {
        var (looks, said) = (0, new List<string>());
        var found = await JobAttempts.UntilKnownAsync(() => ++looks < 3 ? throw new IOException("bad disk") : Task.FromResult(looks), said.Add, TimeProvider.System, CancellationToken.None);
        found.Should().Be(3);
        said.Should().Equal("bad disk");
        using var given = new CancellationTokenSource();
        var never = JobAttempts.UntilKnownAsync<int>(() => throw new IOException("bad disk"), _ => given.Cancel(), TimeProvider.System, given.Token);
        await never.Invoking(x => x).Should().ThrowAsync<OperationCanceledException>();
    }

    /// <summary>Its Guardian died, and the next one does not know the pool, or the command, any more.</summary>
    [LinuxFact]
    public async Task What_runs_for_a_pool_or_a_command_that_is_not_declared_any_more_is_ended()
    {
        var folder = JobProcess.FolderOf(_root.FullName, "pool");
        async Task<ProcessIdentity> BeginAsync(JobEntry job)
        {
            _ = new JobProcess(folder, job.Accepted.Id).RunAsync("pool", new JobCommand { Command = ["sleep", "1000"] }, job, CancellationToken.None);
            IReadOnlyList<ProcessIdentity> running = [];
            await Await.UntilAsync(() => (running = ProcessTable.WithVariable(ProcessInstance.TokenVariable, $"pool/{job.Accepted.Id}/1")).Count > 1, TimeSpan.FromSeconds(30));
            return running[0];
        }

        var first = await BeginAsync(Job("a"));
        var pool = KernelDefinition("pool", "commands: { nap: [sleep, '1000'] }");
        (await ProcessInstance.SweepAsync(_root.FullName, [pool])).Should().Be(0, "its pool looks for it itself");
        first.Alive.Should().BeTrue();
        (await ProcessInstance.SweepAsync(_root.FullName, [])).Should().Be(1);
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, "pool/a/1").Should().BeEmpty();

        await BeginAsync(Job("b"));
        var found = await new JobAttempts(pool, folder, TimeProvider.System).FindAsync(Job("b", "gone"), x => throw new InvalidOperationException(x));
        found.Should().BeNull();
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, "pool/b/1").Should().BeEmpty();
    }

    private static JobEntry Job(string id, string? command = null) => new()
    {
        Accepted = new JobAccepted { Id = id, At = DateTimeOffset.UtcNow, Priority = 5, By = "t", Payload = "words", Command = command },
        Started = new JobStarted { Id = id, At = DateTimeOffset.UtcNow, Attempt = 1 },
    };

    private KernelDefinition KernelDefinition(string name, string more)
    {
        var file = Path.Combine(_root.FullName, "kernels.yaml");
        File.WriteAllText(file, $"kernels:\n  - {{ name: {name}, type: jobs, workers: 1, {more} }}\n");
        var catalog = new KernelCatalog(file, []);
        catalog.TryReload().Should().BeTrue(string.Join("; ", catalog.Errors));
        return catalog.Current.Kernels.Single();
    }

    [LinuxFact]
    public async Task A_disk_that_takes_no_record_after_the_start_leaves_the_job_to_its_end()
    {
        var writes = 0;
        var process = new JobProcess(_root.FullName, "j", (path, text) =>
        {
            if (++writes > 1) throw new IOException("No space left on device");
            File.WriteAllText(path, text);
        });
        var result = await process.RunAsync("pool", new JobCommand { Command = ["cat"] }, Job("j"), CancellationToken.None);
        (result.State, result.ExitCode, result.Output, writes).Should().Be((JobState.Succeeded, 0, "words", 2));
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, "pool/j/1").Should().BeEmpty();
    }
}
