using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;

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

    [LinuxFact]
    public async Task A_disk_that_takes_no_record_after_the_start_leaves_the_job_to_its_end()
    {
        var writes = 0;
        var process = new JobProcess(_root.FullName, "j", (path, text) =>
        {
            if (++writes > 1) throw new IOException("No space left on device");
            File.WriteAllText(path, text);
        });
        var job = new JobEntry
        {
            Accepted = new JobAccepted { Id = "j", At = DateTimeOffset.UtcNow, Priority = 5, By = "t", Payload = "words" },
            Started = new JobStarted { Id = "j", At = DateTimeOffset.UtcNow, Attempt = 1 },
        };
        var result = await process.RunAsync("pool", new JobCommand { Command = ["cat"] }, job, CancellationToken.None);
        (result.State, result.ExitCode, result.Output, writes).Should().Be((JobState.Succeeded, 0, "words", 2));
        ProcessTable.WithVariable(ProcessInstance.TokenVariable, "pool/j/1").Should().BeEmpty();
    }
}
