using System.Text;
using Frazil.DuckDb;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain;

/// <summary>Where the rows of a file stand, as far as its manifest entry tells.</summary>
internal enum RangePlace
{
    /// <summary>None can be in the range.</summary>
    Outside,
    /// <summary>All are.</summary>
    Inside,
    /// <summary>Only the rows themselves can tell.</summary>
    Straddling,
}

/// <summary>Rows of a table by their place in Kafka: a range of offsets, both ends included, of one partition.</summary>
/// <param name="Topic">The topic, where the table's rows come from several; null where they can only come from one.</param>
internal sealed record KafkaRange(string? Topic, int Partition, long First, long Last)
{
    /// <summary>Reads the bounds of a manifest entry; what it does not say counts as straddling.</summary>
    public RangePlace PlaceOf(DataFile file, Schema schema)
    {
        var partition = Bounds.Of(file, schema, KafkaColumns.Partition);
        var offset = Bounds.Of(file, schema, KafkaColumns.Offset);
        var topic = TopicPlace(file, schema);
        if (partition.IsApart(Partition, Partition) || offset.IsApart(First, Last) || topic == RangePlace.Outside)
        {
            return RangePlace.Outside;
        }
        return partition.IsWithin(Partition, Partition) && offset.IsWithin(First, Last) && topic == RangePlace.Inside
            ? RangePlace.Inside
            : RangePlace.Straddling;
    }

    /// <summary>The lowest and the highest offset of a file all of whose rows are of this partition and topic; null where its manifest entry does
    /// not tell.</summary>
    public (long First, long Last)? OffsetsOf(DataFile file, Schema schema)
    {
        var (partition, offset) = (Bounds.Of(file, schema, KafkaColumns.Partition), Bounds.Of(file, schema, KafkaColumns.Offset));
        return partition.IsWithin(Partition, Partition) && TopicPlace(file, schema) == RangePlace.Inside && offset is { Lower: { } first, Upper: { } last, HasNoNull: true }
            ? (first, last)
            : null;
    }

    /// <summary>SQL for a row's offset where it is of this partition (and topic), within the range or not; else -1. In terms of the table's
    /// columns.</summary>
    public string OffsetExpression(Schema schema)
    {
        var condition = $"{SqlText.Identifier(KafkaColumns.Partition)} = {Partition}";
        if (Topic is not null)
        {
            condition += schema.FindField(KafkaColumns.Topic) is not null
                ? $" AND {SqlText.Identifier(KafkaColumns.Topic)} = {SqlText.Literal(Topic)}"
                : " AND false";
        }
        return $"CASE WHEN {condition} THEN coalesce(CAST({SqlText.Identifier(KafkaColumns.Offset)} AS BIGINT), -1) ELSE -1 END";
    }

    public bool Contains(long offset) => offset >= First && offset <= Last;

    /// <summary>Bounds of texts may be cut short, so only equal ones say that all rows are of one topic.</summary>
    private RangePlace TopicPlace(DataFile file, Schema schema)
    {
        if (Topic is null)
        {
            return RangePlace.Inside;
        }
        if (schema.FindField(KafkaColumns.Topic) is not { } field || file.LowerBounds is not { } lowers || file.UpperBounds is not { } uppers
            || !lowers.TryGetValue(field.Id, out var lower) || !uppers.TryGetValue(field.Id, out var upper))
        {
            return RangePlace.Straddling;
        }
        var name = Encoding.UTF8.GetBytes(Topic).AsSpan();
        if (name.SequenceCompareTo(lower) < 0 || name.SequenceCompareTo(upper) > 0)
        {
            return RangePlace.Outside;
        }
        return name.SequenceEqual(lower) && name.SequenceEqual(upper) && file.NullValueCounts?.GetValueOrDefault(field.Id, -1) == 0
            ? RangePlace.Inside
            : RangePlace.Straddling;
    }

    /// <summary>What a manifest entry says of a column of whole numbers.</summary>
    private readonly record struct Bounds(long? Lower, long? Upper, bool HasNoNull)
    {
        public static Bounds Of(DataFile file, Schema schema, string column)
        {
            if (schema.FindField(column) is not { Type: PrimitiveType type } field)
            {
                return default;
            }
            return new(
                Read(file.LowerBounds, field.Id, type), Read(file.UpperBounds, field.Id, type),
                file.NullValueCounts?.GetValueOrDefault(field.Id, -1) == 0);
        }

        public bool IsApart(long first, long last) => Upper < first || Lower > last;

        public bool IsWithin(long first, long last) => Lower >= first && Upper <= last && HasNoNull;

        private static long? Read(FieldMap<byte[]>? bounds, int fieldId, PrimitiveType type)
            => bounds is not null && bounds.TryGetValue(fieldId, out var bytes) ? SingleValue.Deserialize(type, bytes).AsLong() : null;
    }
}
