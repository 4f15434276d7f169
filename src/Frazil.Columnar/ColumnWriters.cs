namespace Frazil.Columnar;

/// <summary>Builds the writer that a column's kind has.</summary>
internal static class ColumnWriters
{
    public static ColumnWriter[] Create(ColumnFields fields, ChunkMemory memory, ChunkSizing sizing, int values)
        => [.. fields.Select(field => Create(field, memory, sizing, values))];

    private static ColumnWriter Create(ColumnField field, ChunkMemory memory, ChunkSizing sizing, int parentValues)
    {
        var values = sizing.ValuesOf(field.FieldId, parentValues);
        switch (field.Type.Kind)
        {
            case ColumnKind.Boolean:
                return new BooleanWriter(field, memory, values);
            case ColumnKind.Int32 or ColumnKind.Date32:
                return new FixedWriter<int>(field, memory, values);
            case ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz
                or ColumnKind.TimestampNs or ColumnKind.TimestampTzNs:
                return new FixedWriter<long>(field, memory, values);
            case ColumnKind.Float32:
                return new FixedWriter<float>(field, memory, values);
            case ColumnKind.Float64:
                return new FixedWriter<double>(field, memory, values);
            case ColumnKind.Decimal128:
                return new FixedWriter<Int128>(field, memory, values);
            case ColumnKind.FixedBinary or ColumnKind.Uuid:
                return new FixedBytesWriter(field, memory, values);
            case ColumnKind.Utf8 or ColumnKind.Binary:
                return new BytesWriter(field, memory, values, sizing.BytesOf(field.FieldId, values));
            case ColumnKind.Struct:
                return new StructWriter(field, memory, values, Create(field.Type.Fields, memory, sizing, values));
            case ColumnKind.List or ColumnKind.Map:
                return new ListWriter(field, memory, values, Create(field.Type.Fields, memory, sizing, values));
            default:
                throw new NotSupportedException($"column {field}: kind {field.Type.Kind} has no writer");
        }
    }
}
