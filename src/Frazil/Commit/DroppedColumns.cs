using Frazil.Config;
using Frazil.Formats;
using Frazil.Iceberg;

namespace Frazil.Commit;

/// <summary>A field that the configuration declares and the table does not have (any more).</summary>
/// <param name="ParentFieldId">Field id of the struct to add it to; 0 for the table itself.</param>
/// <param name="Path">Where records have it; <c>null</c> stands for every element of an array, or value of a map.</param>
/// <param name="Type">As declared.</param>
internal sealed record DroppedColumn(int ParentFieldId, IReadOnlyList<string?> Path, IcebergType Type)
{
    public string Name => Path[^1]!;
}

/// <summary>
/// Another engine may drop, or rename, what the configuration declares. When records bring such a field again it comes back with its
/// declared type, not with the one that its values look like.
/// </summary>
internal static class DroppedColumns
{
    /// <summary>All of them; of one that is missing as a whole, not what is below it.</summary>
    public static List<DroppedColumn> Find(Schema schema, TableOptions options)
    {
        var found = new List<DroppedColumn>();
        foreach (var (name, notation) in options.Columns)
        {
            Compare(0, schema.Fields, [name], IcebergTypeParser.Parse(notation), found);
        }
        return found;
    }

    /// <summary>Those that the samples have values of.</summary>
    public static List<DroppedColumn> In(RecordSamples samples, IReadOnlyCollection<DroppedColumn> dropped)
    {
        var there = samples.WithValues([.. dropped.Select(static column => column.Path)]);
        return [.. dropped.Where(column => there.Contains(column.Path))];
    }

    private static void Compare(int parentId, IReadOnlyList<NestedField> siblings, IReadOnlyList<string?> path, IcebergType declared, List<DroppedColumn> found)
    {
        if (siblings.FirstOrDefault(field => field.Name == path[^1]) is { } actual)
        {
            Compare(actual, path, declared, found);
        }
        else
        {
            found.Add(new(parentId, path, declared));
        }
    }

    private static void Compare(NestedField actual, IReadOnlyList<string?> path, IcebergType declared, List<DroppedColumn> found)
    {
        switch (actual.Type, declared)
        {
            case (StructType now, StructType then):
                foreach (var field in then.Fields)
                {
                    Compare(actual.Id, now.Fields, [.. path, field.Name], field.Type, found);
                }
                break;
            case (ListType now, ListType then):
                Compare(now.Element, [.. path, null], then.Element.Type, found);
                break;
            case (MapType now, MapType then):
                Compare(now.Value, [.. path, null], then.Value.Type, found);
                break;
            default:
                break; // there, whatever its type
        }
    }
}
