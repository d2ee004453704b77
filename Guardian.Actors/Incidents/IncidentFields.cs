using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Guardian.Actors.Incidents;

/// <summary>What <c>incident.…</c> means in a playbook: the common fields, those of the type, and the evidence's members.</summary>
internal static class IncidentFields
{
    /// <summary>
    /// The fields as they are now; <paramref name="violations"/> is the live count. <paramref name="lastSeen"/>: null while a monitor that will
    /// say when it is over has not: it goes on. <paramref name="recovered"/>: since when this process follows what another opened; null where it did.
    /// </summary>
    public static JsonElement Of(IncidentState state, long? violations, DateTimeOffset? lastSeen, DateTimeOffset? recovered = null)
    {
        var raised = state.Raised ?? throw new InvalidOperationException("an incident has fields only once it was opened");
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            HashSet<string> written = new(StringComparer.Ordinal);
            json.WriteStartObject();
            Text("id", state.Id);
            Text("key", raised.Key);
            Text("type", raised.Type);
            Text("severity", raised.Severity);
            Text("node", raised.Node);
            Text("subject", raised.Subject);
            Time("openedAt", state.OpenedAt);
            Time("lastSeenAt", lastSeen);
            Time("recoveredAt", recovered);
            Number("occurrences", state.Occurrences);
            Text("principal", raised.Principal);
            Text("topic", raised.Topic);
            if (violations is { } count) Number("violations", count);
            written.Add("rules");
            json.WriteStartArray("rules");
            foreach (var rule in state.Rules) json.WriteStringValue(rule);
            json.WriteEndArray();
            if (raised.Evidence is { ValueKind: JsonValueKind.Object } evidence)
            {
                foreach (var member in evidence.EnumerateObject())
                {
                    if (written.Add(member.Name)) member.WriteTo(json);
                }
            }

            json.WriteEndObject();

            void Time(string name, DateTimeOffset? value) => Text(name, value?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));

            void Text(string name, string? value)
            {
                // A field without a value is absent, so that has() tells.
                if (value is null) return;
                written.Add(name);
                json.WriteString(name, value);
            }

            void Number(string name, long value)
            {
                written.Add(name);
                json.WriteNumber(name, value);
            }
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
