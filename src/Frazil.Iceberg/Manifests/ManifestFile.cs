namespace Frazil.Iceberg.Manifests;

public enum ManifestContent : byte { Data = 0, Deletes = 1 }

/// <summary>The values of one partition field over all live and deleted entries of a manifest.</summary>
/// <param name="ContainsNull">Whether any is null.</param>
/// <param name="ContainsNaN">Whether any is NaN; null where the writer did not say.</param>
/// <param name="LowerBound">Binary single-value form; null where all are null or NaN.</param>
/// <param name="UpperBound">Binary single-value form; null where all are null or NaN.</param>
public sealed record PartitionFieldSummary(bool ContainsNull, bool? ContainsNaN, byte[]? LowerBound, byte[]? UpperBound);

/// <summary>A manifest as a manifest list describes it. Counts are null where a v1 writer left them out.</summary>
public sealed record ManifestFile
{
    public required string Path { get; init; }

    public required long LengthBytes { get; init; }

    public required int SpecId { get; init; }

    public ManifestContent Content { get; init; }

    /// <summary>The commit that added the manifest; 0 in v1.</summary>
    public long SequenceNumber { get; init; }

    /// <summary>The lowest data sequence number of its live files; 0 in v1.</summary>
    public long MinSequenceNumber { get; init; }

    public required long AddedSnapshotId { get; init; }

    public int? AddedFiles { get; init; }

    public int? ExistingFiles { get; init; }

    public int? DeletedFiles { get; init; }

    public long? AddedRows { get; init; }

    public long? ExistingRows { get; init; }

    public long? DeletedRows { get; init; }

    /// <summary>One per partition field, or null where the writer gave none.</summary>
    public IReadOnlyList<PartitionFieldSummary>? Partitions { get; init; }

    public byte[]? KeyMetadata { get; init; }

    /// <summary>v3: the first row id to give to its files.</summary>
    public long? FirstRowId { get; init; }

    /// <summary>True where a v1 writer left a count out; <see cref="ManifestCounts"/> fills it in.</summary>
    public bool LacksCounts
        => AddedFiles is null || ExistingFiles is null || DeletedFiles is null || AddedRows is null || ExistingRows is null || DeletedRows is null;

    /// <summary>False only where the counts say that no live file is in it.</summary>
    public bool MayHaveLiveFiles => AddedFiles is not 0 || ExistingFiles is not 0;
}
