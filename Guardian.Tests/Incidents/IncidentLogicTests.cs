using CsCheck;
using Guardian.Actors.Incidents;
using Guardian.Actors.Switches;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;
using Guardian.Tests.Playbooks.Execution;

namespace Guardian.Tests.Incidents;

public sealed class IncidentLogicTests
{
    private static readonly string Entity = IncidentKeys.Entity("k");
    private static readonly DateTimeOffset Now = RunFixture.Origin;

    internal static IncidentRaised Raised(long detection = 1, string episode = "e1", long? violations = 5, string type = RunFixture.IncidentType) => new()
    {
        Key = "k", Type = type, Node = "n1", At = Now, Subject = "rogue", Principal = "rogue", Detection = detection, Episode = episode, Violations = violations,
    };

    private static Playbook Book(string guards = "") => RunFixture.Load(guards + "steps:\n  - { id: ban, action: contain, with: { value: 1 } }");

    private static IncidentState Opened(IncidentState? from = null, long detection = 1) =>
        (from ?? IncidentState.Empty).Apply(IncidentLogic.Raise(from ?? IncidentState.Empty, Raised(detection), Entity, 5, Now)!);

    private static RunChoice Choose(IncidentState state, Playbook book, DateTimeOffset now, DateTimeOffset? seen = null) =>
        IncidentLogic.Choose(state, IncidentFields.Of(state, state.Counts.Total, seen ?? now), [book], seen ?? now, now);

    private static IncidentState Through(IncidentState state, RunPhase phase, DateTimeOffset at)
    {
        var run = (IncidentRunAssigned)Choose(state, Book(), at).Event!;
        state = state.Apply(run);
        return state.Apply(IncidentLogic.Settle(state, run.RunId, phase, "so", 5, at));
    }

    [Fact]
    public void A_repeat_changes_nothing_and_a_new_detection_joins()
    {
        var state = Opened();
        IncidentLogic.Raise(state, Raised(), Entity, 300, Now).Should().BeNull();
        var joined = IncidentLogic.Raise(state, Raised(2, type: "other"), Entity, 10, Now).Should().BeOfType<IncidentJoined>().Which;
        state = state.Apply(joined);
        (state.Occurrences, state.Counts.Total, state.Number).Should().Be((2, 10, 1));
        state.Rules.Should().Equal(RunFixture.IncidentType, "other");
        IncidentLogic.Raise(state, Raised(2), Entity, 10, Now).Should().BeNull();
    }

    [Theory]
    [InlineData(-5, 10, true)] // a monitor's clock that is a little behind
    [InlineData(20, 31, true)]
    [InlineData(31, 32, false)] // after the end
    [InlineData(-60, 31, false)] // a clock that goes wrong
    [InlineData(20, 100, false)]
    [InlineData(20, 20, false)] // the clock went back since the end
    public void What_is_told_late_is_covered_unless_a_clock_may_be_wrong(int at, int now, bool covered)
    {
        var state = Through(Opened(), RunPhase.Resolved, Now.AddSeconds(at == -5 ? 5 : 30));
        var late = Raised(2, "late") with { At = Now.AddSeconds(at) };
        IncidentLogic.IsCovered(state, late, Now.AddSeconds(now)).Should().Be(covered);
        IncidentLogic.IsCovered(state, late with { Violations = null }, Now.AddSeconds(now)).Should().BeFalse("nobody else saw it");
    }

    [Fact]
    public void What_the_monitors_of_several_nodes_tell_of_the_same_is_one_occurrence_and_one_count()
    {
        var state = IncidentState.Empty;
        void Tell(string monitor, long detection, long violations)
        {
            var raised = Raised(detection, "e-" + monitor, violations) with { Monitor = monitor };
            var counts = state.Counts.Seen(monitor, raised.Episode, violations);
            state = state.Apply(IncidentLogic.Raise(state, raised, Entity, counts.Total, Now)!);
        }

        foreach (var monitor in new[] { "n1", "n2", "n3" }) Tell(monitor, 1, 12);
        (state.Occurrences, state.Counts.Total, state.Recurred).Should().Be((1, 12, false));
        foreach (var monitor in new[] { "n3", "n2", "n1" }) Tell(monitor, 2, 30);
        (state.Occurrences, state.Counts.Total, state.Recurred).Should().Be((2, 30, true));
    }

