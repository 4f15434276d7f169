using System.Text.RegularExpressions;
using Frazil.Formats.Json;
using Frazil.Iceberg;

namespace Frazil.Config;

/// <summary>Checks a declared column type against Iceberg's notation, and guesses what other systems' names were meant to be.</summary>
internal static partial class ColumnTypeSyntax
{
    private static readonly string[] Types =
    [
        "boolean", "int", "long", "float", "double", "decimal", "date", "time", "timestamp", "timestamptz", "string", "uuid", "binary",
        "fixed",
        "list", "map", "struct",
    ];

    /// <summary>Known to Iceberg's format v3 only, which Frazil does not write.</summary>
    private static readonly TypeId[] NotWritten =
        [TypeId.TimestampNs, TypeId.TimestampTzNs, TypeId.Geometry, TypeId.Geography, TypeId.Variant, TypeId.Unknown];

    /// <summary>What is wrong with the type, or null.</summary>
    public static string? Problem(string text)
    {
        try
        {
            var type = IcebergTypeParser.Parse(text);
            return FindNotWritten(type) is { } found ? $"holds {found}, which is not supported yet"
                : ListLevels(type) > JsonSchemaInference.MaxListLevels ? $"holds more than {JsonSchemaInference.MaxListLevels} lists or maps in each other, which few readers of Parquet can read"
                : null;
        }
        catch (ValidationException exception)
        {
            return Words().Matches(text).Select(word => MeantBy(word.Value)).FirstOrDefault(meant => meant is not null) is { } suggestion
                ? $"is not an Iceberg type; did you mean {suggestion}?"
                : exception.Message.TrimEnd('.');
        }
    }

    private static string? FindNotWritten(IcebergType type) => type switch
    {
        StructType structure => structure.Fields.Select(field => FindNotWritten(field.Type)).FirstOrDefault(found => found is not null),
        ListType list => FindNotWritten(list.Element.Type),
        MapType map => FindNotWritten(map.Key.Type) ?? FindNotWritten(map.Value.Type),
        PrimitiveType primitive when NotWritten.Contains(primitive.Id) => primitive.ToString(),
        _ => null,
    };

    private static int ListLevels(IcebergType type)
        => (type is ListType or MapType ? 1 : 0) + type.Fields.Select(static field => ListLevels(field.Type)).DefaultIfEmpty().Max();

    private static string? MeantBy(string word) => word.ToLowerInvariant() switch
    {
        var known when Types.Contains(known) => null,
        "bigint" or "int64" => "long",
        "integer" or "int32" or "smallint" or "tinyint" => "int",
        "varchar" or "text" or "char" => "string",
        "bool" => "boolean",
        "datetime" => "timestamp",
        "bytes" or "blob" => "binary",
        "real" or "float32" => "float",
        "float64" => "double",
        "numeric" => "decimal(P, S)",
        var other => NearestName.Find(other, Types),
    };

    /// <summary>Words that stand where types do: not those before a colon, which name fields.</summary>
    [GeneratedRegex(@"[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_]|\s*:)")]
    private static partial Regex Words();
}
