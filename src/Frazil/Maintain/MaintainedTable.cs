using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Microsoft.Extensions.Logging;

namespace Frazil.Maintain;

/// <summary>A table as maintenance needs it.</summary>
internal sealed record MaintainedTable
{
    public required ICatalog Catalog { get; init; }

    public required TableState State { get; init; }

    /// <summary>The one that ingest commits through, where this process ingests the table (invariant 7).</summary>
    public required TableCommitter Committer { get; init; }

    public required MaintenanceOptions Options { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Flushes that are not finished: files and snapshots named after them are needed, whatever their age.</summary>
    public Func<IReadOnlyCollection<string>> OpenFlushes { get; init; } = static () => [];

    public IProgress<MaintenanceProgress>? Progress { get; init; }

    /// <summary>Bytes of data files that one compaction rewrites at most; null for the usual number.</summary>
    public long? CompactionBytes { get; init; }

    public string Name => State.Identifier.ToString();

    public ReferencedFiles NewReferences(LoadedTable table) => new(Catalog, State.Identifier, table.Metadata.TableUuid, new(table.FileIO, 16 * 1024 * 1024));

    /// <exception cref="MaintenanceException">There is no such table.</exception>
    public async Task<TableVersion> LoadAsync(CancellationToken cancellationToken)
        => await State.RefreshAsync(cancellationToken) ?? throw new MaintenanceException($"there is no table {Name}");
}
