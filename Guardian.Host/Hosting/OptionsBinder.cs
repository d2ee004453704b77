using System.Collections;
using System.ComponentModel;
using System.Globalization;
using Guardian.Actors.Hosting;

namespace Guardian.Host.Hosting;

/// <summary>
/// Binds the section <c>Guardian</c> and finds every value that does not convert, not just the first: one line per error,
/// naming the key. Unknown keys are warnings, so that a configuration for a newer version still starts.
/// </summary>
internal static class OptionsBinder
{
    public const string Section = "Guardian";

    public static (GuardianOptions Options, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings) Bind(IConfiguration configuration)
    {
        var errors = new List<string>();
        var warnings = new List<string>();
        var section = configuration.GetSection(Section);
        Check(section, typeof(GuardianOptions), errors, warnings);
        if (errors.Count > 0) return (new GuardianOptions(), errors, warnings);
        var options = new GuardianOptions();
        section.Bind(options);
        return (options, GuardianOptionsValidator.Validate(options), warnings);
    }

    private static void Check(IConfigurationSection section, Type type, List<string> errors, List<string> warnings)
    {
        var children = section.GetChildren().ToList();
        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type))
        {
            var element = type.GetGenericArguments()[^1];
            foreach (var child in children) CheckValue(child, element, errors, warnings);
            return;
        }

        var properties = type.GetProperties().Where(x => x.CanWrite).ToDictionary(x => x.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in children)
        {
            if (properties.TryGetValue(child.Key, out var property)) CheckValue(child, property.PropertyType, errors, warnings);
            else warnings.Add($"{child.Path}: unknown to this version and without effect; known here: {string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))}");
        }
    }

    private static void CheckValue(IConfigurationSection section, Type type, List<string> errors, List<string> warnings)
    {
        var actual = Nullable.GetUnderlyingType(type) ?? type;
        if (actual.IsClass && actual != typeof(string) || actual.IsInterface)
        {
            if (section.Value is { Length: > 0 } text) errors.Add($"{section.Path}: '{text}' given, but this is a section");
            else Check(section, actual, errors, warnings);
            return;
        }

        if (section.Value is not { } value)
        {
            if (section.GetChildren().Any()) errors.Add($"{section.Path}: is a single value, not a section");
            return;
        }

        if (actual == typeof(string) || value.Length == 0 && type != actual) return;
        if (!Converts(value, actual)) errors.Add($"{section.Path}: '{value}' is not {Expected(actual)}");
    }

    private static bool Converts(string value, Type type)
    {
        if (type.IsEnum) return Enum.GetNames(type).Contains(value, StringComparer.OrdinalIgnoreCase);
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, value) is not null;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Expected(Type type) =>
        type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type).Select(x => x.ToLowerInvariant()))
        : type == typeof(Guardian.Playbooks.Model.Duration) ? "a length of time; write a number and a unit, e.g. 200ms, 10s, 5m, 1h, 30d"
        : type == typeof(bool) ? "true or false"
        : type == typeof(DateTimeOffset) ? "a time, e.g. 2030-01-31T12:00:00Z"
        : type == typeof(int) ? "a whole number"
        : "a number";
}