    [Fact]
    public void After_it_settled_counts_do_not_reopen_it_but_a_new_detection_opens_the_next()
    {
        var state = Through(Opened(), RunPhase.Resolved, Now);
        IncidentLogic.Raise(state, Raised(violations: 300), Entity, 300, Now).Should().BeNull();
        state = state.Apply(new IncidentCounted { At = Now, IncidentId = state.Id, Violations = 300 });
        (state.State, state.Counts.Total).Should().Be(("resolved", 300));
        var next = Opened(state, detection: 2);
        (next.Number, next.State, next.Id).Should().Be((2, "open", IncidentKeys.Incident(Entity, 2)));
    }

    [Fact]
    public void A_disabled_playbook_is_passed_over_and_the_reason_says_who_disabled_it()
    {
        var state = Opened();
        var switches = new SwitchView();
        switches.Take(new PlaybookSwitch { Playbook = "test_playbook", Enabled = false, By = "ann", Reason = "too eager", At = Now });
        RunChoice ChooseAmong(params Playbook[] books) => IncidentLogic.Choose(state, IncidentFields.Of(state, 5, Now), books, Now, Now, switches);

        ChooseAmong(Book()).Event.Should().BeOfType<IncidentRunDeclined>().Which.Reason.Should().Be("playbook test_playbook fits but was disabled by ann: too eager");
        ChooseAmong(Book(), Book() with { Name = "z" }).Event.Should().BeOfType<IncidentRunAssigned>().Which.Playbook.Should().Be("z");
        switches.Take(switches.Of("test_playbook")! with { Enabled = true, At = Now.AddTicks(1) });
        ChooseAmong(Book()).Event.Should().BeOfType<IncidentRunAssigned>();
    }

