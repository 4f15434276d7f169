using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Faults;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;
using Frazil.Parquet;

namespace Frazil.Flush;

/// <summary>Turns sealed batches into data files where the table keeps them: one file for each Kafka partition and Iceberg partition.
/// Only new names (invariant 6): every attempt of a flush numbers its files on.</summary>
internal sealed class FlushWriter(DataFileWriter writer, LakeTable table, bool preserveKafkaPartitions)
{
    /// <summary>Writes every batch of the flush. The files are durable when the task completes, and in no table yet. Where it fails, what is
    /// finished is kept for the next attempt, or for <see cref="DiscardAsync(SealedFlush)"/>.</summary>
    /// <exception cref="RowsOutgrownException">The rows do not fit the table any more.</exception>
    public async Task<ImmutableArray<FlushedUnit>> WriteAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        await table.Schemas.EnsureTableAsync(cancellationToken);
        var target = new WriteTarget(table.Current!.Table, table.Schemas.Current!);
        var units = preserveKafkaPartitions
            ? flush.Batches.Select(static batch => ImmutableArray.Create(batch))
            : [flush.Batches];
        try
        {
            return [.. await Task.WhenAll(
                units.Select((batches, number) => WriteUnitAsync(flush, batches, flush.DraftOf(number), target, cancellationToken)))];
        }
        catch (DataFileException error) when (error.InnerException is ParquetRowsException && IsOutgrown(flush, target.Schema.Columns))
        {
            throw new RowsOutgrownException(error.Message, error);
        }
    }

    private static bool IsOutgrown(SealedFlush flush, ColumnFields wanted)
        => flush.Batches.SelectMany(static batch => batch.Rows).Any(chunk => RequiresMore(wanted, chunk.Schema));

    /// <summary>Whether a field is required that was optional, or not there, at any level.</summary>
    private static bool RequiresMore(ColumnFields wanted, ColumnFields had) => wanted.Any(field => had.IndexOfId(field.FieldId) is var at && at >= 0
        ? (!field.Nullable && had[at].Nullable) || RequiresMore(field.Type.Fields, had[at].Type.Fields)
        : !field.Nullable);

    /// <summary>Removes what is finished of a flush that will certainly never be offered to the catalog.</summary>
    public async Task DiscardAsync(SealedFlush flush)
    {
        foreach (var draft in flush.Drafts)
        {
            await DiscardAsync(draft);
        }
    }

    private async Task<FlushedUnit> WriteUnitAsync(
        SealedFlush flush, ImmutableArray<HotBatch> batches, UnitDraft draft, WriteTarget target, CancellationToken cancellationToken)
    {
        if (draft.IsWhole)
        {
            return new(batches, [.. draft.Files]);
        }
        if (draft.WrittenFor != target.Version)
        {
            await DiscardAsync(draft);
            draft.WrittenFor = target.Version;
        }
        var slices = batches.SelectMany(static batch => batch.Rows).Select(ToSlice).Where(static slice => slice.Count > 0).ToList();
        foreach (var (partition, rows) in Split(slices, target).Skip(draft.Groups))
        {
            draft.Files.AddRange(await RowPieces.WriteAsync(
                rows, piece => WriteFileAsync(NewLocation(flush, batches, target, partition), partition, piece, batches, target, cancellationToken),
                file => DeleteAsync([file.File])));
            draft.Groups++;
        }
        draft.IsWhole = true;
        return new(batches, [.. draft.Files]);
    }

    private async Task DiscardAsync(UnitDraft draft)
    {
        await DeleteAsync(draft.Files.Select(static file => file.File));
        draft.Files.Clear();
        (draft.Groups, draft.IsWhole) = (0, false);
    }

    /// <summary>Deletes files that are certainly in no snapshot.</summary>
    public async Task DeleteAsync(IEnumerable<DataFile> unused)
    {
        foreach (var file in unused)
        {
            await table.Store.DeleteAsync(file.Path, CancellationToken.None);
        }
    }

    internal static BatchSlice ToSlice(ColumnChunk chunk)
    {
        var views = chunk.TakeViews(out var rows);
        return new() { Schema = chunk.Schema, Columns = views, Count = rows };
    }

    private static IEnumerable<(PartitionTuple Partition, IReadOnlyList<BatchSlice> Rows)> Split(
        List<BatchSlice> slices, WriteTarget target)
    {
        if (slices.Count == 0)
        {
            return [];
        }
        if (target.Spec.Fields.Count == 0)
        {
            return DataFileFormat.PiecesOf(slices, target.Metadata).Select(static piece => (PartitionTuple.Empty, piece));
        }
        var splitter = new PartitionSplitter(target.Spec, target.Schema.Iceberg);
        foreach (var slice in slices)
        {
            splitter.Add(slice);
        }
        return splitter.Groups().SelectMany(group => DataFileFormat.PiecesOf(group.Slices, target.Metadata).Select(piece => (group.Partition, piece)));
    }

    private static string NewLocation(SealedFlush flush, ImmutableArray<HotBatch> batches, WriteTarget target, PartitionTuple partition)
    {
        var folders = new List<string>();
        if (target.Spec.Fields.Count > 0)
        {
            folders.Add(FolderNames.Bounded(PartitionPath.Of(target.Spec, target.Schema.Iceberg, partition)));
        }
        if (batches.Length == 1)
        {
            folders.Add($"{KafkaColumns.Partition}={batches[0].Partition.Partition}");
        }
        return DataFileLocations.Of(target.Metadata, string.Join('/', folders), $"{flush.Id}-{flush.NextFileNumber()}.parquet");
    }

    private async Task<FlushedFile> WriteFileAsync(
        string location, PartitionTuple partition, IReadOnlyList<BatchSlice> rows, ImmutableArray<HotBatch> batches, WriteTarget target,
        CancellationToken cancellationToken)
    {
        var file = await writer.WriteAsync(
            new()
            {
                Store = target.Store,
                Location = location,
                Schema = target.Schema.Columns,
                Slices = rows,
                KeyValueMetadata = KafkaMetadata(batches),
                Options = DataFileFormat.OptionsOf(target.Metadata),
            },
            cancellationToken);
        FaultPoint.ReachFile("flush.file-written", target.Store, location);
        return new(
            DataFileMetrics.ToDataFile(file, location, target.Spec.SpecId, partition, target.Schema.Iceberg, target.Metrics), file.Sha256);
    }

    /// <summary>Says in the file itself which records it holds, for whoever finds it without the table.</summary>
    private static Dictionary<string, string> KafkaMetadata(ImmutableArray<HotBatch> batches)
    {
        if (batches.Length > 1)
        {
            return new()
            {
                ["kafka.ranges"] = string.Join(
                    ' ', batches.Select(static batch => $"{batch.Partition}:{batch.StartOffset}-{batch.NextOffset - 1}")),
            };
        }
        var batch = batches[0];
        return new()
        {
            ["kafka.topic"] = batch.Partition.Topic,
            ["kafka.partition"] = batch.Partition.Partition.ToString(),
            ["kafka.offset.start"] = batch.StartOffset.ToString(),
            ["kafka.offset.end"] = (batch.NextOffset - 1).ToString(),
        };
    }

    /// <summary>What the files of one flush are written for; fixed while it is written.</summary>
    private sealed record WriteTarget(LoadedTable Table, TableSchema Schema)
    {
        public TableMetadata Metadata => Table.Metadata;

        public IFileIO Store => Table.FileIO;

        public PartitionSpec Spec { get; } = Table.Metadata.DefaultSpec;

        public MetricsConfig Metrics { get; } = new(Table.Metadata);

        /// <summary>What must be the same for files of an earlier attempt to be of use.</summary>
        public (int Spec, int Schema, long FileBytes) Version => (Spec.SpecId, Schema.Iceberg.SchemaId, Metadata.TableProperties.TargetFileBytes);
    }
}
