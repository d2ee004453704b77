using System.Net.Http.Json;
using Guardian.Tests.Notifications;

namespace Guardian.Tests.Node;

/// <summary>A whole node with a real Alertmanager: an incident that escalates is an alert until people close it.</summary>
public sealed class AlertmanagerNodeTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _playbooks = Directory.CreateTempSubdirectory("guardian-alerts-");

    public void Dispose() => _playbooks.Delete(recursive: true);

    [AlertmanagerFact]
    public async Task An_alert_fires_while_its_incident_is_open_and_is_resolved_with_it()
    {
        await File.WriteAllTextAsync(Path.Combine(_playbooks.FullName, "tell.yaml"), """
            apiVersion: guardian/v1
            kind: Playbook
            metadata: { name: tell, version: 1 }
            trigger: [ { event: message_bus.acl_violation.control_topic_flood }, { event: message_bus.acl_violation.spam_attack } ]
            vars: { channel: operations }
            steps:
              - { id: tell, action: notify, with: { channel: operations, text: "${incident.subject} floods", severity: high }, undo: auto }
            verify:
              - { id: never, probe: http.get, with: { url: /no-such-path }, check: result.status == 200, every: 200ms, within: 1s }
            """);
        await using var alertmanager = await Alertmanager.StartAsync();
        await using var node = await NodeProcess.StartAsync($"--Guardian:Files:Playbooks={_playbooks.FullName}", $"--Guardian:Notifications:Channels:operations:Alertmanager={alertmanager.Url}");
        for (var i = 0; i < 12; i++) (await node.PublishAsync("visitor", "system.control")).Dispose();

        await node.UntilAsync("escalated", async () => (await node.ListAsync("/api/v1/incidents?limit=10")).Any(x => x.GetProperty("state").GetString() == "escalated"), Soon);
        await node.UntilAsync("firing", async () => (await alertmanager.FiringAsync()).Length > 0, Soon);
        (await alertmanager.FiringAsync()).Should().OnlyContain(x => x.GetProperty("labels").GetProperty("incident").GetString() == "acl/principal/visitor"
            && x.GetProperty("labels").GetProperty("playbook").GetString() == "tell" && x.GetProperty("status").GetProperty("state").GetString() == "active");

        await node.KillAsync(); // what was told is in the journal
        await node.StartAgainAsync();
        var incident = (await node.ListAsync("/api/v1/incidents?limit=10")).Single(x => x.GetProperty("state").GetString() == "escalated");
        await node.UntilAsync("closed", async () =>
        {
            using var answer = await node.Http.PostAsJsonAsync($"/api/v1/incidents/{incident.GetProperty("id").GetString()}/close", new { reason = "done" });
            return answer.IsSuccessStatusCode;
        }, Soon);
        await node.UntilAsync("resolved", async () => (await alertmanager.FiringAsync()).Length == 0, Soon);
    }
}