    [Fact]
    public void Cooldown_declines_once_and_the_run_comes_when_it_is_over_if_it_still_fires()
    {
        var book = Book("guards: { cooldown: 60s }\n");
        var state = Opened(Through(Opened(), RunPhase.Resolved, Now), 2);
        var declined = Choose(state, book, Now);
        declined.RetryAt.Should().Be(Now.AddSeconds(60));
        state = state.Apply(declined.Event!.Should().BeOfType<IncidentRunDeclined>().Which);
        Choose(state, book, Now.AddSeconds(1)).Event.Should().BeNull();
        var later = Now.AddSeconds(61);
        Choose(state, book, later, later.AddSeconds(-5)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeFalse();
        Choose(state, book, later, Now).Event.Should().BeOfType<IncidentSettled>().Which.State.Should().Be("resolved");
    }

    [Fact]
    public void A_recurrence_on_an_escalated_incident_contains_at_once()
    {
        var book = Book("guards: { cooldown: 60s }\n");
        var state = Through(Opened(), RunPhase.Escalated, Now);
        state.Open.Should().BeTrue();
        Choose(state, book, Now).Event.Should().BeNull("nothing new was detected");
        state = state.Apply(IncidentLogic.Raise(state, Raised(2), Entity, 9, Now)!);
        Choose(state, book, Now).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeTrue();
        Choose(state, book, Now.AddSeconds(61)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeFalse();
    }

    [Fact]
    public void What_was_contained_on_an_escalated_incident_gets_its_full_run_after_the_cooldown_if_it_still_fires()
    {
        var book = Book("guards: { cooldown: 60s }\n");
        var state = Through(Opened(), RunPhase.Escalated, Now);
        state = state.Apply(IncidentLogic.Raise(state, Raised(2), Entity, 9, Now)!);
        var contained = (IncidentRunAssigned)Choose(state, book, Now.AddSeconds(10)).Event!;
        state = state.Apply(contained).Apply(IncidentLogic.Settle(state, contained.RunId, RunPhase.Escalated, "so", 9, Now.AddSeconds(20)));
        Choose(state, book, Now.AddSeconds(20)).Should().Be(new RunChoice(null, Now.AddSeconds(60)), "the cooldown counts from the last full run");
        Choose(state, book, Now.AddSeconds(61), Now.AddSeconds(50)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeFalse();
        Choose(state, book, Now.AddSeconds(61), Now.AddSeconds(20)).Event.Should().BeNull("it is quiet; people have it");
    }

    /// <summary>Invariant 3: whatever is raised, ended, lost and read back, one incident is open and one run active.</summary>
    [Fact]
    public void One_open_incident_and_one_active_run_in_every_history()
    {
        var book = Book("guards: { cooldown: 60s, maxRuns: [ { count: 3, per: 1h } ] }\n");
        RunPhase[] ends = [RunPhase.Resolved, RunPhase.Escalated, RunPhase.Cancelled, RunPhase.RolledBack];
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 40]).Array[1, 60].Sample(acts =>
        {
            List<IncidentEvent> journal = [];
            var state = IncidentState.Empty;
            var (now, detection) = (Now, 0);
            void Write(IncidentEvent? e)
            {
                if (e is null) return;
                journal.Add(e);
                state = state.Apply(e);
            }

            foreach (var (act, number) in acts)
            {
                switch (act)
                {
                    case 0: Write(IncidentLogic.Raise(state, Raised(++detection), Entity, detection, now)); break;
                    case 1: Write(IncidentLogic.Raise(state, Raised(Math.Max(1, detection - (number % 3))), Entity, detection, now)); break;
                    case 2 when state.Run is { } run: Write(IncidentLogic.Settle(state, run.RunId, ends[number % 4], "so", null, now)); break;
                    case 3: now += TimeSpan.FromSeconds(number); break;
                    case 4: state = journal.Aggregate(IncidentState.Empty, (s, e) => s.Apply(e)); break;
                }

                if (state.Raised is not null) Write(Choose(state, book, now).Event);
            }

            var (open, active) = (0, 0);
            HashSet<string> runs = [];
            foreach (var e in journal)
            {
                open += e is IncidentOpened ? 1 : e is IncidentSettled { State: not "escalated" } ? -1 : 0;
                active += e is IncidentRunAssigned ? 1 : e is IncidentSettled { RunId: not null } ? -1 : 0;
                if (e is IncidentRunAssigned x) runs.Add(x.RunId).Should().BeTrue("a run has an id of its own");
                open.Should().BeInRange(0, 1);
                active.Should().BeInRange(0, 1);
            }
        }, iter: 5_000);
    }

    [Fact]
    public void OnConflict_drop_counts_a_recurrence_during_the_run_as_dropped_and_knows_it_afterwards()
    {
        var book = Book("onConflict: drop\n");
        var state = Opened();
        state = state.Apply(Choose(state, book, Now).Event!);
        state = state.Apply(IncidentLogic.Raise(state, Raised(2), Entity, 9, Now)!);
        (state.Occurrences, state.Dropped, state.Recurred, state.Counts.Total).Should().Be((1, 1, false, 9));
        state = state.Apply(IncidentLogic.Settle(state, state.Run!.RunId, RunPhase.Resolved, "so", 9, Now));
        IncidentLogic.Raise(state, Raised(2), Entity, 9, Now).Should().BeNull("it was dropped, not forgotten");
    }

    [Fact]
    public void Past_the_quota_only_containment_acts()
    {
        var book = Book("guards: { maxRuns: [ { count: 1, per: 1h, scope: key } ] }\n");
        var state = Opened(Through(Opened(), RunPhase.Resolved, Now), 2);
        Choose(state, book, Now.AddMinutes(1)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeTrue();
        Choose(state, book, Now.AddHours(2)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeFalse();
    }

    /// <summary>A run that escalates at once must not be the reason for the next one.</summary>
    [Fact]
    public void Past_the_quota_what_an_escalated_incident_owes_waits_and_a_new_detection_is_contained()
    {
        var book = Book("guards: { cooldown: 10s, maxRuns: [ { count: 1, per: 1h, scope: key } ] }\n");
        var state = Through(Opened(), RunPhase.Escalated, Now);
        for (var detection = 2; detection < 5; detection++)
        {
            var at = Now.AddSeconds(20 * detection);
            state = state.Apply(IncidentLogic.Raise(state, Raised(detection), Entity, 9 * detection, at)!);
            var contained = Choose(state, book, at).Event.Should().BeOfType<IncidentRunAssigned>().Which;
            contained.ContainmentOnly.Should().BeTrue();
            state = state.Apply(contained).Apply(IncidentLogic.Settle(state.Apply(contained), contained.RunId, RunPhase.Escalated, "so", 9, at.AddSeconds(1)));
            Choose(state, book, at.AddSeconds(2)).Should().Be(new RunChoice(null, Now.AddHours(1)));
        }

        Choose(state, book, Now.AddHours(1).AddSeconds(1)).Event.Should().BeOfType<IncidentRunAssigned>().Which.ContainmentOnly.Should().BeFalse("it still fires");
    }

    /// <summary>A dead kernel is told once: after the cooldown it is as dead as before.</summary>
    [Fact]
    public void What_is_not_counted_is_not_over_because_nobody_tells_it_again()
    {
        var book = Book("guards: { cooldown: 60s }\n");
        IncidentState Once(IncidentState from, long detection) => from.Apply(IncidentLogic.Raise(from, Raised(detection, violations: null), Entity, null, Now)!);
        var state = Once(Through(Once(IncidentState.Empty, 1), RunPhase.Resolved, Now), 2);
        state = state.Apply(Choose(state, book, Now.AddSeconds(1), Now).Event.Should().BeOfType<IncidentRunDeclined>().Which);
        Choose(state, book, Now.AddSeconds(61), Now).Event.Should().BeOfType<IncidentRunAssigned>();
    }

    [Fact]
    public void Counts_neither_shrink_nor_multiply_over_nodes()
    {
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2], Gen.Long[0, 500]).Array[1, 40].Sample(reports =>
        {
            var counts = ViolationCounts.None;
            long last = 0;
            var best = new Dictionary<(int, int), long>();
            foreach (var (node, episode, count) in reports)
            {
                counts = counts.Seen($"n{node}", $"e{episode}", count);
                best[(node, episode)] = Math.Max(count, best.GetValueOrDefault((node, episode)));
                counts.Total.Should().BeGreaterThanOrEqualTo(last);
                last = counts.Total!.Value;
            }

            last.Should().Be(best.GroupBy(x => x.Key.Item1).Max(x => x.Sum(y => y.Value)));
        });
    }

    [Fact]
    public void A_snapshot_and_the_events_after_it_tell_what_all_events_tell()
    {
        var serializer = new Guardian.Actors.Serialization.GuardianSerializer(null!);
        IncidentState Written(IncidentState x) => (IncidentState)serializer.FromBinary(serializer.ToBinary(x), serializer.Manifest(x));
        string Text(IncidentState x) => System.Text.Encoding.UTF8.GetString(serializer.ToBinary(x));

        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 2], Gen.Long[0, 500]).Array[1, 40].SelectMany(x => Gen.Int[0, x.Length].Select(at => (Steps: x, At: at))).Sample(sample =>
        {
            var (whole, resumed) = (IncidentState.Empty, IncidentState.Empty);
            for (var i = 0; i < sample.Steps.Length; i++)
            {
                if (i == sample.At) resumed = Written(whole);
                var (what, node, count) = sample.Steps[i];
                var at = Now.AddSeconds(i);
                IncidentEvent? e = what switch
                {
                    0 or 1 => IncidentLogic.Raise(whole, Raised(i + 1, $"e{node}", count) with { Monitor = $"n{node}" }, Entity, whole.Counts.Seen($"n{node}", $"e{node}", count).Total, at),
                    2 when whole.Number > 0 => new IncidentCounted { At = at, IncidentId = whole.Id, Violations = count },
                    3 when whole.Run is { } run => IncidentLogic.Settle(whole, run.RunId, node == 0 ? RunPhase.Escalated : RunPhase.Resolved, "so", count, at),
                    _ => whole.Number == 0 ? null : Choose(whole, Book(), at).Event,
                };
                if (e is null) continue;
                whole = whole.Apply(e);
                if (i >= sample.At) resumed = resumed.Apply(e);
            }

            if (sample.At < sample.Steps.Length) Normal(Text(resumed)).Should().Be(Normal(Text(whole)));
        });

