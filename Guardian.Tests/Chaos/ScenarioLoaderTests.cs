using Guardian.Actors.Chaos;

namespace Guardian.Tests.Chaos;

public class ScenarioLoaderTests
{
    private static string Shipped => Path.Combine(AppContext.BaseDirectory, "scenarios");

    [Fact]
    public void Shipped_scenarios_are_valid()
    {
        var loaded = ScenarioLoader.LoadDirectory(Shipped);
        loaded.Errors.Should().BeEmpty();
        loaded.Scenarios.Select(x => x.Name).Should().Contain(["S00_control", "S02_acl_spam", "S02_burst", "S02_forty", "S05_bus_crash", "S06_journal_locked", "S15_healer_killed"]);
    }

    /// <summary>What is to be seen within a second is not measured beside another drill, nor are failure detectors on a machine that is busy otherwise.</summary>
    [Fact]
    public void Drills_with_a_bound_of_a_second_and_clusters_have_the_machine_for_themselves()
    {
        var alone = ScenarioLoader.LoadDirectory(Shipped).Scenarios.Where(x => x.NeedsWholeHost).Select(x => x.Name).ToList();
        alone.Should().Contain(["S00_control", "S02_acl_spam", "S02_burst", "S03_cpu_runaway", "S07_node_killed", "S08_one_way"]).And.NotContain(["S02_forty", "S15_healer_killed"]);
    }

    [Fact]
    public void An_id_means_the_scenario_that_is_no_variant()
    {
        var all = ScenarioLoader.LoadDirectory(Shipped).Scenarios;
        Names(all, "S00", "S02").Should().Equal("S00_control", "S02_acl_spam");
        Names(all, "S02_burst", "S02_burst").Should().Equal("S02_burst");
        Names(all, "all").Should().HaveCount(all.Count);
        var unknown = () => ScenarioCatalog.Pick(all, ["S02_brust"]);
        unknown.Should().Throw<ArgumentException>().WithMessage("no scenario 'S02_brust'; did you mean 'S02_burst'?");
    }

