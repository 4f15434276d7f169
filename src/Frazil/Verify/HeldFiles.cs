using System.Collections.Immutable;
using System.Globalization;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>A live data file and the Kafka positions in it, as far as metadata tells.</summary>
/// <param name="File">As the manifest describes it.</param>
/// <param name="Rows">Rows that carry a Kafka position; others were put in by another engine.</param>
/// <param name="Partition">The one partition that its rows are of; null where it mixes several, or does not say.</param>
/// <param name="Offsets">The lowest and the highest offset in it; null where it does not say.</param>
/// <param name="IsAsWritten">True where Frazil wrote it: it holds every row of its range, unless the table is partitioned.</param>
internal sealed record HeldFile(DataFile File, long Rows, TopicPartition? Partition, OffsetRange? Offsets, bool IsAsWritten);

/// <summary>The live files of one version of a table, each laid to its Kafka partition: by the manifests' bounds, or, where those do not
/// tell, by what Frazil wrote into the file's own key-value metadata.</summary>
internal sealed class HeldFiles
{
    private HeldFiles(ImmutableArray<HeldFile> files, bool hasDeletes, bool hasPositions, bool hasTopics)
        => (All, HasDeletes, HasPositions, HasTopics) = (files, hasDeletes, hasPositions, hasTopics);

    public ImmutableArray<HeldFile> All { get; }

    /// <summary>Another engine deleted single rows, which neither counts nor bounds show.</summary>
    public bool HasDeletes { get; }

    /// <summary>Rows carry their Kafka partition and offset.</summary>
    public bool HasPositions { get; }

    /// <summary>Rows carry their topic.</summary>
    public bool HasTopics { get; }

    /// <summary>Files of which metadata does not tell one partition.</summary>
    public IEnumerable<HeldFile> Mixed => All.Where(static file => file.Partition is null && file.Rows > 0);

    public IReadOnlyList<HeldFile> Of(TopicPartition partition) => [.. All.Where(file => file.Partition == partition)];

    /// <param name="table">The version to look at.</param>
    /// <param name="topics">The topics that feed it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<HeldFiles> ReadAsync(
        LoadedTable table, IReadOnlyCollection<string> topics, CancellationToken cancellationToken)
    {
        var plan = await new TableScan(table.Metadata, new ManifestCache(table.FileIO)).PlanAsync(cancellationToken);
        var columns = new KafkaFields(table.Metadata.CurrentSchema);
        var files = ImmutableArray.CreateBuilder<HeldFile>(plan.Files.Count);
        foreach (var scanned in plan.Files)
        {
            files.Add(await ToHeldAsync(scanned.File, columns, topics, table.FileIO, cancellationToken));
        }
        return new(
            files.MoveToImmutable(), plan.Files.Any(static file => file.Deletes.Count > 0),
            columns is { Partition: not null, Offset: not null }, columns.Topic is not null);
    }

    private static async Task<HeldFile> ToHeldAsync(
        DataFile file, KafkaFields columns, IReadOnlyCollection<string> topics, IFileIO io, CancellationToken cancellationToken)
    {
        var rows = columns.Partition is { } partitionField
            ? file.RecordCount - (file.NullValueCounts is { } nulls && nulls.TryGetValue(partitionField.Id, out var none) ? none : 0)
            : file.RecordCount;
        var offsets = columns.OffsetsOf(file);
        var number = columns.PartitionOf(file);
        var topic = topics.Count == 1 ? topics.First() : columns.TopicOf(file, topics);
        var isAsWritten = file.Path.Contains($"/{KafkaColumns.Partition}=", StringComparison.Ordinal);
        if (rows == 0 || (number is not null && offsets is not null && topic is not null))
        {
            return new(file, rows, number is { } known && topic is not null ? new(topic, known) : null, offsets, isAsWritten);
        }
        // What Frazil wrote into the file knows more than bounds that were cut short or left out. Another engine's files do not have it.
        var own = file.Format == FileFormat.Parquet
            ? await OwnMetadataAsync(file, io, cancellationToken)
            : new Dictionary<string, string>();
        if (own.TryGetValue("kafka.topic", out var named) && Number(own, "kafka.partition") is { } ownNumber)
        {
            offsets ??= Number(own, "kafka.offset.start") is { } start && Number(own, "kafka.offset.end") is { } end
                ? new(start, end)
                : null;
            return new(file, rows, new(named, (int)ownNumber), offsets, isAsWritten);
        }
        return new(file, rows, null, offsets, isAsWritten);
    }

    private static async Task<IReadOnlyDictionary<string, string>> OwnMetadataAsync(
        DataFile file, IFileIO io, CancellationToken cancellationToken)
    {
        try
        {
            return (await ParquetFooter.ReadAsync(io, file.Path, file.FileSizeBytes, cancellationToken)).KeyValueMetadata;
        }
        catch (Exception error) when (error is InvalidDataException or FileNotFoundException)
        {
            return new Dictionary<string, string>(); // says nothing then; that it is harmed, BrokenFiles and a deep look find
        }
    }

    private static long? Number(IReadOnlyDictionary<string, string> metadata, string key)
        => metadata.TryGetValue(key, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>The columns that say where a row came from, as far as the table has them.</summary>
    private sealed class KafkaFields(Schema schema)
    {
        public NestedField? Partition { get; } = schema.FindField(KafkaColumns.Partition);

        public NestedField? Offset { get; } = schema.FindField(KafkaColumns.Offset);

        public NestedField? Topic { get; } = schema.FindField(KafkaColumns.Topic);

        public int? PartitionOf(DataFile file)
            => Bound(file.LowerBounds, Partition) is { } low && Bound(file.UpperBounds, Partition) == low ? (int)low.AsLong() : null;

        public OffsetRange? OffsetsOf(DataFile file)
            => Bound(file.LowerBounds, Offset) is { } low && Bound(file.UpperBounds, Offset) is { } high
                ? new(low.AsLong(), high.AsLong())
                : null;

        /// <summary>Bounds of text may be cut; a cut upper bound is rounded up, so that equal ones were not cut.</summary>
        public string? TopicOf(DataFile file, IReadOnlyCollection<string> topics)
            => Bound(file.LowerBounds, Topic) is { } low && Bound(file.UpperBounds, Topic) == low && topics.Contains(low.AsString())
                ? low.AsString()
                : null;

        private static IcebergValue? Bound(FieldMap<byte[]>? bounds, NestedField? field)
            => field is { Type: PrimitiveType type } && bounds is not null && bounds.TryGetValue(field.Id, out var bytes)
                ? SingleValue.Deserialize(type, bytes)
                : default(IcebergValue?);
    }
}
