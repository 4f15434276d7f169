using System.Globalization;
using System.Text;
using Frazil.Iceberg.Avro;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Manifests;

/// <summary>Builds one manifest in memory: the files of one partition spec, either data or deletes. Not thread-safe.</summary>
public sealed class ManifestWriter
{
    private readonly AvroFileWriter file;
    private readonly StructType partitionType;
    private readonly PartitionSummaries summaries;
    private readonly int formatVersion;
    private readonly int specId;
    private readonly ManifestContent content;
    private readonly int[] files = new int[3];
    private readonly long[] rows = new long[3];
    private long? minSequenceNumber;

    /// <param name="metadata">The table: its current schema and format version (2 or 3).</param>
    /// <param name="spec">The spec of every file in it.</param>
    /// <param name="content">Data or deletes.</param>
    public ManifestWriter(TableMetadata metadata, PartitionSpec spec, ManifestContent content)
    {
        if (metadata.FormatVersion < 2)
            throw new ValidationException(
                $"The table {metadata.Location} is of format version 1, which is read but not written: upgrade it to version 2 first.");
        formatVersion = metadata.FormatVersion;
        partitionType = metadata.PartitionTypeOf(spec);
        specId = spec.SpecId;
        this.content = content;
        summaries = new PartitionSummaries(partitionType);
        file = new AvroFileWriter(ManifestAvro.ManifestSchema(formatVersion, partitionType),
        [
            new("schema", Encoding.UTF8.GetString(SchemaJson.Write(metadata.CurrentSchema))),
            new("schema-id", metadata.CurrentSchema.SchemaId.ToString(CultureInfo.InvariantCulture)),
            new("partition-spec", JsonFields.WriteText(writer => SpecJson.WriteFields(writer, spec))),
            new("partition-spec-id", spec.SpecId.ToString(CultureInfo.InvariantCulture)),
            new("format-version", formatVersion.ToString(CultureInfo.InvariantCulture)),
            new("content", content == ManifestContent.Data ? "data" : "deletes"),
        ]);
    }

    public int Entries => files[0] + files[1] + files[2];

    public long ApproximateBytes => file.ApproximateBytes;

    /// <summary>A file that this snapshot adds. Its sequence numbers are inherited from the commit unless one is given.</summary>
    /// <param name="snapshotId">The snapshot that adds it.</param>
    /// <param name="added">The file.</param>
    /// <param name="sequenceNumber">The data sequence number, where it is older than the commit (a compaction); else null.</param>
    public void Add(long snapshotId, DataFile added, long? sequenceNumber = null) =>
        Write(new ManifestEntry(EntryStatus.Added, snapshotId, sequenceNumber, null, added));

    /// <summary>A file of an earlier snapshot, carried over as it is.</summary>
    public void Keep(ManifestEntry entry) => Write(entry with { Status = EntryStatus.Existing });

    /// <summary>A file that this snapshot removes.</summary>
    public void Delete(long snapshotId, ManifestEntry entry) => Write(entry with { Status = EntryStatus.Deleted, SnapshotId = snapshotId });

    /// <summary>The finished file and its description; sequence numbers that the commit gives are <see
    /// cref="ManifestListWriter.Unassigned"/>.</summary>
    /// <param name="path">Where the caller will store it.</param>
    /// <param name="snapshotId">The snapshot that adds the manifest.</param>
    public (byte[] Content, ManifestFile Manifest) Finish(string path, long snapshotId)
    {
        var bytes = file.Finish();
        return (bytes, new ManifestFile
        {
            Path = path,
            LengthBytes = bytes.Length,
            SpecId = specId,
            Content = content,
            SequenceNumber = ManifestListWriter.Unassigned,
            MinSequenceNumber = minSequenceNumber ?? ManifestListWriter.Unassigned,
            AddedSnapshotId = snapshotId,
            AddedFiles = files[(int)EntryStatus.Added],
            ExistingFiles = files[(int)EntryStatus.Existing],
            DeletedFiles = files[(int)EntryStatus.Deleted],
            AddedRows = rows[(int)EntryStatus.Added],
            ExistingRows = rows[(int)EntryStatus.Existing],
            DeletedRows = rows[(int)EntryStatus.Deleted],
            Partitions = summaries.ToList(),
        });
    }

