using Frazil.Iceberg;
using Frazil.Schemas;

namespace Frazil.Config;

/// <summary>What the columns of one [[tables]] entry make together: whether SQL and other engines can tell them apart, and what the table's format
/// can bring into them.</summary>
internal sealed class DeclaredColumns(ConfigErrors errors)
{
    /// <summary>Declared and Kafka columns as a table would have them.</summary>
    public static Schema SchemaOf(TableOptions table)
    {
        var ids = 0;
        var declared = table.Columns.Select(
            column => new NestedField(++ids, column.Key, false, IcebergTypeParser.Parse(column.Value, () => ++ids)));
        var kafka = table.KafkaColumns.Distinct(StringComparer.Ordinal).Where(TableKeys.KafkaColumnNames.Contains)
            .Select(name => new NestedField(++ids, name, false, KafkaColumnTypes.TypeOf(name, () => ++ids)));
        return new Schema(0, [.. declared, .. kafka]).WithFreshIds();
    }

    /// <summary>For columns of which each alone is sound.</summary>
    public void Validate(TableOptions table, string prefix)
    {
        var partitionFields = PartitionSpecParser.FieldNames(table.PartitionBy);
        var taken = table.KafkaColumns.ToList();
        foreach (var (name, notation) in table.Columns)
        {
            var type = IcebergTypeParser.Parse(notation);
            var names = NamesBelow(type, name).Prepend(name).ToList();
            if (new ColumnNames(taken, partitionFields).FindClash(names) is var (clash, why))
            {
                errors.Add($"{prefix}.{name}", notation, clash == name ? why : $"holds a field {clash}, which {why}", "");
            }
            if (table.Format == "json" && MapWithoutTextKeys(type) is { } map)
            {
                errors.Add(
                    $"{prefix}.{name}", notation, $"holds {map}, but the keys of a map in JSON are strings", "Write map<string, …>, or a list of structs");
            }
            taken.AddRange(names);
        }
    }

    private static IEnumerable<string> NamesBelow(IcebergType type, string path)
        => type.Fields.SelectMany(field => NamesBelow(field.Type, $"{path}.{field.Name}").Prepend($"{path}.{field.Name}"));

    private static IcebergType? MapWithoutTextKeys(IcebergType type)
        => type is MapType map && map.Key.Type != IcebergType.String ? type
            : type.Fields.Select(field => MapWithoutTextKeys(field.Type)).FirstOrDefault(static found => found is not null);
}
