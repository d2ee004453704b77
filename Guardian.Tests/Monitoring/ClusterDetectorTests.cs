using Guardian.Actors.Monitoring;

namespace Guardian.Tests.Monitoring;

public sealed class ClusterDetectorTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static ClusterDetector Of(string self) => new(self, "i", TimeSpan.FromSeconds(30));

    private static SeenCluster See(string self, params (string Name, bool Reachable, string? Policy)[] nodes) => new(self,
        [.. nodes.Select(x => new SeenNode(x.Name, $"akka.tcp://guardian@{x.Name}:1", x.Reachable, x.Policy is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["policy"] = x.Policy }))]);

    [Fact]
    public void The_oldest_that_can_be_reached_speaks_for_all_and_once()
    {
        var (a, b, c) = (Of("a"), Of("b"), Of("c"));
        (string, bool, string?)[] nodes = [("a", false, null), ("b", true, null), ("c", true, null)];
        a.Observe(See("a", ("a", true, null), ("b", false, null), ("c", false, null)), Start).Select(x => x.Subject).Should().Equal("b", "c");
        var signal = b.Observe(See("b", nodes), Start).Should().ContainSingle().Subject;
        (signal.Key, signal.Type, signal.Entered, signal.Subject).Should().Be(("cluster/node/a", "node_unreachable", true, "a"));
        b.Observe(See("b", nodes), Start.AddSeconds(1)).Should().BeEmpty("once");
        c.Observe(See("c", nodes), Start).Should().BeEmpty("b speaks");
    }

    [Theory]
    [InlineData(true, "answers again")]
    [InlineData(false, "was removed")]
    public void It_ends_when_the_node_is_back_or_gone(bool back, string reason)
    {
        var a = Of("a");
        var entered = a.Observe(See("a", ("a", true, null), ("b", false, null)), Start).Single();
        var left = a.Observe(back ? See("a", ("a", true, null), ("b", true, null)) : See("a", ("a", true, null)), Start.AddSeconds(5)).Should().ContainSingle().Subject;
        (left.Entered, left.Episode, left.Reason.Contains(reason)).Should().Be((false, entered.Episode, true));
        a.Observe(See("a", ("a", true, null), ("b", false, null)), Start.AddSeconds(9)).Single().Episode.Should().NotBe(entered.Episode);
    }

    [Fact]
    public void Different_policies_are_an_incident_only_when_they_stay_different()
    {
        var a = Of("a");
        var differ = See("a", ("a", true, "1"), ("b", true, "2"), ("c", true, null));
        a.Observe(differ, Start).Should().BeEmpty("a change is being brought out");
        a.Observe(See("a", ("a", true, "2"), ("b", true, "2")), Start.AddSeconds(20)).Should().BeEmpty();
        a.Observe(differ, Start.AddSeconds(25)).Should().BeEmpty("the time begins anew");
        a.Observe(differ, Start.AddSeconds(54)).Should().BeEmpty();
        var signal = a.Observe(differ, Start.AddSeconds(55)).Should().ContainSingle().Subject;
        (signal.Key, signal.Type).Should().Be(("cluster/config/policy", "config_drift"));
        signal.Reason.Should().Contain("a 1").And.Contain("b 2").And.NotContain("c 1").And.EndWith("b 2", "c has not said anything");
        a.Observe(differ, Start.AddSeconds(90)).Should().BeEmpty("once");
        a.Observe(See("a", ("a", true, "1"), ("b", true, "1")), Start.AddSeconds(99)).Single().Entered.Should().BeFalse();
    }

    [Fact]
    public void What_outlasts_its_incident_is_raised_again_after_a_minute_and_what_is_new_at_once()
    {
        var a = Of("a");
        var lost = See("a", ("a", true, null), ("b", false, null));
        var first = a.Observe(lost, Start).Single();
        a.Over(first.Key, "another");
        a.Observe(lost, Start.AddSeconds(70)).Should().BeEmpty("that was not its incident");

        a.Over(first.Key, first.Episode);
        for (var i = 71; i < 130; i++) a.Observe(lost, Start.AddSeconds(i)).Should().BeEmpty("not each second");
        var again = a.Observe(lost, Start.AddSeconds(130)).Should().ContainSingle().Subject;
        (again.Key, again.Entered, again.Episode == first.Episode).Should().Be((first.Key, true, false));
        a.Observe(lost, Start.AddSeconds(131)).Should().BeEmpty("once");

        a.Over(again.Key, again.Episode);
        a.Observe(See("a", ("a", true, null), ("b", true, null)), Start.AddSeconds(132)).Should().BeEmpty("its incident is over already");
        a.Observe(lost, Start.AddSeconds(133)).Should().ContainSingle("this is another trouble").Which.Entered.Should().BeTrue();
    }

    [Fact]
    public void A_drift_that_outlasts_its_incident_is_raised_again_after_a_minute()
    {
        var a = Of("a");
        var differ = See("a", ("a", true, "1"), ("b", true, "2"));
        a.Observe(differ, Start).Should().BeEmpty();
        var first = a.Observe(differ, Start.AddSeconds(30)).Single();
        a.Over(first.Key, first.Episode);
        a.Observe(differ, Start.AddSeconds(89)).Should().BeEmpty();
        var again = a.Observe(differ, Start.AddSeconds(90)).Should().ContainSingle().Subject;
        (again.Key, again.Entered, again.Episode == first.Episode).Should().Be((first.Key, true, false));
    }

    private static IEnumerable<string> Ends(ClusterDetector detector, SeenCluster seen, double seconds)
    {
        detector.Observe(seen, Start.AddSeconds(seconds)).Should().BeEmpty();
        var ends = detector.EndsOfEarlier(seen, Start.AddSeconds(seconds));
        ends.Should().OnlyContain(x => !x.Entered && x.Episode.Length > 0);
        return ends.Select(x => x.Key);
    }

    [Fact]
    public void Who_speaks_and_has_seen_all_well_for_a_while_ends_what_another_raised_once()
    {
        var (a, b) = (Of("a"), Of("b"));
        var well = See("a", ("a", true, "1"), ("b", true, "1"));
        Ends(a, well, 0).Should().BeEmpty();
        Ends(a, well, 9.9).Should().BeEmpty("a young view may lack what others know");
        Ends(a, well, 10).Should().Equal("cluster/node/a", "cluster/node/b", "cluster/config/policy");
        Ends(a, well, 60).Should().BeEmpty("once");
        for (var i = 0; i < 60; i++) Ends(b, well, i).Should().BeEmpty("a speaks");
        var alone = See("b", ("b", true, "1"));
        Ends(b, alone, 60).Should().BeEmpty();
        Ends(b, alone, 70).Should().Equal(["cluster/node/b", "cluster/config/policy"], "it speaks now, and a may have raised something");
    }

    [Fact]
    public void Nothing_is_ended_while_a_node_does_not_answer_or_has_not_said_what_it_has()
    {
        var a = Of("a");
        var lost = See("a", ("a", true, "1"), ("b", true, "1"), ("c", false, "1"));
        a.Observe(lost, Start).Should().ContainSingle();
        for (var i = 0; i < 30; i++) Ends(a, lost, i).Should().BeEmpty();
        var silent = See("a", ("a", true, "1"), ("b", true, null));
        a.Observe(silent, Start.AddSeconds(30)).Should().ContainSingle("c was removed");
        Ends(a, silent, 31).Should().BeEmpty("the view has changed");
        Ends(a, silent, 41).Should().Equal("cluster/node/a", "cluster/node/b");
        Ends(a, See("a", ("a", true, "1"), ("b", true, "2")), 42).Should().BeEmpty();
        Ends(a, See("a", ("a", true, "1"), ("b", true, "1")), 43).Should().Equal("cluster/config/policy");
    }

    [Fact]
    public void A_node_that_has_not_said_or_does_not_answer_differs_from_nobody()
    {
        var a = Of("a");
        for (var i = 0; i < 100; i += 10)
            a.Observe(See("a", ("a", true, "1"), ("b", false, "2"), ("c", true, null)), Start.AddSeconds(i)).Should().NotContain(x => x.Type == "config_drift");
    }
}