    private void Write(ManifestEntry entry)
    {
        if (entry.File.SpecId != specId)
            throw new ValidationException($"'{entry.File.Path}' is of partition spec {entry.File.SpecId}, the manifest of {specId}.");
        // Only the file sequence number may be unknown: v2 writers of the early days left it out.
        if (entry.Status != EntryStatus.Added && entry.SequenceNumber is null)
            throw new ValidationException($"'{entry.File.Path}' is carried over without its sequence number.");
        if ((entry.File.Content == FileContent.Data) != (content == ManifestContent.Data))
            throw new ValidationException($"'{entry.File.Path}' holds {entry.File.Content}, the manifest {content}.");
        files[(int)entry.Status]++;
        rows[(int)entry.Status] += entry.File.RecordCount;
        if (entry.IsLive && entry.SequenceNumber is { } sequence)
            minSequenceNumber = Math.Min(minSequenceNumber ?? long.MaxValue, sequence);
        summaries.Add(entry.File.Partition);

        var encoder = file.Encoder;
        encoder.WriteInt((int)entry.Status);
        WriteOptional(entry.SnapshotId);
        WriteOptional(entry.SequenceNumber);
        WriteOptional(entry.FileSequenceNumber);
        WriteFile(encoder, entry.File);
        file.EndRecord();
    }

    private void WriteFile(AvroEncoder encoder, DataFile data)
    {
        encoder.WriteInt((int)data.Content);
        encoder.WriteString(data.Path);
        encoder.WriteString(data.Format.ToString().ToUpperInvariant());
        for (var i = 0; i < partitionType.Fields.Count; i++)
            PartitionValues.Write(encoder, (PrimitiveType)partitionType.Fields[i].Type, data.Partition[i]);
        encoder.WriteLong(data.RecordCount);
        encoder.WriteLong(data.FileSizeBytes);
        WriteCounts(encoder, data.ColumnSizes);
        WriteCounts(encoder, data.ValueCounts);
        WriteCounts(encoder, data.NullValueCounts);
        WriteCounts(encoder, data.NanValueCounts);
        WriteBounds(encoder, data.LowerBounds);
        WriteBounds(encoder, data.UpperBounds);
        encoder.WriteBranch(data.KeyMetadata is not null);
        if (data.KeyMetadata is not null)
            encoder.WriteBytes(data.KeyMetadata);
        WriteList(encoder, data.SplitOffsets, (e, offset) => e.WriteLong(offset));
        WriteList(encoder, data.EqualityIds, (e, id) => e.WriteInt(id));
        WriteOptional(data.SortOrderId);
        if (formatVersion >= 3)
            WriteOptional(data.FirstRowId);
        encoder.WriteBranch(data.ReferencedDataFile is not null);
        if (data.ReferencedDataFile is not null)
            encoder.WriteString(data.ReferencedDataFile);
        if (formatVersion >= 3)
        {
            WriteOptional(data.ContentOffset);
            WriteOptional(data.ContentSizeBytes);
        }
    }

    private void WriteOptional(long? value)
    {
        file.Encoder.WriteBranch(value is not null);
        if (value is not null)
            file.Encoder.WriteLong(value.Value);
    }

    private static void WriteCounts(AvroEncoder encoder, FieldMap<long>? counts)
    {
        if (!StartList(encoder, counts?.Count))
            return;
        for (var i = 0; i < counts!.Count; i++)
        {
            encoder.WriteInt(counts.SortedIds[i]);
            encoder.WriteLong(counts.SortedValues[i]);
        }
        EndList(encoder, counts.Count);
    }

    private static void WriteBounds(AvroEncoder encoder, FieldMap<byte[]>? bounds)
    {
        if (!StartList(encoder, bounds?.Count))
            return;
        for (var i = 0; i < bounds!.Count; i++)
        {
            encoder.WriteInt(bounds.SortedIds[i]);
            encoder.WriteBytes(bounds.SortedValues[i]);
        }
        EndList(encoder, bounds.Count);
    }

    private static void WriteList<T>(AvroEncoder encoder, IReadOnlyList<T>? list, Action<AvroEncoder, T> write)
    {
        if (!StartList(encoder, list?.Count))
            return;
        foreach (var item in list!)
            write(encoder, item);
        EndList(encoder, list.Count);
    }

    private static bool StartList(AvroEncoder encoder, int? count)
    {
        encoder.WriteBranch(count is not null);
        if (count > 0)
            encoder.WriteLong(count.Value);
        if (count == 0)
            encoder.WriteLong(0);
        return count > 0;
    }

    private static void EndList(AvroEncoder encoder, int count)
    {
        if (count > 0)
            encoder.WriteLong(0);
    }
}
