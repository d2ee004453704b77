using System.Text.Json;

namespace Guardian.Actors.Chaos.Reports;

/// <summary><c>run.json</c>, schema <c>guardian.chaos/1</c>. Times are milliseconds after t0; null is: did not happen.</summary>
internal static class JsonReport
{
    public const string Schema = "guardian.chaos/1";

    public static void Write(Utf8JsonWriter json, ChaosReport report)
    {
        json.WriteStartObject();
        json.WriteString("schema", Schema);
        json.WriteString("startedAt", report.StartedAt.UtcDateTime);
        json.WriteString("version", report.Version);
        json.WriteNumber("seed", report.Seed);
        json.WriteString("target", report.Target);
        json.WriteString("replay", report.Replay);
        json.WriteString("verdict", report.Worst.Name());
        json.WriteNumber("exitCode", report.Worst.ExitCode());
        json.WriteNumber("passed", report.Passed);
        json.WriteNumber("total", report.Drills.Count);
        json.WriteStartArray("drills");
        foreach (var drill in report.Drills) Write(json, drill);
        json.WriteEndArray();
        json.WriteStartArray("skipped");
        foreach (var skipped in report.Skipped)
        {
            json.WriteStartObject();
            json.WriteString("scenario", skipped.Scenario);
            json.WriteString("missing", skipped.Missing);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DrillReport drill)
    {
        var (record, judgement) = (drill.Record, drill.Judgement);
        json.WriteStartObject();
        json.WriteString("scenario", drill.Plan.Scenario.Name);
        json.WriteString("title", drill.Plan.Scenario.Title);
        json.WriteNumber("repetition", drill.Repetition);
        json.WriteString("verdict", judgement.Verdict.Name());
        Texts(json, "reasons", judgement.Reasons);
        Clock(json, "detectMs", judgement.Clocks.Detect);
        Clock(json, "actMs", judgement.Clocks.Act);
        Clock(json, "recoverMs", judgement.Clocks.Recover);
        Clock(json, "resolveMs", judgement.Clocks.Resolve);
        Clock(json, "bannedMs", judgement.Clocks.Banned);
        Clock(json, "takenOverMs", judgement.Clocks.TakenOver);
        Clock(json, "recoverAfterWithdrawalMs", judgement.Clocks.RecoverAfterWithdrawal);
        Clock(json, "durationMs", record.Ended);
        Flood(json, record.Flood);
        json.WriteStartObject("load");
        json.WriteNumber("operations", record.Operations.Count);
        json.WriteNumber("operationsInFault", judgement.OperationsInFault);
        foreach (var outcome in Enum.GetValues<OperationOutcome>())
            json.WriteNumber(outcome.ToString().ToLowerInvariant(), record.Operations.Count(x => x.Outcome == outcome));
        json.WriteNumber("delivered", record.Deliveries.Count);
        json.WriteNumber("anomalies", judgement.Anomalies.Count);
        if (judgement.Latency is { } latency)
        {
            Clock(json, "p99QuietMs", latency.Quiet);
            Clock(json, "p99FaultMs", latency.Flooded);
            Clock(json, "p99LimitMs", latency.Limit);
        }

        json.WriteEndObject();
        Incidents(json, record);
        json.WriteStartArray("verify");
        foreach (var check in record.Verified)
        {
            json.WriteStartObject();
            json.WriteString("check", check.Check);
            json.WriteBoolean("passed", check.Passed);
            json.WriteString("explanation", check.Explanation);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Flood(Utf8JsonWriter json, FloodResult flood)
    {
        json.WriteStartObject("flood");
        json.WriteNumber("sent", flood.Sent);
        json.WriteNumber("refused", flood.Refused);
        json.WriteNumber("aclDenied", flood.AclDenied);
        json.WriteNumber("blacklisted", flood.Blacklisted);
        json.WriteNumber("limited", flood.Limited);
        json.WriteNumber("accepted", flood.Accepted);
        json.WriteNumber("delivered", flood.Delivered);
        json.WriteNumber("unknown", flood.Unknown);
        json.WriteBoolean("witnessed", flood.Witnessed);
        json.WriteEndObject();
    }

    private static void Incidents(Utf8JsonWriter json, DrillRecord record)
    {
        json.WriteStartArray("incidents");
        foreach (var x in record.Incidents)
        {
            json.WriteStartObject();
            json.WriteString("id", x.Id);
            json.WriteString("type", x.Type);
            json.WriteString("subject", x.Subject);
            json.WriteString("state", x.State);
            if (x.Violations is { } violations) json.WriteNumber("violations", violations);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("runs");
        foreach (var x in record.Runs)
        {
            json.WriteStartObject();
            json.WriteString("id", x.Id);
            json.WriteString("playbook", x.Playbook);
            json.WriteString("incident", x.Incident);
            json.WriteString("state", x.State);
            json.WriteStartObject("steps");
            foreach (var (id, state) in x.Steps) json.WriteString(id, state);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Texts(json, "banned", record.Banned.Keys);
    }

    private static void Clock(Utf8JsonWriter json, string name, TimeSpan? time)
    {
        if (time is { } value) json.WriteNumber(name, Math.Round(value.TotalMilliseconds, 1));
        else json.WriteNull(name);
    }

    private static void Texts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
