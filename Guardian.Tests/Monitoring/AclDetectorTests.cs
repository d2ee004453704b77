using CsCheck;
using Guardian.Actors.Hosting;
using Guardian.Actors.Monitoring;
using static Guardian.Tests.Monitoring.Violations;

namespace Guardian.Tests.Monitoring;

public class AclDetectorTests
{
    private readonly AclDetector _detector = new(new AclMonitorOptions(), "e");

    private Observed See(params ViolationDelta[] deltas) => _detector.Observe(deltas, T0.AddHours(1));

    [Fact]
    public void Nine_are_no_spam_and_the_tenth_is()
    {
        See(Delta("rogue", "library.sealed.x", Burst(9, 50))).Detections.Should().BeEmpty();
        var detection = See(Delta("rogue", "library.sealed.x", [T0.AddMilliseconds(900)])).Detections.Should().ContainSingle().Subject;
        detection.Type.Should().Be(AclIncidents.SpamAttack);
        detection.Key.Should().Be("acl/principal/rogue");
        detection.Principal.Should().Be("rogue");
        detection.Violations.Should().Be(10);
    }

    [Fact]
    public void Ten_spread_over_a_full_second_are_no_spam() =>
        See(Delta("rogue", "a", Burst(10, 112))).Detections.Should().BeEmpty();

    [Fact]
    public void Four_on_a_control_topic_are_nothing_and_the_fifth_is_a_flood()
    {
        See(Delta("rogue", "system.control", Burst(4, 10_000), control: true)).Detections.Should().BeEmpty();
        var detection = See(Delta("rogue", "system.control", [T0.AddSeconds(50)], control: true)).Detections.Should().ContainSingle().Subject;
        detection.Type.Should().Be(AclIncidents.ControlTopicFlood);
        detection.Principal.Should().Be("rogue");
    }

    [Fact]
    public void A_burst_of_300_is_one_key_with_rules_in_order_and_an_exact_count()
    {
        var seen = See(Delta("rogue", "system.control", Burst(20), control: true, denied: 20));
        seen.Detections.Select(x => x.Type).Should().Equal(AclIncidents.ControlTopicFlood, AclIncidents.SpamAttack, AclIncidents.ActorBlacklist);
        seen.Detections.Select(x => x.Key).Distinct().Should().Equal("acl/principal/rogue");
        seen.Detections.Select(x => x.Number).Should().Equal(1, 2, 3);
        var more = _detector.Observe([Delta("rogue", "system.control", [], control: true, denied: 0, blacklisted: 280)], T0.AddSeconds(1));
        more.Detections.Should().BeEmpty();
        more.Grew.Should().ContainSingle().Which.Violations.Should().Be(300);
    }

    [Fact]
    public void Forty_principals_with_one_each_are_about_the_topic_and_blame_nobody()
    {
        var seen = See([.. Enumerable.Range(0, 40).Select(i => Delta($"p{i}", "library.sealed.x", [T0.AddMilliseconds(i * 20)]))]);
        var detection = seen.Detections.Should().ContainSingle().Subject;
        (detection.Key, detection.Principal, detection.Subject).Should().Be(("acl/topic/library.sealed.x", null, "library.sealed.x"));
        seen.Grew.Should().ContainSingle().Which.Violations.Should().Be(40);
    }

    [Fact]
    public void A_flood_by_A_blames_A_alone()
    {
        var seen = See(Delta("a", "t", Burst(20)), Delta("b", "t", [T0.AddMilliseconds(3), T0.AddMilliseconds(7)]));
        seen.Detections.Select(x => x.Key).Distinct().Should().Equal("acl/principal/a");
        See(Delta("a", "t", Burst(20, 1, 100)), Delta("b", "t", Burst(7, 1, 100))).Detections.Should().BeEmpty();
    }

    [Fact]
    public void A_principal_that_did_not_make_all_of_them_is_not_blamed_for_a_control_topic()
    {
        var seen = See(Delta("a", "system.control", Burst(4), control: true), Delta("b", "system.control", [T0.AddMilliseconds(9)], control: true));
        seen.Detections.Should().ContainSingle().Which.Principal.Should().BeNull();
    }

    [Fact]
    public void Twenty_in_all_are_a_total_and_a_rare_mistake_never_is()
    {
        See(Delta("slow", "t", Burst(19, 1_200))).Detections.Should().BeEmpty();
        See(Delta("slow", "t", [T0.AddSeconds(24)])).Detections.Should().ContainSingle().Which.Type.Should().Be(AclIncidents.ActorBlacklist);
        for (var i = 0; i < 500; i++) _detector.Observe([Delta("rare", "t", [T0.AddSeconds(31 * i)])], T0.AddDays(1)).Detections.Should().BeEmpty();
    }

    [Fact]
    public void What_was_allowed_before_bans_nobody_and_is_one_regression()
    {
        var seen = See(Delta("librarian", "library.books", Burst(20), denied: 500, allowedBefore: true), Delta("other", "library.books", Burst(20), allowedBefore: true));
        var detection = seen.Detections.Should().ContainSingle().Subject;
        (detection.Key, detection.Type, detection.Principal).Should().Be(("policy/regression/0123456789ab", AclIncidents.PolicyRegression, null));
        detection.Violations.Should().Be(520);
        See(Delta("librarian", "library.books", Burst(20, 1, 90_000), allowedBefore: true)).Detections.Should().BeEmpty();
    }