        // Tables have no order.
        static string Normal(string json) => string.Concat(json.Order());
    }

    [Fact]
    public void A_recurrence_on_an_escalated_incident_is_one_also_from_a_monitor_that_told_little_before()
    {
        var state = Opened();
        for (var detection = 2; detection <= 5; detection++)
            state = state.Apply(IncidentLogic.Raise(state, Raised(detection) with { Monitor = "n1" }, Entity, 5, Now)!);
        var run = (IncidentRunAssigned)Choose(state, Book(), Now).Event!;
        state = state.Apply(run).Apply(IncidentLogic.Settle(state.Apply(run), run.RunId, RunPhase.Escalated, "so", 5, Now));
        state = state.Apply(IncidentLogic.Raise(state, Raised(1, "e2") with { Monitor = "n2" }, Entity, 5, Now.AddSeconds(1))!);
        state.Recurred.Should().BeTrue("the node that told most is gone");
        Choose(state, Book(), Now.AddSeconds(1)).Event.Should().BeOfType<IncidentRunAssigned>();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Within_a_cooldown_only_what_nobody_will_call_over_is_over_by_being_quiet(bool tellsEnd)
    {
        var book = Book("guards: { cooldown: 5m }\n");
        var state = Through(Opened(), RunPhase.Resolved, Now);
        state = state.Apply(IncidentLogic.Raise(state, Raised(2) with { TellsEnd = tellsEnd }, Entity, 5, Now.AddSeconds(10))!);
        var (seen, cooled) = (Now.AddSeconds(10), Now.AddMinutes(5));
        state = state.Apply(Choose(state, book, seen, seen).Event!);
        var choice = Choose(state, book, cooled, seen).Event;
        if (tellsEnd) choice.Should().BeOfType<IncidentRunAssigned>("its monitor has not said that it is over");
        else choice.Should().BeOfType<IncidentSettled>();
    }

    private static IncidentState Escalated(string key, bool tellsEnd = false)
    {
        var raised = Raised() with { Key = key, TellsEnd = tellsEnd };
        return Through(IncidentState.Empty.Apply(IncidentLogic.Raise(IncidentState.Empty, raised, Entity, 5, Now)!), RunPhase.Escalated, Now.AddMinutes(5));
    }

    [Fact]
    public void An_attack_that_escalated_is_over_once_it_was_not_seen_for_an_hour()
    {
        var (state, hour) = (Escalated("acl/principal/rogue"), TimeSpan.FromHours(1));
        var ended = state.LastRunEndedAt!.Value;
        IncidentLogic.Quiet(state, Now, null, 5, hour, ended).Should().Be(new RunChoice(null, ended + hour), "people were told then");
        IncidentLogic.Quiet(state, ended.AddMinutes(10), null, 5, hour, ended + hour).Should().Be(new RunChoice(null, ended.AddMinutes(10) + hour), "it was seen since");
        var quiet = IncidentLogic.Quiet(state, Now, null, 7, hour, ended + hour).Event.Should().BeOfType<IncidentSettled>().Subject;
        (quiet.State, quiet.Reason, quiet.Violations, quiet.IncidentId).Should().Be(("resolved", "not seen again for 1h", 7L, state.Id));
        state.Apply(quiet).Open.Should().BeFalse();

        var restarted = ended.AddDays(1);
        IncidentLogic.Quiet(state, Now, restarted, 5, hour, restarted).Should().Be(new RunChoice(null, restarted + IncidentLogic.LateAtMost), "its monitors have not said yet what they saw");
    }

    [Theory]
    [InlineData("acl/principal/rogue", true)]
    [InlineData("kernel/n1/k", false)]
    [InlineData("resource/cpu/n1", true)]
    [InlineData("policy/regression/0123456789ab", false)]
    public void Where_silence_says_nothing_an_escalated_incident_stays(string key, bool tellsEnd) =>
        IncidentLogic.Quiet(Escalated(key, tellsEnd), Now, null, 5, TimeSpan.FromHours(1), Now.AddDays(30)).Should().Be(default(RunChoice));

    [Fact]
    public void What_did_not_escalate_or_has_a_run_is_not_ended_by_silence()
    {
        var opened = IncidentState.Empty.Apply(IncidentLogic.Raise(IncidentState.Empty, Raised() with { Key = "acl/principal/rogue" }, Entity, 5, Now)!);
        IncidentLogic.Quiet(opened, Now, null, 5, TimeSpan.FromHours(1), Now.AddDays(30)).Should().Be(default(RunChoice));
        var running = Escalated("acl/principal/rogue").Apply(IncidentLogic.Assigned(opened, Book(), "so", Now.AddDays(1)));
        IncidentLogic.Quiet(running, Now, null, 5, TimeSpan.FromHours(1), Now.AddDays(30)).Should().Be(default(RunChoice));
    }

    /// <summary>Nobody else would ever say so, and a playbook that is added days later would ban for something long past.</summary>
    [Fact]
    public void What_has_no_playbook_ends_once_it_is_quiet()
    {
        var opened = IncidentState.Empty.Apply(IncidentLogic.Raise(IncidentState.Empty, Raised() with { Key = "acl/principal/rogue" }, Entity, 5, Now)!);
        var declined = opened.Apply(new IncidentRunDeclined { At = Now, IncidentId = opened.Id, Reason = "no playbook" });
        IncidentLogic.Quiet(declined, Now.AddMinutes(5), null, 5, TimeSpan.FromHours(1), Now.AddMinutes(30)).Should().Be(new RunChoice(null, Now.AddMinutes(65)));
        IncidentLogic.Quiet(declined, Now.AddMinutes(5), null, 5, TimeSpan.FromHours(1), Now.AddMinutes(65)).Event.Should().BeOfType<IncidentSettled>().Which.State.Should().Be("resolved");
    }

    [Fact]
    public void One_kind_of_key_holds_at_most_three_quarters()
    {
        var open = new OpenIncidents(8);
        for (var i = 0; i < 6; i++) open.TryEnter($"acl/principal/{i}").Should().BeTrue();
        (open.TryEnter("acl/topic/t"), open.TryEnter("acl/principal/0"), open.Refused).Should().Be((false, true, 1L));
        open.Full("acl/topic/t").Should().StartWith("6 incidents are open, 6 of them of the kind 'acl', which may hold 6");
        (open.TryEnter("resource/cpu/n1"), open.TryEnter("kernel/n1/k"), open.TryEnter("bus/n1")).Should().Be((true, true, false), "eight are open");
        open.Leave("acl/principal/0");
        open.Leave("acl/principal/0");
        open.TryEnter("acl/topic/t").Should().BeTrue();
        open.Leave("kernel/n1/k");
        open.Restore("acl/principal/0");
        (open.Count, open.TryEnter("acl/principal/9")).Should().Be((8, false));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(1_000, 750)]
    public void A_share_is_never_nothing(int limit, int share)
    {
        var open = new OpenIncidents(limit);
        Enumerable.Range(0, limit).Count(i => open.TryEnter($"acl/principal/{i}")).Should().Be(share);
    }

    [Fact]
    public void At_the_cap_a_new_key_waits_and_is_counted()
    {
        var open = new OpenIncidents(1);
        (open.TryEnter("a"), open.TryEnter("a"), open.TryEnter("b")).Should().Be((true, true, false));
        open.Refused.Should().Be(1);
        open.Leave("a");
        open.TryEnter("b").Should().BeTrue();
    }
}
