using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>
/// Builds a spec from what people write: <c>day(event_timestamp)</c>, <c>bucket(16, user_id)</c>, <c>truncate(10, page)</c>, a bare
/// column name for identity; dotted names reach into structs; <c>… as name</c> names the field. Default names are those of Iceberg's
/// Java library: <c>event_timestamp_day</c>, <c>user_id_bucket</c>, <c>page_trunc</c>, <c>x_null</c>.
/// </summary>
public static class PartitionSpecParser
{
    /// <param name="notations">One text a field.</param>
    /// <param name="schema">The schema to validate against.</param>
    /// <param name="specId">The id of the new spec; catalogs assign the final one.</param>
    /// <exception cref="ValidationException">Names every field that cannot be read or used, and what is wrong with it.</exception>
    public static PartitionSpec Parse(IReadOnlyList<string> notations, Schema schema, int specId = 0)
    {
        var problems = new List<string>();
        var spec = new PartitionSpec(specId, Parse(notations, schema, problems));
        problems.AddRange(spec.Problems(schema));
        return problems.Count == 0 ? spec : throw new ValidationException(string.Join(' ', problems));
    }

    /// <summary>The same without a look at whether the fields go together, or at their names: to compare them with a spec that
    /// exists.</summary>
    /// <exception cref="ValidationException">Names every field that cannot be read, or whose column the schema does not have.</exception>
    public static IReadOnlyList<PartitionField> ParseUnchecked(IReadOnlyList<string> notations, Schema schema)
    {
        var problems = new List<string>();
        var fields = Parse(notations, schema, problems);
        return problems.Count == 0 ? fields : throw new ValidationException(string.Join(' ', problems));
    }

    private static List<PartitionField> Parse(IReadOnlyList<string> notations, Schema schema, List<string> problems)
    {
        var fields = new List<PartitionField>();
        foreach (var notation in notations)
        {
            try
            {
                fields.Add(ParseField(notation, schema, fields));
            }
            catch (ValidationException error)
            {
                problems.Add(error.Message);
            }
        }
        return fields;
    }

    /// <summary>The names that the fields will have, whatever the schema: no column but a field's own source may be called so. Texts that
    /// cannot be read are passed over.</summary>
    public static IReadOnlyList<(string Name, string Column)> FieldNames(IReadOnlyList<string> notations)
    {
        var fields = new List<(string Name, string Column)>();
        foreach (var notation in notations)
        {
            try
            {
                var (column, transform, name) = ReadField(notation);
                fields.Add((name ?? DefaultName(column, transform, fields.Select(static field => field.Name)), column));
            }
            catch (ValidationException)
            {
                // Parse says what is wrong with it.
            }
        }
        return fields;
    }

    private static PartitionField ParseField(string notation, Schema schema, List<PartitionField> before)
    {
        var (column, transform, name) = ReadField(notation);
        var source = schema.FindField(column)
            ?? throw new ValidationException($"The partition field '{notation}' names the column '{column}', which the schema does not have. "
                + $"It has: {string.Join(", ", schema.Fields.Select(field => field.Name))}.");
        return new PartitionField(
            source.Id, PartitionSpec.NoLastPartitionId + 1 + before.Count,
            name ?? DefaultName(column, transform, before.Select(static field => field.Name)), transform);
    }

    private static (string Column, Transform Transform, string? Name) ReadField(string notation)
    {
        var reader = new NotationReader(notation, "partition field");
        var first = reader.TakeName(dotted: true);
        var column = first;
        var transform = Transform.Identity;
        if (reader.TryTake('('))
        {
            (transform, column) = ParseCall(ref reader, first);
            reader.Take(')');
        }
        var name = reader.TryTakeWord("as") ? reader.TakeName(dotted: false) : null;
        if (!reader.AtEnd)
            throw reader.Error("the text goes on after the field");
        return (column, transform, name);
    }

    private static (Transform Transform, string Column) ParseCall(ref NotationReader reader, string function)
    {
        switch (function.ToLowerInvariant())
        {
            case "identity":
                return (Transform.Identity, reader.TakeName(dotted: true));
            case "year" or "years":
                return (Transform.Year, reader.TakeName(dotted: true));
            case "month" or "months":
                return (Transform.Month, reader.TakeName(dotted: true));
            case "day" or "days":
                return (Transform.Day, reader.TakeName(dotted: true));
            case "hour" or "hours":
                return (Transform.Hour, reader.TakeName(dotted: true));
            case "void":
                return (Transform.Void, reader.TakeName(dotted: true));
            case "bucket":
                var count = reader.TakeNumber();
                reader.Take(',');
                return (Transform.Bucket(count), reader.TakeName(dotted: true));
            case "truncate":
                var width = reader.TakeNumber();
                reader.Take(',');
                return (Transform.Truncate(width), reader.TakeName(dotted: true));
            default:
                throw reader.Error($"'{function}' is not a transform (identity, bucket(N, c), truncate(W, c), year, month, day, hour, void); its arguments begin");
        }
    }

    private static string DefaultName(string column, Transform transform, IEnumerable<string> before)
    {
        var name = transform.Kind switch
        {
            TransformKind.Identity => column,
            TransformKind.Bucket => column + "_bucket",
            TransformKind.Truncate => column + "_trunc",
            TransformKind.Void => column + "_null",
            _ => $"{column}_{transform}",
        };
        return transform.Argument > 0 && before.Contains(name)
            ? string.Create(CultureInfo.InvariantCulture, $"{name}_{transform.Argument}")
            : name;
    }
}
