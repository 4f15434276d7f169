namespace Frazil.Iceberg;

/// <summary>
/// Reads type notation: <c>long</c>, <c>decimal(10, 2)</c>, <c>fixed[16]</c>, <c>list&lt;string&gt;</c>, <c>map&lt;string, int&gt;</c>,
/// <c>struct&lt;a: int, b: required list&lt;string&gt;&gt;</c>. Names are bare words or in double quotes or backticks. Case of type
/// names does not count. Fields, elements and values are optional unless <c>required</c> or <c>not null</c> says otherwise.
/// </summary>
public static class IcebergTypeParser
{
    /// <param name="notation">The text.</param>
    /// <param name="nextId">Gives the id of each nested field, in the order they are numbered: all fields of a struct, then their
    /// children.</param>
    /// <exception cref="ValidationException">The text is no type; says where and what is expected.</exception>
    public static IcebergType Parse(string notation, Func<int> nextId)
    {
        var reader = new NotationReader(notation, "type");
        var unnumbered = ParseType(ref reader);
        if (!reader.AtEnd)
            throw reader.Error("the text goes on after the type");
        return FreshIds.AssignAny(unnumbered, nextId);
    }

    /// <summary>As the other overload, numbering nested fields from 1.</summary>
    public static IcebergType Parse(string notation)
    {
        var next = 1;
        return Parse(notation, () => next++);
    }

    /// <summary>A primitive type as table metadata spells it, or null where the text is none.</summary>
    internal static PrimitiveType? TryParsePrimitive(string notation)
    {
        var reader = new NotationReader(notation, "type");
        try
        {
            var type = ParseType(ref reader) as PrimitiveType;
            return reader.AtEnd ? type : null;
        }
        catch (ValidationException)
        {
            return null;
        }
    }

    private static IcebergType ParseType(ref NotationReader reader)
    {
        var name = reader.TakeName(dotted: false).ToLowerInvariant();
        switch (name)
        {
            case "struct":
                return ParseStruct(ref reader);
            case "list" or "array":
                reader.Take('<');
                var elementRequired = TakeRequired(ref reader);
                var element = ParseType(ref reader);
                elementRequired |= TakeNotNull(ref reader);
                reader.Take('>');
                return IcebergType.List(0, element, elementRequired);
            case "map":
                reader.Take('<');
                var key = ParseType(ref reader);
                reader.Take(',');
                var valueRequired = TakeRequired(ref reader);
                var value = ParseType(ref reader);
                valueRequired |= TakeNotNull(ref reader);
                reader.Take('>');
                return IcebergType.Map(0, key, 0, value, valueRequired);
            case "decimal":
                reader.Take('(');
                var precision = reader.TakeNumber();
                var scale = reader.TryTake(',') ? reader.TakeNumber() : 0;
                reader.Take(')');
                return IcebergType.Decimal(precision, scale);
            case "fixed":
                var close = reader.TryTake('[') ? ']' : ')';
                if (close == ')')
                    reader.Take('(');
                var length = reader.TakeNumber();
                reader.Take(close);
                return IcebergType.Fixed(length);
            case "geometry" or "geography":
                var id = name == "geometry" ? TypeId.Geometry : TypeId.Geography;
                return IcebergType.Geospatial(id, reader.TryTake('(') ? reader.TakeUntil(')') : "");
            default:
                return PrimitiveOf(name) ?? throw reader.Error($"'{name}' is not a type. Types are {KnownTypes}; the end of the name is");
        }
    }

    private const string KnownTypes = "boolean, int, long, float, double, decimal(P, S), date, time, timestamp, timestamptz, timestamp_ns, "
        + "timestamptz_ns, string, uuid, fixed[L], binary, struct<name: type, ...>, list<type>, map<type, type>";

    private static PrimitiveType? PrimitiveOf(string name) => name switch
    {
        "boolean" => IcebergType.Boolean,
        "int" => IcebergType.Int,
        "long" => IcebergType.Long,
        "float" => IcebergType.Float,
        "double" => IcebergType.Double,
        "date" => IcebergType.Date,
        "time" => IcebergType.Time,
        "timestamp" => IcebergType.Timestamp,
        "timestamptz" => IcebergType.TimestampTz,
        "timestamp_ns" => IcebergType.TimestampNs,
        "timestamptz_ns" => IcebergType.TimestampTzNs,
        "string" => IcebergType.String,
        "uuid" => IcebergType.Uuid,
        "binary" => IcebergType.Binary,
        "unknown" => IcebergType.Unknown,
        "variant" => IcebergType.Variant,
        _ => null,
    };

    private static StructType ParseStruct(ref NotationReader reader)
    {
        var fields = new List<NestedField>();
        reader.Take('<');
        if (reader.TryTake('>'))
            return new StructType(fields);
        do
        {
            var name = reader.TakeName(dotted: false);
            reader.Take(':');
            var required = TakeRequired(ref reader);
            var type = ParseType(ref reader);
            required |= TakeNotNull(ref reader);
            if (fields.Exists(field => field.Name == name))
                throw reader.Error($"the field name '{name}' repeats");
            fields.Add(new NestedField(0, name, required, type));
        }
        while (reader.TryTake(','));
        reader.Take('>');
        return new StructType(fields);
    }

    private static bool TakeRequired(ref NotationReader reader)
        => reader.TryTakeWord("required") || (reader.TryTakeWord("optional") && false);

    private static bool TakeNotNull(ref NotationReader reader)
    {
        if (!reader.TryTakeWord("not"))
            return false;
        return reader.TryTakeWord("null") ? true : throw reader.Error("'null' is expected");
    }
}
