using Frazil.Columnar;
using Frazil.DuckDb;

namespace Frazil.Query.Workers;

/// <summary>A schema as bytes for another process.</summary>
internal static class ColumnTypes
{
    public static void Write(ByteWriter writer, ColumnFields fields)
    {
        writer.Write(fields.Count);
        foreach (var field in fields)
        {
            writer.Write(field.Name);
            writer.Write(field.FieldId);
            writer.Write(field.Nullable);
            writer.Write((int)field.Type.Kind);
            writer.Write(field.Type.Precision);
            writer.Write(field.Type.Scale);
            writer.Write(field.Type.Width);
            Write(writer, field.Type.Fields);
        }
    }

    public static ColumnFields Read(ByteReader reader)
    {
        var fields = new ColumnField[reader.ReadCount(leastBytes: 32)];
        for (var index = 0; index < fields.Length; index++)
        {
            var (name, id, isNullable) = (reader.ReadText(), reader.ReadInt(), reader.ReadFlag());
            fields[index] = new(name, ReadType(reader), id, isNullable);
        }
        return new(fields);
    }

    private static ColumnType ReadType(ByteReader reader)
    {
        var (kind, precision, scale, width) = ((ColumnKind)reader.ReadInt(), reader.ReadInt(), reader.ReadInt(), reader.ReadInt());
        var fields = Read(reader);
        return kind switch
        {
            ColumnKind.Boolean => ColumnType.Boolean,
            ColumnKind.Int32 => ColumnType.Int32,
            ColumnKind.Int64 => ColumnType.Int64,
            ColumnKind.Float32 => ColumnType.Float32,
            ColumnKind.Float64 => ColumnType.Float64,
            ColumnKind.Decimal128 => ColumnType.Decimal128(precision, scale),
            ColumnKind.Date32 => ColumnType.Date32,
            ColumnKind.Time64 => ColumnType.Time64,
            ColumnKind.Timestamp => ColumnType.Timestamp,
            ColumnKind.TimestampTz => ColumnType.TimestampTz,
            ColumnKind.Utf8 => ColumnType.Utf8,
            ColumnKind.Binary => ColumnType.Binary,
            ColumnKind.FixedBinary => ColumnType.FixedBinary(width),
            ColumnKind.Uuid => ColumnType.Uuid,
            ColumnKind.Struct => ColumnType.Struct([.. fields]),
            ColumnKind.List => ColumnType.List(fields[0]),
            ColumnKind.Map => ColumnType.Map(fields[0], fields[1]),
            _ => throw new InvalidOperationException($"column kind {kind} is not known"),
        };
    }
}
