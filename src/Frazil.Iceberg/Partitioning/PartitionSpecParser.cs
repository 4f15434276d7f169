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
        var fields = new List<PartitionField>();
        var problems = new List<string>();
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
        var spec = new PartitionSpec(specId, fields);
        problems.AddRange(spec.Problems(schema));
        return problems.Count == 0 ? spec : throw new ValidationException(string.Join(' ', problems));
    }

    private static PartitionField ParseField(string notation, Schema schema, List<PartitionField> before)
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

        var source = schema.FindField(column)
            ?? throw new ValidationException($"The partition field '{notation}' names the column '{column}', which the schema does not have. "
                + $"It has: {string.Join(", ", schema.Fields.Select(field => field.Name))}.");
        return new PartitionField(
            source.Id, PartitionSpec.NoLastPartitionId + 1 + before.Count, name ?? DefaultName(column, transform, before), transform);
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

    private static string DefaultName(string column, Transform transform, List<PartitionField> before)
    {
        var name = transform.Kind switch
        {
            TransformKind.Identity => column,
            TransformKind.Bucket => column + "_bucket",
            TransformKind.Truncate => column + "_trunc",
            TransformKind.Void => column + "_null",
            _ => $"{column}_{transform}",
        };
        return before.Exists(field => field.Name == name) && transform.Argument > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{name}_{transform.Argument}")
            : name;
    }
}
