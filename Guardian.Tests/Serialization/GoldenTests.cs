using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Guardian.Actors.Persistence;
using Guardian.Actors.Serialization;
using Guardian.Tests.Playbooks;

namespace Guardian.Tests.Serialization;

/// <summary>
/// What was ever written to a journal or a wire stays readable: one file per manifest (<c>run-started.v1.json</c>), and a further one
/// (<c>run-started.v1.2.json</c>) for every later set of optional fields. A golden file is never edited, only added to.
/// </summary>
public sealed class GoldenTests
{
    private const string WriteVariable = "GUARDIAN_WRITE_GOLDEN";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static string Folder => Path.Combine(RepositoryFiles.Folder("Guardian.Tests"), "Serialization", "Golden");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.json").Select(x => Path.GetFileName(x)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_manifest_has_a_golden_file_with_every_member()
    {
        var missing = new List<string>();
        foreach (var (type, manifest) in GuardianSerializer.Known)
        {
            var files = Directory.GetFiles(Folder, "*.json").Where(x => ManifestOf(Path.GetFileName(x)) == manifest).ToList();
            var seen = files.SelectMany(x => JsonNode.Parse(File.ReadAllText(x))!.AsObject().Select(m => m.Key)).ToHashSet(StringComparer.Ordinal);
            var absent = GuardianSerializer.JsonOf(type).Properties.Where(IsWritten).Select(x => x.Name).Except(seen).ToList();
            if (files.Count > 0 && absent.Count == 0) continue;
            if (Environment.GetEnvironmentVariable(WriteVariable) == "1") Write(type, manifest, files.Count);
            else missing.Add(files.Count == 0 ? manifest : $"{manifest} lacks {string.Join(", ", absent)}");
        }

        missing.Should().BeEmpty($"run this test with {WriteVariable}=1 once, look at the new files, and commit them");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void What_was_written_is_read_back(string file)
    {
        var golden = File.ReadAllText(Path.Combine(Folder, file));

        var read = new GuardianSerializer(null!).FromBinary(System.Text.Encoding.UTF8.GetBytes(golden), ManifestOf(file));

        read.Should().NotBeOfType<UnreadableMessage>(read is UnreadableMessage x ? x.Reason : "");
        var again = JsonNode.Parse(new GuardianSerializer(null!).ToBinary(read));
        Lost("$", JsonNode.Parse(golden), again).Should().BeEmpty("a member that is read must not be forgotten");
    }

    /// <summary>Members of <paramref name="golden"/> that <paramref name="read"/> does not have, or has otherwise.</summary>
    private static IEnumerable<string> Lost(string path, JsonNode? golden, JsonNode? read) => (golden, read) switch
    {
        (JsonObject a, JsonObject b) => a.SelectMany(x => Lost($"{path}.{x.Key}", x.Value, b[x.Key])),
        (JsonArray a, JsonArray b) when a.Count == b.Count => a.SelectMany((x, i) => Lost($"{path}[{i}]", x, b[i])),
        _ => JsonNode.DeepEquals(golden, read) ? [] : [$"{path}: {golden?.ToJsonString()} became {read?.ToJsonString() ?? "nothing"}"],
    };

    private static string ManifestOf(string file)
    {
        var parts = file.Split('.');
        return $"{parts[0]}:{parts[1]}";
    }

    private static bool IsWritten(JsonPropertyInfo property) => property is { Get: not null } && (property.Set is not null || property.AssociatedParameter is not null);

    private static void Write(Type type, string manifest, int existing)
    {
        var name = manifest.Replace(':', '.') + (existing == 0 ? "" : $".{existing + 1}") + ".json";
        File.WriteAllText(Path.Combine(Folder, name), Sample(type.Name, GuardianSerializer.JsonOf(type), 0)!.ToJsonString(Indented) + "\n");
    }

    /// <summary>A value with every member set.</summary>
    private static JsonNode? Sample(string name, JsonTypeInfo json, int depth)
    {
        depth.Should().BeLessThan(12, $"{name} contains itself");
        var type = Nullable.GetUnderlyingType(json.Type) ?? json.Type;
        if (type == typeof(string)) return name;
        if (type == typeof(bool)) return true;
        if (type == typeof(int) || type == typeof(long)) return 7;
        if (type == typeof(double)) return 1.5;
        if (type == typeof(DateTimeOffset)) return "2026-01-02T03:04:05+00:00";
        if (type == typeof(TimeSpan)) return "00:00:05";
        if (type == typeof(Guid)) return "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
        if (type == typeof(JsonElement) || type == typeof(JsonNode)) return new JsonObject { ["any"] = 1 };
        if (type == typeof(byte[]) || type == typeof(ReadOnlyMemory<byte>)) return "AQI=";
        if (type.IsEnum) return JsonSerializer.SerializeToNode(Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1), json.Options.GetTypeInfo(type));
        return json.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonArray(Sample(name, json.Options.GetTypeInfo(json.ElementType!), depth + 1)),
            JsonTypeInfoKind.Dictionary => new JsonObject { ["key"] = Sample(name, json.Options.GetTypeInfo(json.ElementType!), depth + 1) },
            JsonTypeInfoKind.Object => new JsonObject(json.Properties.Where(IsWritten)
                .Select(x => KeyValuePair.Create(x.Name, Sample(x.Name, json.Options.GetTypeInfo(x.PropertyType), depth + 1)))),
            _ => JsonSerializer.SerializeToNode(Activator.CreateInstance(type), json.Options.GetTypeInfo(type)),
        };
    }
}
