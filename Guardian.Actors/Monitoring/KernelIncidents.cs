using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Actors.Incidents;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Monitoring;

/// <summary>Incident types of kernels, the key that they share, and how a finding becomes an incident.</summary>
internal static class KernelIncidents
{
    private const int LongestReason = 500; // a program's name may be long; evidence stays small

    public static string Key(string node, string kernel) => Playbooks.Model.BuiltInIncidents.KernelKey(node, kernel);

    public static IncidentRaised Missed(string node, HeartbeatSample sample, KernelView? kernel, TimeSpan silent, long number, string episode, DateTimeOffset at) =>
        Raise(BuiltInIncidents.HeartbeatMissed, node, sample.Kernel, kernel, number, episode, at, new JsonObject
        {
            ["replica"] = sample.Replica,
            ["epoch"] = sample.Epoch,
            ["silentMs"] = (long)silent.TotalMilliseconds,
            ["missAfterMs"] = (long)sample.MissAfter.TotalMilliseconds,
        });

    public static IncidentRaised CrashLoop(string node, KernelView kernel, long number, string episode, DateTimeOffset at) =>
        Raise(BuiltInIncidents.KernelCrashLoop, node, kernel.Name, kernel, number, episode, at, new JsonObject
        {
            ["restarts"] = kernel.Restarts,
            ["reason"] = (kernel.Reason ?? "unknown") is var reason && reason.Length > LongestReason ? reason[..LongestReason] : kernel.Reason ?? "unknown",
        });

    private static IncidentRaised Raise(string type, string node, string name, KernelView? kernel, long number, string episode, DateTimeOffset at, JsonObject evidence)
    {
        evidence["kernel"] = name;
        evidence["class"] = kernel?.Class ?? "unknown";
        evidence["criticality"] = kernel is null ? "unknown" : YamlValues.Snake(kernel.Criticality);
        using var document = JsonDocument.Parse(evidence.ToJsonString());
        return new IncidentRaised
        {
            Key = Key(node, name), Type = type, Node = node, At = at, Subject = name, Detection = number, Episode = episode,
            Severity = kernel?.Criticality switch { KernelCriticality.Critical => "critical", KernelCriticality.Background => "medium", _ => "high" },
            Evidence = document.RootElement.Clone(),
        };
    }
}
