using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Node;

/// <summary>The whole node as a process with kernels that are real processes.</summary>
public sealed class KernelTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static async Task<NodeProcess> NodeAsync(string kernels)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("guardian-kernels-").FullName, "kernels.yaml");
        await File.WriteAllTextAsync(file, "apiVersion: guardian/v1\nkind: Kernels\nkernels:\n" + kernels);
        return await NodeProcess.StartAsync($"--Guardian:Files:Kernels={file}");
    }

    private static async Task<JsonElement> KernelAsync(NodeProcess node, string name, Func<JsonElement, bool> condition)
    {
        JsonElement kernel = default;
        await node.UntilAsync($"kernel {name}", async () =>
        {
            using var answer = await node.Http.GetAsync("/api/v1/kernels/" + name);
            if (answer.StatusCode != HttpStatusCode.OK) return false;
            kernel = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            return condition(kernel);
        }, Soon);
        return kernel;
    }

    private static async Task<string> SubmitAsync(NodeProcess node, string kernel, string body)
    {
        using var answer = await PostAsync(node, $"/api/v1/kernels/{kernel}/jobs", body);
        answer.StatusCode.Should().Be(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return Text(JsonElement.Parse(await answer.Content.ReadAsStringAsync()), "id")!;
    }

    private static async Task<JsonElement> EndedAsync(NodeProcess node, string kernel, string id)
    {
        JsonElement job = default;
        await node.UntilAsync($"job {id}", async () => Text(job = await node.GetAsync($"/api/v1/kernels/{kernel}/jobs/{id}"), "state") is not ("queued" or "running"), Soon);
        return job;
    }

    private static Task<JsonElement> RunningAsync(NodeProcess node, string name) => KernelAsync(node, name, x => Text(x, "state") == "running");

    private static async Task<JsonElement> IncidentAsync(NodeProcess node, string type, string state)
    {
        JsonElement found = default;
        await node.UntilAsync($"{type} {state}", async () =>
        {
            var all = (await node.ListAsync("/api/v1/incidents?limit=100")).Where(x => Text(x, "type") == type).ToList();
            if (all.Count == 0) return false;
            found = all.Should().ContainSingle().Subject;
            return Text(found, "state") == state;
        }, Soon);
        return found;
    }

    private static async Task<HttpResponseMessage> PostAsync(NodeProcess node, string path, string body = "{}") =>
        await node.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    private static string? Text(JsonElement x, string name) => x.GetProperty(name).GetString();

    private static ProcessIdentity Process(JsonElement kernel, int replica = 0)
    {
        var x = kernel.GetProperty("replicas")[replica];
        return new ProcessIdentity(x.GetProperty("pid").GetInt32(), x.GetProperty("startTime").GetInt64());
    }

    private static void Signal(ProcessIdentity process, string signal)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{signal}", process.Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    [LinuxFact]
    public async Task A_stopped_process_is_missed_and_replaced_and_never_wakes()
    {
        await using var node = await NodeAsync("  - { name: trainer, type: process, class: model_training, command: [sleep, '1000'], heartbeat: { every: 500ms, missAfter: 3s } }\n");
        var before = Process(await RunningAsync(node, "trainer"));
        Signal(before, "STOP");
        var incident = await IncidentAsync(node, "kernel.heartbeat_missed", "resolved");
        Text(incident, "key").Should().StartWith("kernel/").And.EndWith("/trainer");
        before.Alive.Should().BeFalse();
        var after = await RunningAsync(node, "trainer");
        Process(after).Should().NotBe(before);
        var run = (await node.ListAsync("/api/v1/runs")).Should().ContainSingle().Subject;
        Text(run, "playbook").Should().Be("kernel_heartbeat_gap");
        (await node.TerminateAsync()).Should().Be(0);
        Process(after).Alive.Should().BeFalse("an orderly end ends the kernels too");
    }

    [LinuxFact]
    public async Task A_crash_is_restarted_by_itself_and_a_crash_loop_escalates_once()
    {
        await using var node = await NodeAsync("""
              - { name: steady, type: process, criticality: critical, command: [sleep, '1000'] }
              - { name: loops, type: process, command: [sh, -c, "echo broken; exit 3"], restart: { max: 3, within: 1m, backoff: { initial: 10ms, max: 50ms } } }

            """);
        var before = Process(await RunningAsync(node, "steady"));
        Signal(before, "KILL");
        await KernelAsync(node, "steady", x => Text(x, "state") == "running" && Process(x) != before);

        var incident = await IncidentAsync(node, "kernel.crash_loop", "escalated");
        var loops = await KernelAsync(node, "loops", x => Text(x, "state") == "stopped");
        loops.GetProperty("restarts").GetInt64().Should().Be(4);
        File.ReadAllText(Path.Combine(node.DataDirectory, "kernels", "loops", "0", "stdout.log")).Should().StartWith("broken\n");
        (await node.ListAsync("/api/v1/incidents?limit=100")).Should().ContainSingle("a crash alone is no incident").Which.GetProperty("id").GetString().Should().Be(Text(incident, "id"));
        (await node.ListAsync("/api/v1/runs")).Should().ContainSingle().Which.GetProperty("playbook").GetString().Should().Be("kernel_crash_loop");
        (await node.CommandAsync("kernels")).Output.Should().Contain("loops").And.Contain("stopped");
    }

    [LinuxFact]
    public async Task A_node_is_ready_without_a_kernel_that_may_be_missing_and_not_without_a_critical_one()
    {
        const string Missing = "type: process, command: [/no/such/program], restart: { max: 2, within: 1m, backoff: { initial: 10ms, max: 20ms } } }\n";
        await using (var degraded = await NodeAsync("  - { name: extra, " + Missing)) await KernelAsync(degraded, "extra", x => Text(x, "state") is "crash_loop" or "stopped");
        var file = Path.Combine(Directory.CreateTempSubdirectory("guardian-kernels-").FullName, "kernels.yaml");
        await File.WriteAllTextAsync(file, "kernels:\n  - { name: db, criticality: critical, " + Missing);
        await using var node = NodeProcess.Prepare($"--Guardian:Files:Kernels={file}");
        await node.StartAgainAsync(waitReady: false);
        await node.UntilAsync("the reason, also once a playbook has stopped it", async () =>
        {
            using var answer = await node.Http.GetAsync("/api/v1/kernels/db");
            if (answer.StatusCode != HttpStatusCode.OK || Text(JsonElement.Parse(await answer.Content.ReadAsStringAsync()), "state") != "stopped") return false;
            var status = await node.GetAsync("/api/v1/status");
            return status.GetProperty("notReady").EnumerateArray().Any(x => x.GetString()!.Contains("critical kernel 'db' is not running", StringComparison.Ordinal));
        }, Soon);
        (await node.Http.GetAsync("/ready")).StatusCode.Should().Be(HttpStatusCode.InternalServerError);
    }

    [LinuxFact]
    public async Task After_kill_9_of_the_node_every_replica_lives_once()
    {
        await using var node = await NodeAsync("  - { name: k, type: process, command: [sleep, '1000'], replicas: { count: 2, min: 0, max: 4 } }\n");
        var before = await KernelAsync(node, "k", x => x.GetProperty("running").GetInt32() == 2);
        await node.KillAsync();
        Process(before, 0).Alive.Should().BeTrue();
        await node.StartAgainAsync();
        var after = await KernelAsync(node, "k", x => x.GetProperty("running").GetInt32() == 2);
        (Process(after, 0), Process(after, 1)).Should().Be((Process(before, 0), Process(before, 1)));

        using (var scaled = await PostAsync(node, "/api/v1/kernels/k/scale", """{ "change": -2 }""")) scaled.StatusCode.Should().Be(HttpStatusCode.Accepted);
        await KernelAsync(node, "k", x => x.GetProperty("running").GetInt32() == 0);
        using (var refused = await PostAsync(node, "/api/v1/kernels/k/scale", """{ "change": -1 }""")) refused.StatusCode.Should().Be(HttpStatusCode.Conflict);
        using (var unknown = await PostAsync(node, "/api/v1/kernels/kk/restart")) unknown.StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await node.CommandAsync("kernels", "restart", "k", "--reason", "test")).ExitCode.Should().Be(0);
        await KernelAsync(node, "k", x => x.GetProperty("running").GetInt32() == 2);
        (await node.TerminateAsync()).Should().Be(0);
    }

    [LinuxFact]
    public async Task A_pool_runs_declared_commands_and_says_how_they_ended()
    {
        await using var node = await NodeAsync("""
              - name: pool
                type: jobs
                criticality: critical
                workers: 2
                commands:
                  upper: [tr, a-z, A-Z]
                  fails: { command: [sh, -c, "echo attempt $GUARDIAN_ATTEMPT >&2; exit 4"], attempts: 2 }
                  sleeps: { command: [sleep, '1000'], timeout: 300ms }

            """);
        await RunningAsync(node, "pool");
        var upper = await EndedAsync(node, "pool", await SubmitAsync(node, "pool", """{ "command": "upper", "payload": "$(touch x); `id`", "priority": "high" }"""));
        (Text(upper, "state"), upper.GetProperty("exitCode").GetInt32(), Text(upper, "output")).Should().Be(("succeeded", 0, "$(TOUCH X); `ID`"));
        var fails = await EndedAsync(node, "pool", await SubmitAsync(node, "pool", """{ "command": "fails" }"""));
        (Text(fails, "state"), fails.GetProperty("exitCode").GetInt32(), fails.GetProperty("attempt").GetInt32(), Text(fails, "output")).Should().Be(("failed", 4, 2, "attempt 1\nattempt 2\n"));
        var sleeps = await EndedAsync(node, "pool", await SubmitAsync(node, "pool", """{ "command": "sleeps" }"""));
        (Text(sleeps, "state"), Text(sleeps, "reason")).Should().Be(("timed_out", "not done within 0.3 s"));
        using (var unknown = await PostAsync(node, "/api/v1/kernels/pool/jobs", """{ "command": "uper" }"""))
            (await unknown.Content.ReadAsStringAsync()).Should().Contain("did you mean 'upper'");
        using (var wrong = await PostAsync(node, "/api/v1/kernels/pool/jobs", """{ "command": "upper", "priority": 12 }""")) wrong.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        using (var nobody = await node.Http.GetAsync("/api/v1/kernels/pool/jobs/job-x")) nobody.StatusCode.Should().Be(HttpStatusCode.NotFound);
        var pool = await KernelAsync(node, "pool", x => x.GetProperty("jobs").GetProperty("over").GetInt32() == 3);
        var metrics = await node.Http.GetStringAsync("/metrics");
        metrics.Should().MatchRegex("guardian_kernel_jobs_ended[a-z_]*\\{[^}]*kernel=\"pool\"[^}]*outcome=\"failed\"[^}]*\\} 2").And.MatchRegex("guardian_kernel_state[a-z_]*\\{[^}]*state=\"running\"[^}]*\\} 1")
            .And.MatchRegex("guardian_kernel_heartbeat_age_seconds\\{[^}]*kernel=\"pool\"");
        pool.GetProperty("jobs").GetProperty("accepted").GetInt32().Should().Be(3);
    }

    [LinuxFact]
    public async Task What_fails_is_kept_with_its_payload_and_tried_again_on_command()
    {
        var flag = Path.Combine(Directory.CreateTempSubdirectory("guardian-jobs-").FullName, "flag");
        await using var node = await NodeAsync($"  - {{ name: pool, type: jobs, workers: 1, commands: {{ handle: {{ command: [sh, -c, \"test -e {flag} || kill -KILL $$\"], attempts: 3 }} }} }}\n");
        await RunningAsync(node, "pool");
        const string Payload = "poison ☠ \\\"$(x)\\\"\\n";
        var id = await SubmitAsync(node, "pool", $$"""{ "payload": "{{Payload}}" }""");
        var job = await EndedAsync(node, "pool", id);
        (Text(job, "state"), job.GetProperty("attempt").GetInt32()).Should().Be(("failed", 3));
        (await node.ListAsync("/api/v1/kernels/pool/jobs?state=failed")).Should().ContainSingle().Which.GetProperty("id").GetString().Should().Be(id);
        (await node.Http.GetStringAsync($"/api/v1/kernels/pool/jobs/{id}/payload")).Should().Be("poison ☠ \"$(x)\"\n");
        File.WriteAllText(flag, "");
        (await node.CommandAsync("kernels", "jobs", "pool", "--state", "failed")).Output.Should().Contain(id).And.Contain("exit code 137");
        (await node.CommandAsync("kernels", "retry", "pool", id)).Should().Match<(int ExitCode, string Output)>(x => x.ExitCode == 0 && x.Output.Contains(id));
        job = await EndedAsync(node, "pool", id);
        (Text(job, "state"), job.GetProperty("attempt").GetInt32()).Should().Be(("succeeded", 4));
        using (var twice = await PostAsync(node, $"/api/v1/kernels/pool/jobs/{id}/retry")) twice.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        using (var gone = await node.Http.GetAsync($"/api/v1/kernels/pool/jobs/{id}/payload")) gone.StatusCode.Should().Be(HttpStatusCode.NotFound);
        using (var wrong = await node.Http.GetAsync("/api/v1/kernels/pool/jobs?state=ended")) wrong.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [LinuxFact]
    public async Task An_accepted_job_survives_kill_9_of_the_node_and_is_done_once()
    {
        var log = Path.Combine(Directory.CreateTempSubdirectory("guardian-jobs-").FullName, "log");
        await using var node = await NodeAsync($"  - {{ name: pool, type: jobs, workers: 3, commands: {{ append: [sh, -c, \"read x; sleep 0.05; echo $x >> {log}\"] }} }}\n");
        await RunningAsync(node, "pool");
        var ids = new List<string>();
        for (var i = 0; i < 60; i++) ids.Add(await SubmitAsync(node, "pool", $$"""{ "payload": "line{{i}}\n" }"""));
        await node.UntilAsync("some are done", () => Task.FromResult(File.Exists(log) && File.ReadAllLines(log).Length >= 10), Soon);
        await node.KillAsync();
        await node.StartAgainAsync();
        foreach (var id in ids) Text(await EndedAsync(node, "pool", id), "state").Should().Be("succeeded");
        File.ReadAllLines(log).Should().BeEquivalentTo(Enumerable.Range(0, 60).Select(x => $"line{x}"), "each once");
        Directory.GetFiles(Path.Combine(node.DataDirectory, "kernels", "pool", "jobs")).Should().BeEmpty();
    }

    [LinuxFact]
    public async Task Paused_processes_stand_still_and_go_on_by_themselves_also_after_kill_9_of_the_node()
    {
        await using var node = await NodeAsync("  - { name: burner, type: process, command: [sh, -c, 'while :; do :; done'] }\n");
        var process = Process(await RunningAsync(node, "burner"));
        using (var paused = await PostAsync(node, "/api/v1/kernels/burner/pause", """{ "for": "10m", "reason": "test" }""")) paused.StatusCode.Should().Be(HttpStatusCode.OK, await paused.Content.ReadAsStringAsync());
        Stopped(process).Should().BeTrue();
        (await KernelAsync(node, "burner", _ => true)).GetProperty("state").GetString().Should().Be("paused");
        var mitigation = (await node.ListAsync("/api/v1/mitigations")).Should().ContainSingle().Subject;
        (Text(mitigation, "target"), Text(mitigation, "effect")).Should().Be(("kernel/burner", "pause"));
        using (var resumed = await PostAsync(node, "/api/v1/kernels/burner/resume")) resumed.StatusCode.Should().Be(HttpStatusCode.OK);
        Stopped(process).Should().BeFalse();
        (await node.ListAsync("/api/v1/mitigations")).Should().BeEmpty();

        using (var again = await PostAsync(node, "/api/v1/kernels/burner/pause", """{ "for": "1s" }""")) again.StatusCode.Should().Be(HttpStatusCode.OK);
        await node.UntilAsync("the lease's end", () => Task.FromResult(!Stopped(process)), Soon);
        using (var last = await PostAsync(node, "/api/v1/kernels/burner/pause", """{ "for": "10m" }""")) last.StatusCode.Should().Be(HttpStatusCode.OK);
        Stopped(process).Should().BeTrue();
        await node.KillAsync();
        await Await.UntilAsync(() => !Stopped(process), Soon);
        process.Alive.Should().BeTrue();
        await node.StartAgainAsync();
        Process(await RunningAsync(node, "burner")).Should().Be(process);
        (await node.ListAsync("/api/v1/incidents?limit=100")).Should().BeEmpty("what is paused is not missed");
        (await node.TerminateAsync()).Should().Be(0);
    }

    private static bool Stopped(ProcessIdentity process) => ProcessStat.TryRead(process.Pid, out var stat) && stat.Stopped;
}
