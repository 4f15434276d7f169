using Frazil.Config;
using Frazil.Formats;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Schemas;

namespace Frazil.Commit;

/// <summary>What a new table is made of: declared and inferred columns, Kafka position columns, partitioning, properties.</summary>
internal sealed record TableDefinition(Schema Schema, PartitionSpec? Spec, IReadOnlyDictionary<string, string> Properties)
{
    /// <summary>Declared columns first where they were declared, then inferred ones as records named them, then Kafka columns.</summary>
    /// <exception cref="PipelineFailedException">A partition field names a column that is neither declared nor in the first records, or
    /// cannot be transformed so.</exception>
    public static TableDefinition From(TableOptions options, IReadOnlyList<SchemaAddition>? inferred)
    {
        var ids = 0;
        var fields = Declared(options, () => ++ids).ToList();
        foreach (var column in (inferred ?? []).Where(static addition => addition.ParentFieldId == 0))
        {
            fields.Add(new(++ids, column.Name, false, ColumnSchemas.ToIceberg(column.Type.ToColumnType(() => ++ids))));
        }
        fields.AddRange(Kafka(options, () => ++ids));
        var schema = new Schema(0, fields).WithFreshIds();
        return new(schema, ParseSpec(options, schema), KafkaColumns.Recorded(options.Properties, options.KafkaColumns));
    }

    /// <summary>The columns that stand before any record was seen: declared and Kafka ones. Ids are placeholders, unique among
    /// themselves.</summary>
    public static TableSchema Declared(TableOptions options)
    {
        var ids = 0;
        return new(new(0, [.. Declared(options, () => ++ids), .. Kafka(options, () => ++ids)]), options.KafkaColumns);
    }

    private static IEnumerable<NestedField> Declared(TableOptions options, Func<int> nextId)
        => options.Columns.Select(column => new NestedField(nextId(), column.Key, false, IcebergTypeParser.Parse(column.Value, nextId)));

    private static IEnumerable<NestedField> Kafka(TableOptions options, Func<int> nextId)
        => options.KafkaColumns.Select(name => new NestedField(nextId(), name, false, KafkaColumnTypes.TypeOf(name, nextId)));

    private static PartitionSpec? ParseSpec(TableOptions options, Schema schema)
    {
        if (options.PartitionBy.Count == 0)
        {
            return null;
        }
        try
        {
            return PartitionSpecParser.Parse(options.PartitionBy, schema);
        }
        catch (ValidationException error)
        {
            throw new PipelineFailedException(
                $"table {options.Name}: partition_by cannot be used: {error.Message} Declare the column under columns where the first records may lack it", error);
        }
    }
}
