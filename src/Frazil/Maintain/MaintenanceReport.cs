namespace Frazil.Maintain;

/// <summary>A kind of maintenance.</summary>
public enum MaintenanceJob
{
    /// <summary>Takes old snapshots out of a table, and deletes what only they reach.</summary>
    Expire,
    /// <summary>Deletes files below a table that nothing names.</summary>
    Sweep,
    /// <summary>Packs small data files into large ones, and applies deletes.</summary>
    Compact,
}

/// <summary>What a job did to a table, or would do.</summary>
public sealed record MaintenanceReport
{
    public required MaintenanceJob Job { get; init; }

    public required string Table { get; init; }

    /// <summary>Nothing was changed; the numbers say what would have been.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Why nothing was done; null where the job ran.</summary>
    public string? Skipped { get; init; }

    public int SnapshotsRemoved { get; init; }

    public int SnapshotsLeft { get; init; }

    /// <summary>Branches and tags that were older than they may get.</summary>
    public IReadOnlyList<string> RefsRemoved { get; init; } = [];

    /// <summary>Files deleted, of every kind.</summary>
    public long FilesDeleted { get; init; }

    /// <summary>Bytes of data files and orphans deleted; of manifests and lists the size is not asked for.</summary>
    public long BytesDeleted { get; init; }

    /// <summary>Files that could not be deleted; a sweep takes them.</summary>
    public long FilesFailed { get; init; }

    /// <summary>Sweep: objects looked at.</summary>
    public long Listed { get; init; }

    /// <summary>Sweep: objects that are too young to tell.</summary>
    public long Fresh { get; init; }

    /// <summary>Sweep: objects of flushes that are not finished.</summary>
    public long Held { get; init; }

    /// <summary>Sweep: objects of a kind that Frazil does not know; they stay.</summary>
    public long UnknownKind { get; init; }

    /// <summary>What a compaction did; null of other jobs.</summary>
    public CompactionCounts? Compaction { get; init; }

    /// <summary>The first of the files, as many as <see cref="MostLocations"/>.</summary>
    public IReadOnlyList<string> Locations { get; init; } = [];

    public TimeSpan Elapsed { get; init; }

    public const int MostLocations = 1000;
}

/// <summary>What a compaction did, or would do.</summary>
public sealed record CompactionCounts
{
    /// <summary>Data files whose rows stand in others now.</summary>
    public int FilesIn { get; init; }

    /// <summary>Bytes of those files.</summary>
    public long BytesIn { get; init; }

    /// <summary>Data files written; of a dry run an estimate.</summary>
    public int FilesOut { get; init; }

    /// <summary>Bytes of those files; 0 of a dry run.</summary>
    public long BytesOut { get; init; }

    /// <summary>Rows that delete files took out, and that are in no file any more.</summary>
    public long RowsDeleted { get; init; }

    /// <summary>Delete files that left the table, because they applied to nothing any more.</summary>
    public int DeleteFilesRemoved { get; init; }

    /// <summary>Snapshots made.</summary>
    public int Commits { get; init; }

    /// <summary>Files that the next run takes: there is more to do than one run may rewrite.</summary>
    public int FilesRest { get; init; }

    /// <summary>Bytes of those files.</summary>
    public long BytesRest { get; init; }

    /// <summary>Files that were left for what they are, each with the reason.</summary>
    public IReadOnlyList<string> Left { get; init; } = [];
}

/// <summary>How far a job is.</summary>
/// <param name="Step">What it does now.</param>
/// <param name="Done">Files, of <paramref name="Total"/>.</param>
/// <param name="Total">0 while it is not known.</param>
public sealed record MaintenanceProgress(string Step, long Done, long Total);

/// <summary>A job could not be done; says why, and what became of the table.</summary>
public sealed class MaintenanceException(string message, Exception? inner = null) : Exception(message, inner);
