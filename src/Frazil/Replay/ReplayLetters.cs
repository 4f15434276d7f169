using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;

namespace Frazil.Replay;

/// <summary>
/// The dead letters of a replay. A record that does not fit now becomes one unless it is one already; that is committed before its row
/// leaves the table, so that it is never in neither. A record that fits now ceases to be one, after its row is in the table. Between the
/// two commits a record may be in both, which the next replay of the range mends.
/// </summary>
internal sealed class ReplayLetters(ReplayTarget target, RangeOverwriteParts parts, DataFileWriter writer)
{
    private readonly SeenOffsets known = new();
    private readonly SeenOffsets added = new();
    private readonly List<DataFile> files = [];

    /// <summary>Letters of the range that the dead-letter table had before.</summary>
    public SeenOffsets Known => known;

    /// <summary>Letters that it did not have.</summary>
    public SeenOffsets Added => added;

    /// <summary>Files written and not committed.</summary>
    public IReadOnlyList<DataFile> Files => files;

    /// <summary>Reads which records of the range are dead letters now.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (await target.Letters.RefreshAsync(cancellationToken) is { } version)
        {
            await new RangeOverwrite(parts with { OnRow = known.Add }).ScanAsync(version, cancellationToken);
        }
    }

    /// <summary>Writes the letters of a batch that are not in the dead-letter table yet.</summary>
    public async Task WriteAsync(HotBatch batch, CancellationToken cancellationToken)
    {
        var slices = batch.DeadLetters.Select(FlushWriter.ToSlice).Select(Fresh).Where(static slice => slice.Count > 0).ToList();
        if (slices.Count == 0)
        {
            return;
        }
        var version = await target.Letters.OpenAsync(DeadLetterColumns.Schema, cancellationToken);
        files.AddRange(await RowPieces.WriteAsync(
            slices, rows => WriteFileAsync(rows, version, cancellationToken),
            file => version.Table.FileIO.DeleteAsync(file.Path, CancellationToken.None)));
    }

    private async Task<DataFile> WriteFileAsync(IReadOnlyList<BatchSlice> rows, TableVersion version, CancellationToken cancellationToken)
    {
        var location = DataFileLocations.Of(version.Metadata, "", $"{parts.FlushId}-{parts.NextNumber()}.parquet");
        var file = await writer.WriteAsync(
            new()
            {
                Store = version.Table.FileIO,
                Location = location,
                Schema = DeadLetterColumns.Columns,
                Slices = rows,
                Options = DataFileFormat.OptionsOf(version.Metadata),
            },
            cancellationToken);
        return DataFileMetrics.ToDataFile(
            file, location, DeadLetterColumns.SpecIdOf(version.Metadata), PartitionTuple.Empty, version.Metadata.CurrentSchema,
            new(version.Metadata));
    }

    /// <summary>Commits what was written.</summary>
    /// <exception cref="ReplayException">Another replay of the range was quicker.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (files.Count == 0)
        {
            return;
        }
        await target.Letters.Committer.RewriteAsync(
            new()
            {
                FlushId = parts.FlushId,
                Kind = parts.Kind,
                Branch = parts.Branch,
                Start = null,
                Removed = [],
                Added = [.. files],
                Summary = parts.Summary,
                Validate = RefuseDoublesAsync,
            },
            cancellationToken);
        files.Clear();
    }

    /// <summary>Takes the letters of records that are rows now out of the dead-letter table.</summary>
    /// <returns>How many.</returns>
    public async Task<long> RemoveMendedAsync(SeenOffsets rejected, CancellationToken cancellationToken)
    {
        if (known.IsEmpty)
        {
            return 0;
        }
        var mended = parts with
        {
            FlushId = $"{parts.FlushId}-mended",
            Kind = "replay-mended",
            Leaves = offset => !rejected.Contains(offset),
        };
        return (await new RangeOverwrite(mended).RunAsync([], cancellationToken))?.Scan.LeavingRows ?? 0;
    }

    private async Task RefuseDoublesAsync(TableVersion version, CancellationToken cancellationToken)
    {
        var doubles = new SeenOffsets();
        await new RangeOverwrite(parts with
        {
            OnRow = offset =>
            {
                if (added.Contains(offset))
                {
                    doubles.Add(offset);
                }
            },
        }).ScanAsync(version, cancellationToken);
        if (!doubles.IsEmpty)
        {
            throw new ReplayException($"another replay of the range recorded dead letters ({doubles}) at the same time; nothing was done, try again when it has ended");
        }
    }

    private unsafe BatchSlice Fresh(BatchSlice slice)
    {
        var offsets = new ReadOnlySpan<long>(slice.Columns[DeadLetterColumns.OffsetPosition].Values, (int)slice.Count);
        var rows = new List<int>();
        for (var row = 0; row < offsets.Length; row++)
        {
            if (!known.Contains(offsets[row]))
            {
                added.Add(offsets[row]);
                rows.Add(row);
            }
        }
        return new() { Schema = slice.Schema, Columns = slice.Columns, Count = rows.Count, Selection = [.. rows] };
    }
}
