using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Leasekeeping;
using Guardian.Tests.Node;
using Xunit.Abstractions;
using static Guardian.Tests.Leasekeeping.LeasekeeperFixture;

namespace Guardian.Tests.Leasekeeping;

/// <summary>kill -9 of whoever holds the leases.</summary>
public sealed class NodeDeathTests(ITestOutputHelper output)
{
    [LinuxFact]
    public async Task Kill_9_of_the_node_undoes_everything()
    {
        var scratch = Directory.CreateTempSubdirectory("guardian-death-");
        using var paused = Victim.Start();
        // A shell plays the node: it holds the write end of the keeper's input, starts a process of its own, and is killed.
        var pipe = Path.Combine(scratch.FullName, "pipe");
        using (var make = Process.Start("mkfifo", [pipe])) await make.WaitForExitAsync();
        var start = new ProcessStartInfo("sh", ["-c", "exec 3>\"$0\"; sleep 1000 3>&- & echo $!; while read line; do echo \"$line\" >&3; done", pipe]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var node = Process.Start(start)!;
        var identity = ProcessIdentity.Of(node.Id)!;
        var keeperStart = new ProcessStartInfo("sh", ["-c", "exec \"$@\" < \"$0\"", pipe, Executable.FileName, .. Executable.Arguments,
            .. KeeperProgram.Arguments(Path.Combine(scratch.FullName, "leases"), identity, TimeSpan.FromHours(1))]) { RedirectStandardOutput = true };
        using var keeper = Process.Start(keeperStart)!;
        var burner = ProcessIdentity.Of(int.Parse((await node.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture))!;

        var lease = Lease("all", TimeSpan.FromMinutes(10), new ResumeProcess(paused.Identity), new KillProcess(burner));
        await node.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new KeeperRequest { Number = 1, Op = "take", Lease = lease }, LeasekeepingJson.Default.KeeperRequest));
        (await keeper.StandardOutput.ReadLineAsync()).Should().Contain("\"held\":true");
        await paused.StopAsync();

        var clock = Stopwatch.StartNew();
        node.Kill();
        await Eventually.HoldsAsync(() => !paused.Stopped && !burner.Alive, "undone after the node's death", 10);
        output.WriteLine($"undone {clock.ElapsedMilliseconds} ms after kill -9");
        await keeper.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        keeper.ExitCode.Should().Be(0);
        Directory.EnumerateFiles(Path.Combine(scratch.FullName, "leases"), "*.lease.json").Should().BeEmpty();
        scratch.Delete(recursive: true);
    }

    [LinuxFact]
    public async Task A_node_starts_a_keeper_replaces_it_and_takes_it_along()
    {
        await using var node = await NodeProcess.StartAsync();
        var first = Keeper(node)!;
        await Victim.SignalAsync("KILL", first.Pid);
        await Eventually.HoldsAsync(() => Keeper(node) is { } next && next != first, "a new keeper");
        var second = Keeper(node)!;
        await node.KillAsync();
        await Eventually.HoldsAsync(() => !second.Alive, "the keeper ends after its node");
    }

    private static ProcessIdentity? Keeper(NodeProcess node) =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(x => int.TryParse(x, out _)).Select(x => int.Parse(x!, CultureInfo.InvariantCulture))
            .Where(x => ProcessStat.TryRead(x, out var stat) && stat.Parent == node.Id && CommandLine(x).Contains(KeeperProgram.Command, StringComparison.Ordinal))
            .Select(ProcessIdentity.Of).FirstOrDefault(x => x is not null);

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
