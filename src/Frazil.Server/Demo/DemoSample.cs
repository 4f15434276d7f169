using Frazil.Query;

namespace Frazil.Server.Demo;

/// <summary>What the demo saw at one moment.</summary>
internal sealed record DemoSample
{
    /// <summary>Since the first record.</summary>
    public required TimeSpan Elapsed { get; init; }
    public required long Produced { get; init; }
    /// <summary>Rows that <c>select count(*)</c> gave, those in memory, and the rest, which Iceberg has.</summary>
    public required long VisibleRows { get; init; }
    public required long HotRows { get; init; }
    public long ColdRows => VisibleRows - HotRows;
    /// <summary>Visible rows more than at the sample before, per second.</summary>
    public required double RowsPerSecond { get; init; }
    /// <summary>From producing the newest visible record to having it in a query's answer; null while there is none.</summary>
    public required TimeSpan? Freshness { get; init; }
    /// <summary>What the counting query took.</summary>
    public required TimeSpan QueryTime { get; init; }
    public required TableStatus Table { get; init; }
    public required IReadOnlyList<DemoCommit> Commits { get; init; }
    /// <summary>The example aggregate; null until it ran first.</summary>
    public required SqlResult? Aggregate { get; init; }
}

/// <summary>A commit as the demo noticed it.</summary>
/// <param name="At">Since the first record.</param>
/// <param name="SnapshotId">The new snapshot.</param>
/// <param name="Rows">Rows that came with it (with those between, where one went by unseen).</param>
/// <param name="TotalRows">Rows committed so far.</param>
internal sealed record DemoCommit(TimeSpan At, long SnapshotId, long Rows, long TotalRows);
