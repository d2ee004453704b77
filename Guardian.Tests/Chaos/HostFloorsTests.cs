using Guardian.Actors.Chaos;
using Guardian.Actors.Chaos.Drills;
using Microsoft.Extensions.Time.Testing;

namespace Guardian.Tests.Chaos;

public sealed class HostFloorsTests
{
    [Fact]
    public void Below_a_floor_it_is_a_breach_and_stays_one()
    {
        var time = new FakeTimeProvider();
        long? memory = HostFloors.Memory;
        long? disk = HostFloors.Disk;
        var floors = new HostFloors("/tmp", time, () => memory, () => disk);
        floors.Breach().Should().BeNull();
        memory--;
        floors.Breach().Should().BeNull("it looks once a second");
        time.Advance(TimeSpan.FromSeconds(1));
        floors.Breach().Should().Contain("255 MiB of memory");
        memory = null;
        floors.Breach().Should().Contain("255 MiB of memory");
        new HostFloors("/tmp", time, () => null, () => HostFloors.Disk - 1).Breach().Should().Contain("left for the reports");
        new HostFloors("/tmp", time, () => null, () => null).Breach().Should().BeNull("unknown is no reason to stop what has bounds of its own");
    }

    [Fact]
    public async Task A_breach_aborts_the_drill_within_two_seconds()
    {
        long? memory = HostFloors.Memory * 2;
        var floors = new HostFloors("/tmp", TimeProvider.System, () => memory, () => null);
        var plan = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("over: 400ms", "over: 20s", StringComparison.Ordinal)), 1);
        var timing = new DrillTiming { WarmUp = TimeSpan.FromMilliseconds(100), Poll = TimeSpan.FromMilliseconds(10) };
        var record = await new DrillRunner(new ScriptedTarget(), TimeProvider.System, DrillLog.None, x => memory = x == "fault" ? 1 : memory, timing, new DrillTools { Floors = floors }).RunAsync(plan, default);
        var judgement = DrillJudge.Judge(plan, record);
        judgement.Verdict.Should().Be(Verdict.Aborted);
        judgement.Reasons.Should().ContainSingle().Which.Should().Contain("of memory");
        (record.Ended - record.Injected!.Value).Should().BeLessThan(TimeSpan.FromSeconds(8), "the flood alone would have taken 20 s");
    }
}
