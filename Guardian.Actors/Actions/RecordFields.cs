using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions;

/// <summary>The fields that an input or output record declares, as the playbook language sees them.</summary>
internal static class RecordFields
{
    /// <summary>
    /// Public properties in order of declaration. Required: a <c>required</c> property, or a parameter of the record's
    /// constructor that is neither nullable nor has a default. The summary is the <see cref="DescriptionAttribute"/> on either.
    /// </summary>
    public static IReadOnlyList<FieldSpec> Of(Type record)
    {
        var nullability = new NullabilityInfoContext();
        var parameters = record.GetConstructors()
            .OrderByDescending(x => x.GetParameters().Length).FirstOrDefault()?.GetParameters()
            .ToDictionary(x => x.Name ?? "", StringComparer.OrdinalIgnoreCase) ?? [];
        return
        [
            .. record.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(x => x.CanRead && x.GetIndexParameters().Length == 0)
                .OrderBy(x => x.MetadataToken)
                .Select(x => Field(x, parameters.GetValueOrDefault(x.Name), nullability)),
        ];
    }

    private static FieldSpec Field(PropertyInfo property, ParameterInfo? parameter, NullabilityInfoContext nullability)
    {
        var nullable = nullability.Create(property).ReadState == NullabilityState.Nullable;
        var required = property.IsDefined(typeof(RequiredMemberAttribute))
            || (!nullable && parameter is { HasDefaultValue: false });
        var summary = property.GetCustomAttribute<DescriptionAttribute>()?.Description
            ?? parameter?.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
        return new FieldSpec(JsonNamingPolicy.CamelCase.ConvertName(property.Name), TypeOf(property.PropertyType), required, summary)
        {
            Secret = property.IsDefined(typeof(SecretAttribute)),
            Rule = property.IsDefined(typeof(LiteralOriginAttribute)) ? InputRule.LiteralOrigin
                : property.IsDefined(typeof(WithinTimeoutAttribute)) ? InputRule.WithinTimeout : property.GetCustomAttribute<ProbeAttribute>()?.Rule ?? InputRule.None,
            Values = (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) is { IsEnum: true } values
                ? [.. Enum.GetNames(values).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)]
                : [.. property.GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<string>() ?? []],
        };
    }

    private static FieldType TypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(bool)) return FieldType.Bool;
        if (type == typeof(int) || type == typeof(long) || type == typeof(short) || type == typeof(byte) || type == typeof(uint)) return FieldType.Int;
        if (type == typeof(double) || type == typeof(float) || type == typeof(decimal)) return FieldType.Double;
        if (type == typeof(string) || type == typeof(DateTimeOffset) || type == typeof(Guid) || type == typeof(Uri) || type.IsEnum) return FieldType.String;
        if (type == typeof(Duration) || type == typeof(TimeSpan)) return FieldType.Duration;
        if (type == typeof(Rate)) return FieldType.Rate;
        if (type == typeof(ByteSize)) return FieldType.Size;
        if (type == typeof(Percentage)) return FieldType.Percentage;
        if (type == typeof(object) || type == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(type)) return FieldType.Any;
        if (IsDictionary(type)) return FieldType.Object;
        return typeof(IEnumerable).IsAssignableFrom(type) ? FieldType.List : FieldType.Object;
    }

    private static bool IsDictionary(Type type) => typeof(IDictionary).IsAssignableFrom(type)
        || type.GetInterfaces().Append(type).Any(x => x.IsGenericType && x.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>));
}