    private Detection[] Regressions(double seconds) =>
        [.. _detector.Observe([Delta("librarian", "library.books", [T0.AddSeconds(seconds)], allowedBefore: true)], T0.AddSeconds(seconds)).Detections];

    [Fact]
    public void The_same_bad_policy_brought_out_again_later_is_a_new_regression()
    {
        var first = Regressions(0).Should().ContainSingle().Subject;
        Regressions(600).Should().BeEmpty("that is within the guard time");
        var again = Regressions(1_201).Should().ContainSingle().Subject;
        (again.Key, again.Type, again.Violations).Should().Be((first.Key, AclIncidents.PolicyRegression, 1L));
        (again.Episode == first.Episode, again.Number > first.Number).Should().Be((false, true));
        Regressions(1_202).Should().BeEmpty("once");
    }

    [Fact]
    public void A_regression_that_follows_the_end_of_its_incident_is_raised_again_but_not_each_second()
    {
        var first = Regressions(0).Should().ContainSingle().Subject;
        _detector.Over(first.Key, "another");
        Regressions(100).Should().BeEmpty("that was not its incident");
        _detector.Over(first.Key, first.Episode);
        for (var i = 101; i < 160; i++) Regressions(i).Should().BeEmpty();
        var again = Regressions(160).Should().ContainSingle().Subject;
        (again.Episode == first.Episode, again.Violations).Should().Be((false, 1L));
        Regressions(161).Should().BeEmpty("once");
    }

    [Fact]
    public void After_the_incident_is_over_it_counts_anew()
    {
        var first = See(Delta("rogue", "system.control", Burst(20), control: true)).Detections[^1];
        _detector.Over(first.Key, "another");
        See(Delta("rogue", "system.control", [T0.AddMilliseconds(30)], control: true)).Grew.Should().ContainSingle().Which.Violations.Should().Be(21);
        _detector.Over(first.Key, first.Episode);
        See(Delta("rogue", "system.control", Burst(4, 1, 40), control: true)).Detections.Should().BeEmpty();
        var again = See(Delta("rogue", "system.control", [T0.AddMilliseconds(50)], control: true)).Detections.Should().ContainSingle().Subject;
        (again.Violations, again.Episode == first.Episode).Should().Be((5L, false));
    }

    [Fact]
    public void A_flood_that_goes_on_unpunished_is_detected_again_but_not_at_each_message()
    {
        var count = 0;
        for (var i = 0; i < 300; i++) count += See(Delta("rogue", "t", Burst(20, 5, i * 100))).Detections.Count(x => x.Type == AclIncidents.SpamAttack);
        count.Should().Be(3); // at 0, 10 and 20 s of 30
    }

    [Fact]
    public void The_exempt_are_left_alone_until_it_ends()
    {
        _detector.Exempt("rogue", T0.AddHours(2));
        See(Delta("rogue", "t", Burst(20))).Detections.Should().BeEmpty();
        _detector.Exempt("rogue", null);
        See(Delta("rogue", "t", Burst(20))).Detections.Should().NotBeEmpty();
    }

    [Fact]
    public void A_million_principals_fit_in_a_bounded_table_and_what_falls_out_is_counted()
    {
        var detector = new AclDetector(new AclMonitorOptions { TableSize = 1_000 }, "e");
        for (var i = 0; i < 1_000_000; i++)
            detector.Observe([Delta($"p{i}", $"t{i}", [T0.AddMilliseconds(i * 10)])], T0.AddDays(1)).Detections.Should().BeEmpty();
        (detector.Subjects, detector.FellOut).Should().Be((2_000, 1_998_000L));
    }

    [Fact]
    public void A_window_agrees_with_the_naive_one_whatever_the_order() =>
        Gen.Select(Gen.Int[0, 4_000].Array[1, 80], Gen.Int[2, 8]).Sample((offsets, n) =>
        {
            var window = new SlidingWindow<byte>(n, TimeSpan.FromSeconds(1));
            var all = new List<long>();
            foreach (var offset in offsets)
            {
                var at = T0.UtcTicks + offset * TimeSpan.TicksPerMillisecond;
                all.Add(at);
                var naive = all.Where(x => x <= at && at - x < TimeSpan.TicksPerSecond).Any(start => all.Count(x => x >= start && x - start < TimeSpan.TicksPerSecond) >= n);
                var reached = window.Add(at, 0);
                if (reached != naive) return false;
                if (!reached) continue;
                window.Clear();
                all.Clear();
            }

            return true;
        });

    [Fact]
    public void The_bucket_agrees_with_the_naive_one() =>
        Gen.Int[0, 60].Array[1, 200].Sample(gaps =>
        {
            var bucket = new LeakyBucket();
            var (at, level, leakAt) = (T0.UtcTicks, 0, 0L);
            foreach (var gap in gaps)
            {
                at += gap * TimeSpan.TicksPerSecond;
                while (level > 0 && at >= leakAt + 30 * TimeSpan.TicksPerSecond) (level, leakAt) = (level - 1, leakAt + 30 * TimeSpan.TicksPerSecond);
                if (level == 0) leakAt = at;
                level = Math.Min(20, level + 1);
                if (bucket.Add(at, 1, 20, TimeSpan.FromMinutes(10)) != level >= 20) return false;
            }

            return true;
        });
}
