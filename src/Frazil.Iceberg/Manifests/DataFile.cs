namespace Frazil.Iceberg.Manifests;

public enum FileContent : byte { Data = 0, PositionDeletes = 1, EqualityDeletes = 2 }

public enum FileFormat : byte { Parquet, Avro, Orc, Puffin }

/// <summary>A data or delete file as manifests describe it. Immutable.</summary>
public sealed record DataFile
{
    public FileContent Content { get; init; } = FileContent.Data;

    /// <summary>The full location.</summary>
    public required string Path { get; init; }

    public FileFormat Format { get; init; } = FileFormat.Parquet;

    /// <summary>The partition spec it was written with.</summary>
    public required int SpecId { get; init; }

    /// <summary>Values of that spec's fields.</summary>
    public PartitionTuple Partition { get; init; }

    /// <summary>Rows; for a deletion vector, deleted positions.</summary>
    public required long RecordCount { get; init; }

    public required long FileSizeBytes { get; init; }

    /// <summary>Bytes on disk by field id.</summary>
    public FieldMap<long>? ColumnSizes { get; init; }

    /// <summary>Values by field id, nulls and NaNs included.</summary>
    public FieldMap<long>? ValueCounts { get; init; }

    public FieldMap<long>? NullValueCounts { get; init; }

    public FieldMap<long>? NanValueCounts { get; init; }

    /// <summary>Lower bounds by field id in the binary single-value form (<see cref="SingleValue"/>).</summary>
    public FieldMap<byte[]>? LowerBounds { get; init; }

    /// <summary>Upper bounds by field id in the binary single-value form (<see cref="SingleValue"/>).</summary>
    public FieldMap<byte[]>? UpperBounds { get; init; }

    public byte[]? KeyMetadata { get; init; }

    /// <summary>Where row groups begin, ascending.</summary>
    public IReadOnlyList<long>? SplitOffsets { get; init; }

    /// <summary>Equality deletes: the fields that must be equal.</summary>
    public IReadOnlyList<int>? EqualityIds { get; init; }

    public int? SortOrderId { get; init; }

    /// <summary>v3: the row id of the first row.</summary>
    public long? FirstRowId { get; init; }

    /// <summary>Position deletes: the one data file they are about, where it is one.</summary>
    public string? ReferencedDataFile { get; init; }

    /// <summary>v3: where a deletion vector begins in its file.</summary>
    public long? ContentOffset { get; init; }

    /// <summary>v3: bytes of the deletion vector.</summary>
    public long? ContentSizeBytes { get; init; }

    /// <summary>True for a deletion vector.</summary>
    public bool IsDeletionVector => Content == FileContent.PositionDeletes && Format == FileFormat.Puffin;
}

public enum EntryStatus : byte { Existing = 0, Added = 1, Deleted = 2 }

/// <summary>A file in a manifest with its history. Values that the manifest leaves to inheritance are filled in when it is read.</summary>
/// <param name="Status">Deleted entries are informational: not part of the snapshot.</param>
/// <param name="SnapshotId">The snapshot that added (or deleted) the file.</param>
/// <param name="SequenceNumber">Data sequence number: which deletes apply.</param>
/// <param name="FileSequenceNumber">The sequence number of the snapshot that added the file.</param>
/// <param name="File">The file.</param>
public sealed record ManifestEntry(EntryStatus Status, long? SnapshotId, long? SequenceNumber, long? FileSequenceNumber, DataFile File)
{
    public bool IsLive => Status != EntryStatus.Deleted;
}
