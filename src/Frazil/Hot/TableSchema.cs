using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Iceberg;

namespace Frazil.Hot;

/// <summary>One version of a table's schema, as hot chunks are laid out by it. Immutable; a new one replaces it when the schema
/// evolves.</summary>
internal sealed class TableSchema
{
    public TableSchema(Schema iceberg, IReadOnlyList<string> kafkaColumns)
    {
        Iceberg = iceberg;
        Columns = ColumnSchemas.FromIceberg(iceberg.Fields);
        // One that was dropped from the table by other hands is no longer filled.
        KafkaColumns = [.. kafkaColumns.Select(name => (name, Columns.IndexOfName(name))).Where(static column => column.Item2 >= 0)];
        var taken = KafkaColumns.Select(static column => column.Position).ToHashSet();
        ValueColumns = [.. Enumerable.Range(0, Columns.Count).Where(position => !taken.Contains(position))];
    }

    public Schema Iceberg { get; }

    public ColumnFields Columns { get; }

    /// <summary>Columns filled from the record's Kafka position, with their place in <see cref="Columns"/>.</summary>
    public ImmutableArray<(string Name, int Position)> KafkaColumns { get; }

    /// <summary>Places in <see cref="Columns"/> that the decoder fills from the record's value.</summary>
    public ImmutableArray<int> ValueColumns { get; }
}
