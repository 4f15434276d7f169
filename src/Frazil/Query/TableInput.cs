using Frazil.Cold;
using Frazil.Columnar;

namespace Frazil.Query;

/// <summary>One table as one query sees it.</summary>
public sealed record TableInput
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>The table's current schema.</summary>
    public required ColumnFields Schema { get; init; }

    /// <summary>What rows of <see cref="ColdFiles"/> hold of columns that are younger than their file.</summary>
    public ColumnDefaults Defaults { get; init; } = ColumnDefaults.None;

    /// <summary>Rows in memory.</summary>
    public IReadOnlyList<BatchSlice> HotSlices { get; init; } = [];

    /// <summary>What keeps the hot slices pinned. The executor takes it over and disposes it once, from any thread, when nothing reads them
    /// any more, whether the query succeeds or not. Null where the caller holds the pin until the query's task has completed.</summary>
    public IDisposable? HotPin { get; init; }

    /// <summary>Parquet files of the snapshot; disjoint from the hot rows.</summary>
    public IReadOnlyList<DataFileInput> ColdFiles { get; init; } = [];

    public override string ToString() => $"{Namespace}.{Name}";
}
