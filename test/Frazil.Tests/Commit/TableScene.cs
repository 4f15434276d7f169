using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>A table in a real SQL catalog with real files, a committer of it, and other engines' hands.</summary>
public abstract class TableScene : IAsyncLifetime
{
    private protected static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");
    private protected static readonly TopicPartition P0 = new("events", 0);
    private protected static readonly TopicPartition P1 = new("events", 1);

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-test-{Guid.NewGuid():N}");

    private protected FaultyCatalog Catalog { get; private set; } = null!;

    private protected TableState State { get; private set; } = null!;

    private protected TableCommitter Committer { get; private set; } = null!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder);
        Catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO()));
        await Catalog.CreateNamespaceAsync(Table.Namespace);
        await Catalog.CreateTableAsync(
            Table, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]),
            properties: new Dictionary<string, string> { ["commit.retry.min-wait-ms"] = "1", ["commit.retry.max-wait-ms"] = "10" });
        (State, Committer) = NewProcess();
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private protected (TableState State, TableCommitter Committer) NewProcess(OnRollback onRollback = OnRollback.Stop)
    {
        var mine = new TableState(Catalog, Table);
        return (mine, new(mine, new TableMetrics(), NullLogger.Instance, null, onRollback));
    }

    private protected Task<CommitOutcome> CommitAsync(string flushId, params ImmutableArray<CommitUnit> units)
        => Committer.CommitAsync(new(flushId, units), Cancel);

    /// <summary>As the flusher does: again, with the same flush id.</summary>
    private protected async Task<CommitOutcome> CommitUntilAnsweredAsync(string flushId, CommitUnit unit)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await CommitAsync(flushId, unit);
            }
            catch (Exception) when (tries < 3)
            {
                // Tried again.
            }
        }
    }

    private protected async Task DeleteIfToldAsync(CommitOutcome outcome)
    {
        if (outcome.FencedFilesAreOurs)
        {
            await Committer.DeleteUnusedAsync(outcome.Fenced.SelectMany(static unit => unit.Files));
        }
    }

    private protected CommitUnit Unit(TopicPartition partition, long? recorded, long next)
    {
        var path = $"{folder}/{Guid.NewGuid():N}.parquet";
        File.WriteAllText(path, "rows");
        return new(
            [new(partition, recorded, next)],
            [new DataFile { Path = $"file://{path}", SpecId = 0, RecordCount = next - (recorded ?? 0), FileSizeBytes = 4 }]);
    }

    private protected static CommitUnit Gap(CommitUnit unit, OffsetRange removed)
    {
        var skipped = new SkippedOffsets();
        skipped.Add(removed, SkipKind.Retention);
        return unit with { Steps = [unit.Steps[0] with { Skipped = skipped }] };
    }

    private protected static string LocalPath(DataFile file) => file.Path["file://".Length..];

    private protected string[] MetadataFiles(string pattern)
        => Directory.GetFiles($"{folder}/warehouse/shop/events/metadata", pattern);

    private protected Task ChangeAsync(params TableUpdate[] updates) => Catalog.CommitTableAsync(Table, [], updates);

    private protected async Task ForeignAppendAsync(string branch = "main", (string Name, string Value)? summary = null)
    {
        var table = await Catalog.LoadTableAsync(Table);
        var append = new AppendFiles(new ManifestCache(Catalog.FileIO), TimeProvider.System) { Branch = branch }.Add(Unit(P0, 0, 1).Files[0]);
        if (summary is { } entry)
        {
            append.SetSummary(entry.Name, entry.Value);
        }
        var staged = await append.StageAsync(table.Metadata);
        await Catalog.CommitTableAsync(Table, staged.Requirements, staged.Updates);
    }

    private protected async Task ForeignReplaceAsync(DataFile old)
    {
        var table = await Catalog.LoadTableAsync(Table);
        var rewrite = new RewriteFiles(new ManifestCache(Catalog.FileIO), table.Metadata.CurrentSnapshot!, TimeProvider.System)
            .Remove(old).Add(Unit(P0, 0, old.RecordCount).Files[0]);
        var staged = await rewrite.StageAsync(table.Metadata);
        await Catalog.CommitTableAsync(Table, staged.Requirements, staged.Updates);
    }

    private protected async Task ExpireAllButCurrentAsync()
    {
        var table = await LoadAsync();
        var old = table.Snapshots.Select(static snapshot => snapshot.SnapshotId).Where(id => id != table.CurrentSnapshotId).ToList();
        await ChangeAsync(new TableUpdate.RemoveSnapshots(old));
    }

    private protected async Task<List<string>> LiveFilesAsync()
    {
        var table = await LoadAsync();
        var plan = await new TableScan(table, new ManifestCache(Catalog.FileIO)).PlanAsync();
        return [.. plan.Files.Select(static file => file.File.Path)];
    }

    private protected async Task<TableMetadata> LoadAsync() => (await Catalog.LoadTableAsync(Table)).Metadata;
}
