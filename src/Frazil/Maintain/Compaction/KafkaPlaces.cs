using Frazil.Commit;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain.Compaction;

/// <summary>The Kafka partition that all rows of a file are of.</summary>
/// <param name="Topic">Null where the table has rows of one topic only.</param>
/// <param name="Partition">Its number.</param>
internal sealed record KafkaPlace(string? Topic, int Partition);

/// <summary>Tells of which Kafka partition the rows of files are: by the bounds in the manifest and, where a table has several topics and no
/// column for them, by what Frazil wrote into the file. What it read of files it keeps. Not thread-safe.</summary>
internal sealed class KafkaPlaces
{
    private readonly Dictionary<string, string?> topicByPath = new(StringComparer.Ordinal);

    /// <returns>Null where rows are of several partitions, or nothing tells.</returns>
    public async ValueTask<KafkaPlace?> OfAsync(DataFile file, TableVersion version, CancellationToken cancellationToken)
    {
        var schema = version.Metadata.CurrentSchema;
        if (SingleOf(file, schema.FindField(KafkaColumns.Partition)) is not { Kind: ValueKind.Int32 or ValueKind.Int64 } partition)
        {
            return null;
        }
        var number = (int)partition.AsLong();
        if (schema.FindField(KafkaColumns.Topic) is { } column)
        {
            return SingleOf(file, column) is { Kind: ValueKind.String } topic ? new(topic.AsString(), number) : null;
        }
        if (version.Progress.NextOffsets.Keys.Select(static one => one.Topic).Distinct().Count() <= 1)
        {
            return new(null, number);
        }
        return await OwnTopicAsync(file, version.Table.FileIO, cancellationToken) is { } own ? new(own, number) : null;
    }

    /// <summary>Where the file's rows begin in their partition.</summary>
    public static long FirstOffsetOf(DataFile file, Schema schema)
        => BoundOf(file.LowerBounds, schema.FindField(KafkaColumns.Offset)) is { IsNull: false } first ? first.AsLong() : long.MinValue;

    private async ValueTask<string?> OwnTopicAsync(DataFile file, IFileIO store, CancellationToken cancellationToken)
    {
        if (topicByPath.TryGetValue(file.Path, out var known))
        {
            return known;
        }
        try
        {
            var footer = await ParquetFooter.ReadAsync(store, file.Path, file.FileSizeBytes, cancellationToken);
            return topicByPath[file.Path] = footer.KeyValueMetadata.GetValueOrDefault("kafka.topic");
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException)
        {
            return topicByPath[file.Path] = null; // whoever reads its rows says what is wrong
        }
    }

    /// <summary>The value that all rows have; none where bounds differ, may be cut short, or where there are nulls.</summary>
    private static IcebergValue? SingleOf(DataFile file, NestedField? field)
        => BoundOf(file.LowerBounds, field) is { } low && BoundOf(file.UpperBounds, field) is { } high && low.Equals(high)
            && file.NullValueCounts?.GetValueOrDefault(field!.Id, -1) == 0
                ? low
                : default(IcebergValue?);

    private static IcebergValue? BoundOf(FieldMap<byte[]>? bounds, NestedField? field)
    {
        if (field is not { Type: PrimitiveType type } || bounds is null || !bounds.TryGetValue(field.Id, out var bytes))
        {
            return default;
        }
        try
        {
            return SingleValue.Deserialize(type, bytes);
        }
        catch (InvalidFormatException)
        {
            return default; // a bound that another writer spoiled tells nothing
        }
    }
}
