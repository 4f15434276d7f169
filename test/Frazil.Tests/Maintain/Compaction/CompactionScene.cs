using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Parquet;
using Frazil.Telemetry;
using Frazil.Tests.Commit;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Parquet;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

/// <summary>A table of real Parquet files in a real catalog, written as ingest writes them, and delete files as other engines write
/// them.</summary>
public abstract class CompactionScene : IAsyncLifetime
{
    private protected static readonly TableIdentifier Name = TableIdentifier.Parse("shop.events");

    private static readonly Schema Columns = new(0,
    [
        new(1, "id", false, IcebergType.Long), new(2, "text", false, IcebergType.String),
        new(3, "kafka_partition", false, IcebergType.Int), new(4, "kafka_offset", false, IcebergType.Long),
    ]);

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-compact-").FullName;
    private readonly ParquetDataFileWriter writer = new();
    private readonly ArrowValues memory = new();

    private protected FaultyCatalog Catalog { get; private set; } = null!;

    private protected TableState State { get; private set; } = null!;

    private protected TableCommitter Committer { get; private set; } = null!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO()));
        await Catalog.CreateNamespaceAsync(Name.Namespace);
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        await writer.DisposeAsync();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task CreateAsync(PartitionSpec? spec = null, params (string Name, string Value)[] properties)
    {
        var all = properties.Append(("commit.retry.min-wait-ms", "1")).Append(("commit.retry.max-wait-ms", "5"));
        await Catalog.CreateTableAsync(Name, Columns, spec, properties: all.ToDictionary(static one => one.Item1, static one => one.Item2));
        State = new(Catalog, Name);
        Committer = new(State, new TableMetrics(), NullLogger.Instance);
    }

    private protected MaintainedTable Maintained => new()
    {
        Catalog = Catalog,
        State = State,
        Committer = Committer,
        Options = new(),
        Time = TimeProvider.System,
        Logger = NullLogger.Instance,
    };

    private protected async Task<CompactionCounts> CompactAsync(
        IProgress<MaintenanceProgress>? progress = null, long? mostBytes = null, bool isDryRun = false, CancellationToken? cancellationToken = null)
    {
        var table = Maintained with { Progress = progress, CompactionBytes = mostBytes };
        return (await TableMaintenance.RunAsync(table, MaintenanceJob.Compact, isDryRun, cancellationToken ?? Cancel)).Compaction!;
    }

    /// <summary>A flush of some offsets of a partition: the row at offset o has the id o and the text.</summary>
    private protected async Task<DataFile> IngestAsync(int partition, long first, int count, string text = "x")
    {
        var file = await WriteAsync(partition, first, count, text);
        var topic = new TopicPartition("events", partition);
        var recorded = (await State.RefreshAsync(Cancel))!.Progress.NextOffset(topic);
        var outcome = await Committer.CommitAsync(new(Guid.NewGuid().ToString(), [new([new(topic, recorded, first + count)], [file])]), Cancel);
        Assert.Empty(outcome.Fenced);
        return file;
    }

    private protected async Task<DataFile> WriteAsync(int partition, long first, int count, string text)
    {
        var metadata = await LoadAsync();
        var fields = ColumnSchemas.FromIceberg(metadata.CurrentSchema.Fields);
        var offsets = Enumerable.Range(0, count).Select(i => first + i).ToList();
        var slice = memory.Slice(
            fields, [.. offsets.Select(static offset => (object?)offset)], [.. offsets.Select(_ => (object?)text)], [.. offsets.Select(_ => (object?)partition)],
            [.. offsets.Select(static offset => (object?)offset)]);
        var location = $"{metadata.DataLocation}/kafka_partition={partition}/{Guid.NewGuid():N}.parquet";
        var written = await writer.WriteAsync(
            new()
            {
                Store = Catalog.FileIO,
                Location = location,
                Schema = fields,
                Slices = [slice],
                KeyValueMetadata = new Dictionary<string, string>
                {
                    ["kafka.topic"] = "events",
                    ["kafka.partition"] = $"{partition}",
                    ["kafka.offset.start"] = $"{first}",
                    ["kafka.offset.end"] = $"{first + count - 1}",
                },
            },
            Cancel);
        var tuple = metadata.DefaultSpec.Fields.Count == 0 ? PartitionTuple.Empty : new PartitionTuple(IcebergValue.From(text));
        return DataFileMetrics.ToDataFile(written, location, metadata.DefaultSpecId, tuple, metadata.CurrentSchema, new MetricsConfig(metadata));
    }

    /// <summary>Another engine deletes rows by their places.</summary>
    private protected Task<DataFile> DeletePositionsAsync(DataFile like, params (string Path, long Position)[] rows) => DeleteAsync(
        like with { LowerBounds = BoundOf(rows.Min(static row => row.Path)!), UpperBounds = BoundOf(rows.Max(static row => row.Path)!) },
        FileContent.PositionDeletes, new([new("file_path", ColumnType.Utf8, 2147483546, false), new("pos", ColumnType.Int64, 2147483545, false)]),
        [.. rows.Select(static row => (object?)row.Path)], [.. rows.Select(static row => (object?)row.Position)]);

    private static FieldMap<byte[]> BoundOf(string path) => new([KeyValuePair.Create(2147483546, System.Text.Encoding.UTF8.GetBytes(path))]);

    /// <summary>Another engine deletes rows by their id, or where it is null.</summary>
    private protected Task<DataFile> DeleteIdsAsync(DataFile like, params long?[] ids) => DeleteAsync(
        like, FileContent.EqualityDeletes, new([new("id", ColumnType.Int64, 1)]), [.. ids.Select(static id => (object?)id)]);

    /// <summary>The rows of all live files, file after file: partition, offset, id, text. No file has deletes any more.</summary>
    private protected async Task<List<string>> RowsAsync()
    {
        var rows = new List<string>();
        foreach (var file in await LiveAsync())
        {
            Assert.Empty(file.Deletes);
            var content = await Catalog.FileIO.ReadAsync(file.File.Path, Cancel);
            rows.AddRange(ReadValues.All(content).Select(static row => $"{row[2]}@{row[3]} {row[0]} {row[1]}"));
        }
        return rows;
    }

    private protected static IEnumerable<string> Rows(int partition, long first, int count, string text = "x")
        => Enumerable.Range(0, count).Select(i => $"{partition}@{first + i} {first + i} {text}");

    private protected async Task<IReadOnlyList<ScanFile>> LiveAsync()
        => (await new TableScan(await LoadAsync(), new ManifestCache(Catalog.FileIO)).PlanAsync(Cancel)).Files;

    private protected async Task<TableMetadata> LoadAsync() => (await Catalog.LoadTableAsync(Name, Cancel)).Metadata;

    /// <summary>Data files that lie below the table.</summary>
    private protected async Task<HashSet<string>> StoredDataAsync()
    {
        var found = new HashSet<string>();
        await foreach (var stored in Catalog.FileIO.ListAsync((await LoadAsync()).DataLocation, Cancel))
        {
            found.Add(stored.Location);
        }
        return found;
    }

    private async Task<DataFile> DeleteAsync(DataFile like, FileContent content, ColumnFields fields, params object?[][] columns)
    {
        var table = await Catalog.LoadTableAsync(Name, Cancel);
        var location = $"{table.Metadata.DataLocation}/deletes-{Guid.NewGuid():N}.parquet";
        using var bytes = new MemoryStream();
        using (var buffers = new ParquetBuffers())
        using (var parquet = new ParquetFileWriter(bytes, fields, buffers))
        {
            parquet.Write([memory.Slice(fields, columns)], Cancel);
            parquet.Finish();
        }
        await Catalog.FileIO.CreateAsync(location, bytes.ToArray(), Cancel);
        var file = new DataFile
        {
            Path = location,
            Content = content,
            SpecId = like.SpecId,
            Partition = like.Partition,
            RecordCount = columns[0].Length,
            FileSizeBytes = bytes.Length,
            EqualityIds = content == FileContent.EqualityDeletes ? [1] : null,
            LowerBounds = content == FileContent.PositionDeletes ? like.LowerBounds : null,
            UpperBounds = content == FileContent.PositionDeletes ? like.UpperBounds : null,
        };
        await CommitDeletesAsync(table, file);
        return file;
    }

    /// <summary>The snapshot that a row-level delete makes.</summary>
    private async Task CommitDeletesAsync(LoadedTable table, DataFile file)
    {
        var (metadata, id) = (table.Metadata, Random.Shared.NextInt64(1, long.MaxValue));
        var parent = metadata.CurrentSnapshot!;
        var manifest = new ManifestWriter(metadata, metadata.SpecById(file.SpecId)!, ManifestContent.Deletes);
        manifest.Add(id, file);
        var (content, described) = manifest.Finish(metadata.MetadataLocationFor($"{Guid.NewGuid()}-m0.avro"), id);
        await Catalog.FileIO.CreateAsync(described.Path, content, Cancel);
        var manifests = await new ManifestCache(Catalog.FileIO).ReadManifestsAsync(parent, metadata, Cancel);
        var list = ManifestListWriter.Write(2, id, parent.SnapshotId, metadata.LastSequenceNumber + 1, 0, [described, .. manifests]);
        var location = metadata.MetadataLocationFor($"snap-{id}.avro");
        await Catalog.FileIO.CreateAsync(location, list.Content, Cancel);
        var summary = new Dictionary<string, string> { ["operation"] = "delete", ["total-delete-files"] = "1" };
        var time = Math.Max(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), metadata.LastUpdatedMs);
        var snapshot = new Snapshot(id, parent.SnapshotId, metadata.LastSequenceNumber + 1, time, location, summary, metadata.CurrentSchemaId);
        await Catalog.CommitTableAsync(Name, [], [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef("main", new(id))], Cancel);
    }
}
