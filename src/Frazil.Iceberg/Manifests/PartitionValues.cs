using System.Buffers.Binary;
using System.Text;
using Frazil.Iceberg.Avro;

namespace Frazil.Iceberg.Manifests;

/// <summary>Partition values in Avro.</summary>
internal static class PartitionValues
{
    /// <summary>Writes a value as the union of null and its type (<see cref="ManifestAvro"/>).</summary>
    public static void Write(AvroEncoder encoder, PrimitiveType type, IcebergValue value)
    {
        encoder.WriteBranch(!value.IsNull);
        if (value.IsNull)
            return;
        switch (type.ValueKind)
        {
            case ValueKind.Boolean:
                encoder.WriteBoolean(value.AsBoolean());
                break;
            case ValueKind.Int32:
                encoder.WriteInt(value.AsInt());
                break;
            case ValueKind.Int64:
                encoder.WriteLong(value.AsLong());
                break;
            case ValueKind.Float32:
                encoder.WriteFloat(value.AsFloat());
                break;
            case ValueKind.Float64:
                encoder.WriteDouble(value.AsDouble());
                break;
            case ValueKind.String:
                encoder.WriteString(value.AsString());
                break;
            case ValueKind.Uuid:
                Span<byte> uuid = stackalloc byte[16];
                value.CopyUuidTo(uuid);
                encoder.WriteRaw(uuid);
                break;
            case ValueKind.Decimal:
                Span<byte> bytes = stackalloc byte[16];
                BinaryPrimitives.WriteInt128BigEndian(bytes, value.AsUnscaledDecimal());
                encoder.WriteRaw(bytes[(16 - ManifestAvro.DecimalBytes(type.Precision))..]);
                break;
            default:
                if (type.Id == TypeId.Fixed)
                    encoder.WriteRaw(value.AsBinary());
                else
                    encoder.WriteBytes(value.AsBinary());
                break;
        }
    }

    /// <summary>Reads a value by the writer's schema and widens it to the type it has now (unknown: as the writer had it).</summary>
    public static IcebergValue Read(ref AvroDecoder decoder, AvroSchema written, PrimitiveType type)
    {
        var schema = decoder.Resolve(written);
        switch (schema.Kind)
        {
            case AvroKind.Null:
                return IcebergValue.Null;
            case AvroKind.Boolean:
                return decoder.ReadBoolean();
            case AvroKind.Int or AvroKind.Long:
                var number = decoder.ReadLong();
                var isLong = type.ValueKind == ValueKind.Int64 || (type.Id == TypeId.Unknown && schema.Kind == AvroKind.Long);
                return isLong ? IcebergValue.From(number) : IcebergValue.From(checked((int)number));
            case AvroKind.Float:
                var single = decoder.ReadFloat();
                return type.Id == TypeId.Double ? IcebergValue.From((double)single) : IcebergValue.From(single);
            case AvroKind.Double:
                return decoder.ReadDouble();
            case AvroKind.String:
                return OfBytes(Encoding.UTF8.GetBytes(decoder.ReadString()), schema, type);
            case AvroKind.Bytes:
                return OfBytes(decoder.ReadBytes(), schema, type);
            case AvroKind.Fixed:
                return OfBytes(decoder.Take(schema.Size), schema, type);
            default:
                throw new InvalidFormatException($"A partition value is stored as Avro {schema.Kind}, which no partition type is.");
        }
    }

    private static IcebergValue OfBytes(ReadOnlySpan<byte> bytes, AvroSchema schema, PrimitiveType type)
    {
        if (type.Id == TypeId.Decimal || (type.Id == TypeId.Unknown && schema.LogicalType == "decimal"))
            return IcebergValue.FromDecimal(SingleValue.ReadBigEndian(bytes), type.Id == TypeId.Decimal ? type.Scale : schema.Scale);
        if (type.Id == TypeId.Uuid || (type.Id == TypeId.Unknown && schema.LogicalType == "uuid"))
            return IcebergValue.FromUuid(bytes);
        return type.Id == TypeId.String || (type.Id == TypeId.Unknown && schema.Kind == AvroKind.String)
            ? Encoding.UTF8.GetString(bytes)
            : IcebergValue.From(bytes.ToArray());
    }
}

/// <summary>Collects nulls, NaNs and bounds of each partition field over the entries of a manifest.</summary>
internal sealed class PartitionSummaries(StructType partitionType)
{
    private readonly Field[] fields = new Field[partitionType.Fields.Count];

    public void Add(PartitionTuple partition)
    {
        for (var i = 0; i < fields.Length; i++)
            fields[i].Add(partition[i]);
    }

    public IReadOnlyList<PartitionFieldSummary> ToList() =>
        [.. fields.Select((field, i) => field.ToSummary((PrimitiveType)partitionType.Fields[i].Type))];

    private struct Field
    {
        private bool containsNull;
        private bool containsNaN;
        private IcebergValue lower;
        private IcebergValue upper;

        public void Add(IcebergValue value)
        {
            if (value.IsNull)
            {
                containsNull = true;
            }
            else if (value.IsNaN)
            {
                containsNaN = true;
            }
            else
            {
                if (lower.IsNull || value < lower)
                    lower = value;
                if (upper.IsNull || value > upper)
                    upper = value;
            }
        }

        public readonly PartitionFieldSummary ToSummary(PrimitiveType type) => new(
            containsNull, containsNaN, lower.IsNull ? null : SingleValue.Serialize(type, lower),
            upper.IsNull ? null : SingleValue.Serialize(type, upper));
    }
}