    [Theory]
    [InlineData("resolveWithin: 10s", "resolvWithin: 10s", "test.yaml:21:3: ", "no key 'resolvWithin'; did you mean 'resolveWithin'?")]
    [InlineData("probe: bus.health", "probe: bus.helth", "test.yaml:5:14: ", "no probe 'bus.helth'; did you mean 'bus.health'?")]
    [InlineData("check: result.healthy", "check: result.helthy", "test.yaml:5:", "helthy")]
    [InlineData("check: result.healthy", "check: result.restarts", "test.yaml:5:", "needed here")]
    [InlineData("kind: bus.flood", "kind: disk.melt", "test.yaml:8:16: ", "no fault 'disk.melt'")]
    [InlineData("topic: system.control", "topic: system.>", "test.yaml:8:", "without wildcards")]
    [InlineData("ttl: 30s", "ttl: 30s, undo: none", "test.yaml:8:", "no key 'undo'")]
    [InlineData("load:", "node: { count: 9 }\nload:", "test.yaml:7:", "count")]
    [InlineData("load:", "node: { count: 3, journal: sqlite }\nload:", "test.yaml:7:", "several nodes need 'journal: postgres'")]
    [InlineData("load:", "node: { journal: oracle }\nload:", "test.yaml:7:", "'journal' is sqlite or postgres")]
    [InlineData("count: 100", "count: 0", "test.yaml:8:", "'count' must be 1 to 100000")]
    [InlineData("name: S02_acl_spam", "name: spam", "test.yaml:3:19: ", "not a scenario's name")]
    [InlineData("steadyState:", "node: { kernels: [ { name: k, type: proces } ] }\nsteadyState:", "test.yaml:4:37: ", "'type' must be one of")]
    [InlineData("resolveWithin: 10s", "resolveWithin: 10s\n  escalateWithin: 5s", "test.yaml:", "either 'resolveWithin' or 'escalateWithin'")]
    [InlineData("rate: 500/s", "rate: 500/s, warmUp: 2min", "test.yaml:", "warmUp")]
    [InlineData("with: { principal: rogue }", "with: { principle: rogue }", "test.yaml:", "needs 'principal'")]
    public void Mistakes_are_errors_with_their_place(string right, string wrong, string place, string message)
    {
        ChaosTexts.SpamText.Should().Contain(right);
        var index = ChaosTexts.SpamText.IndexOf(right, StringComparison.Ordinal);
        var text = ChaosTexts.SpamText[..index] + wrong + ChaosTexts.SpamText[(index + right.Length)..];
        var loaded = ScenarioLoader.Load([("test.yaml", text)]);
        loaded.Scenarios.Should().BeEmpty();
        loaded.Errors.Select(x => x.ToString()).Should().Contain(x => x.StartsWith(place, StringComparison.Ordinal) && x.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Kernels_of_the_node_are_written_as_the_file_that_they_would_be()
    {
        var text = ChaosTexts.SpamText.Replace("steadyState:", """
            node:
              kernels:
                - name: k
                  type: process
                  command: [sh, -c, "echo \"a: b\", # {data}"]
                  replicas: { count: 2, min: 0, max: 4 }
                  heartbeat: { every: 500ms, missAfter: 2s, probe: { http: http://127.0.0.1:1/x } }
            steadyState:
            """, StringComparison.Ordinal);
        var kernels = ChaosTexts.Read(text).NodeKernels!;
        var (read, errors) = Guardian.Actors.Kernels.KernelsFileReader.Read("kernels.yaml", kernels);
        errors.Should().BeEmpty();
        var kernel = read.Should().ContainSingle().Which;
        kernel.Process!.Command.Should().Equal("sh", "-c", "echo \"a: b\", # {data}");
        kernel.Replicas.Should().Be(new Guardian.Actors.Kernels.ReplicaSpec(2, 0, 4));
        (kernel.Heartbeat.MissAfter, kernel.Heartbeat.Probe.Target).Should().Be((TimeSpan.FromSeconds(2), "http://127.0.0.1:1/x"));
    }

    [Fact]
    public void A_fault_needs_evidence_and_no_fault_needs_a_duration()
    {
        Errors(ChaosTexts.SpamText.Replace("evidence:", "# ", StringComparison.Ordinal)).Should().ContainMatch("*needs 'evidence'*");
        Errors(ChaosTexts.ControlText.Replace("duration: 800ms", "", StringComparison.Ordinal)).Should().ContainMatch("*needs 'duration'*");
    }

    [Fact]
    public void Names_are_unique_and_variants_have_an_original()
    {
        var twice = ScenarioLoader.Load([("a.yaml", ChaosTexts.SpamText), ("b.yaml", ChaosTexts.SpamText)]);
        twice.Errors.Should().ContainSingle().Which.Message.Should().Contain("already the name");
        Errors(ChaosTexts.SpamText.Replace("title: flood", "title: flood, variantOf: S99_x", StringComparison.Ordinal)).Should().ContainMatch("*'S99_x', which does not exist*");
    }

    /// <summary>After a pause that holds up everybody, the principals do not send at once.</summary>
    [Theory]
    [InlineData(3, 3, 13)] // answered at once
    [InlineData(3, 12.9, 13)]
    [InlineData(3, 13, 13)] // just due
    [InlineData(3, 13.1, 23)] // a turn was missed
    [InlineData(3, 99, 103)]
    public void A_missed_turn_is_skipped_and_the_next_one_is_where_it_would_have_been(double turn, double now, double next) =>
        new ScenarioPlan(ChaosTexts.Spam(), 3).NextTurn(TimeSpan.FromMilliseconds(turn), TimeSpan.FromMilliseconds(now)).Should().Be(TimeSpan.FromMilliseconds(next));

    [Fact]
    public void A_plan_names_principals_topics_and_moments()
    {
        var plan = new ScenarioPlan(ChaosTexts.Spam(), 3);
        plan.LoadPrincipals.Should().Equal("load-01", "load-02", "load-03", "load-04", "load-05");
        plan.LoadTopic(1).Should().Be("library.books.02");
        plan.LoadPeriod.Should().Be(TimeSpan.FromMilliseconds(10));
        plan.Subject.Should().Be("rogue");
        (plan.Forbidden, plan.Lasts).Should().Be((100, TimeSpan.FromMilliseconds(400)));
        Enumerable.Range(0, 5).Select(plan.LoadOffset).Should().Equal(Enumerable.Range(0, 5).Select(new ScenarioPlan(ChaosTexts.Spam(), 3).LoadOffset));

        // Each principal has its own fifth of the period.
        Enumerable.Range(0, 5).Select(x => (int)(plan.LoadOffset(x) / TimeSpan.FromMilliseconds(2))).Should().Equal(0, 1, 2, 3, 4);

        var many = new ScenarioPlan(ChaosTexts.Spam(ChaosTexts.SpamText.Replace("principal: rogue, topic", "principal: rogue, principals: 40, topic", StringComparison.Ordinal)), 3);
        many.FaultPrincipals.Should().HaveCount(40).And.OnlyHaveUniqueItems();
        many.Subject.Should().Be("system.control");
    }

    private static IEnumerable<string> Errors(string text) => ScenarioLoader.Load([("test.yaml", text)]).Errors.Select(x => x.ToString());

    private static IEnumerable<string> Names(IReadOnlyList<Scenario> all, params string[] ids) => ScenarioCatalog.Pick(all, ids).Select(x => x.Name);
}
