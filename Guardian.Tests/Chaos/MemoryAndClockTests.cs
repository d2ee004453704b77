using System.Diagnostics;
using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;

namespace Guardian.Tests.Chaos;

/// <summary>What scenarios of memory and of the clock stand on.</summary>
public sealed class MemoryAndClockTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_jump_moves_utc_and_nothing_that_is_monotonic()
    {
        var clock = new JumpableTime(TimeProvider.System);
        var began = clock.GetTimestamp();
        clock.Jump(TimeSpan.FromHours(1));
        (clock.GetUtcNow() - TimeProvider.System.GetUtcNow()).Should().BeCloseTo(TimeSpan.FromHours(1), TimeSpan.FromSeconds(30));
        clock.GetElapsedTime(began).Should().BeLessThan(TimeSpan.FromMinutes(1));
        clock.Jump(-TimeSpan.FromHours(2));
        clock.Shift.Should().Be(TimeSpan.FromHours(-1));
        clock.Jump(TimeSpan.FromHours(1));
        clock.Shift.Should().Be(TimeSpan.Zero);
    }

    [MemoryGroupFact]
    public async Task A_memory_group_counts_what_is_in_it_and_is_gone_when_it_is_empty()
    {
        var group = MemoryGroup.Create("guardian-test-" + Path.GetRandomFileName(), 64 * 1024 * 1024);
        try
        {
            var start = new ProcessStartInfo("/bin/sh", ["-c", "(head -c 30m /dev/zero; sleep 100) | tail >/dev/null"]);
            group.Enter(start);
            using (var process = Process.Start(start)!)
            {
                await Await.UntilAsync(() => group.Read().Percent > 40, Soon);
                group.Read().Percent.Should().BeLessThan(100);
                group.Read().Killed.Should().Be(0);
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }

            // More than the limit: the system kills in the group, and nobody else.
            var greedy = new ProcessStartInfo("/bin/sh", ["-c", "head -c 200m /dev/zero | tail >/dev/null"]);
            group.Enter(greedy);
            using (var process = Process.Start(greedy)!) await process.WaitForExitAsync(new CancellationTokenSource(Soon).Token);
            group.Read().Killed.Should().BeGreaterThan(0);
        }
        finally
        {
            await Await.UntilAsync(() => Removed(group), Soon);
        }
    }

    private static bool Removed(MemoryGroup group)
    {
        try
        {
            group.Remove();
            return true;
        }
        catch (IOException)
        {
            return false; // the last process is being ended
        }
    }
}

/// <summary>Skips where a control group with a memory limit cannot be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MemoryGroupFactAttribute : FactAttribute
{
    /// <summary>Tries it.</summary>
    public MemoryGroupFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
        {
            Skip = "needs Linux: control groups";
            return;
        }

        try
        {
            MemoryGroup.Create("guardian-test-probe-" + Environment.ProcessId, 64 * 1024 * 1024).Remove();
        }
        catch (IOException e)
        {
            Skip = e.Message;
        }
    }
}
