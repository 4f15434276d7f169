using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;

namespace Frazil.Replay;

/// <summary>
/// Takes rows of a range of offsets out of a table and puts files in, in one commit. Files of which every row leaves are removed; others
/// are written anew without those rows. All files are written before the commit; it is planned anew when the files of the range changed
/// meanwhile.
/// </summary>
internal sealed class RangeOverwrite(RangeOverwriteParts parts)
{
    private const int MostPlans = 20;

    /// <summary>Rows of the files before the range, behind it, and of other partitions go to files of their own, so that the offsets of no
    /// two files overlap where they did not before.</summary>
    private const int Before = 0, Behind = 1, Elsewhere = 2, Leaving = -1;

    /// <summary>Looks at every row of the range that the table has now.</summary>
    /// <exception cref="DeletesNotSupportedException">The table has delete files.</exception>
    /// <exception cref="ReplayException">A file that may also hold rows beside the range is gone or cut short.</exception>
    public async Task<RangeScan> ScanAsync(TableVersion version, CancellationToken cancellationToken)
    {
        parts.Check(version);
        var (head, range) = (HeadOf(version.Metadata), parts.RangeIn(version));
        var files = ImmutableArray.CreateBuilder<ScannedFile>();
        var positions = new PositionReader(version.Table.FileIO, version.Metadata.CurrentSchema);
        foreach (var file in await CandidatesAsync(version, head, range, cancellationToken))
        {
            if (await DataFileLook.FaultOfAsync(version.Table.FileIO, file, cancellationToken) is { } fault)
            {
                files.Add(TakeUnreadable(file, fault, range, version.Metadata.CurrentSchema));
                continue;
            }
            var leaving = 0L;
            await positions.VisitOffsetsAsync(file, range, offset =>
            {
                parts.OnRow(offset);
                leaving += parts.Leaves(offset) ? 1 : 0;
            }, cancellationToken);
            files.Add(new(file, leaving));
        }
        parts.AfterScan();
        return new(version, head, range, files.ToImmutable());
    }

    /// <summary>Rows that nobody can read any more are not lost by taking their file out, as long as all of them are of the range that is read
    /// again.</summary>
    private ScannedFile TakeUnreadable(DataFile file, string fault, KafkaRange range, Schema schema)
        => parts.TakesUnreadable && range.PlaceOf(file, schema) == RangePlace.Inside
            ? new(file, file.RecordCount) { IsUnreadable = true }
            : throw new ReplayException(
                $"a file of {parts.State.Identifier} {fault}: {file.Path}. It may hold rows beside the offsets {range.First} to {range.Last} of partition {range.Partition}, so it was left; "
                + (parts.TakesUnreadable && range.OffsetsOf(file, schema) is var (first, last)
                    ? $"replay all of its offsets at once: --from {Math.Min(first, range.First)} --to {Math.Max(last, range.Last)}"
                    : "take it out of the table with another engine first, then replay its offsets"));

    /// <summary>Makes the commit; null where nothing leaves and nothing is added.</summary>
    /// <param name="added">Durable files that hold the rows to be added. They stay the caller's until the commit is known to have
    /// happened.</param>
    /// <param name="cancellationToken">Cancels before the commit.</param>
    /// <exception cref="ReplayException">The table keeps changing below the replay; nothing was committed.</exception>
    /// <exception cref="CommitStateUnknownException">It may have been committed.</exception>
    public async Task<RangeOverwritten?> RunAsync(ImmutableArray<DataFile> added, CancellationToken cancellationToken)
    {
        for (var plans = 1; ; plans++)
        {
            var version = await parts.State.RefreshAsync(cancellationToken)
                ?? throw new ReplayException($"table {parts.State.Identifier} does not exist any more");
            var scan = await ScanAsync(version, cancellationToken);
            if (added.IsEmpty && scan.Leaving.IsEmpty)
            {
                return null;
            }
            var rewritten = await RewriteAsync(scan, cancellationToken);
            try
            {
                FaultPoint.Reach($"{parts.Kind}.files-written");
                var snapshotId = await parts.Committer.RewriteAsync(ToRewrite(scan, added.AddRange(rewritten)), cancellationToken);
                return new(snapshotId, scan);
            }
            catch (Exception error) when (error is StaleRewriteException or CommitConflictException)
            {
                await parts.Committer.DeleteUnusedAsync(rewritten);
                if (plans >= MostPlans)
                {
                    throw new ReplayException($"table {parts.State.Identifier} changed {plans} times while the replay was being committed ({error.Message}); nothing was done, try again", error);
                }
            }
            catch (Exception error) when (error is ReplayException or DeletesNotSupportedException)
            {
                await DeleteAsync(rewritten); // thrown by a check before anything was offered to the catalog
                throw;
            }
        }
    }

    private TableRewrite ToRewrite(RangeScan scan, ImmutableArray<DataFile> added) => new()
    {
        FlushId = parts.FlushId,
        Kind = parts.Kind,
        Branch = parts.Branch,
        Start = scan.Head,
        Removed = [.. scan.Leaving.Select(static file => file.File)],
        Added = added,
        Summary = parts.Summary,
        Validate = (version, token) => ValidateAsync(scan, version, token),
    };

    /// <summary>The files that may hold rows of the range are still exactly those that were looked at.</summary>
    private async Task ValidateAsync(RangeScan scan, TableVersion version, CancellationToken cancellationToken)
    {
        parts.Check(version);
        var head = HeadOf(version.Metadata);
        if (head?.SnapshotId == scan.Head?.SnapshotId)
        {
            return;
        }
        var now = await CandidatesAsync(version, head, parts.RangeIn(version), cancellationToken);
        if (!now.Select(static file => file.Path).ToHashSet(StringComparer.Ordinal).SetEquals(scan.Files.Select(static file => file.File.Path)))
        {
            throw new StaleRewriteException(
                $"the files that hold {parts.State.Identifier}'s rows of the range are others since they were read");
        }
    }

    private async Task<ImmutableArray<DataFile>> RewriteAsync(RangeScan scan, CancellationToken cancellationToken)
    {
        var target = new RewriteTarget(scan.Version.Table, parts.FlushId, parts.NextNumber);
        var written = ImmutableArray.CreateBuilder<DataFile>();
        try
        {
            foreach (var file in scan.Rewritten)
            {
                written.AddRange(await parts.Rewriter.RewriteAsync(file.File, target, scan.Range, offset => Sort(offset, scan.Range), cancellationToken));
            }
            return written.ToImmutable();
        }
        catch
        {
            await DeleteAsync(written);
            throw;
        }
    }

    private int Sort(long offset, KafkaRange range)
    {
        if (offset < 0)
        {
            return Elsewhere;
        }
        return offset < range.First ? Before : offset > range.Last ? Behind : parts.Leaves(offset) ? Leaving : Before;
    }

    private async Task<List<DataFile>> CandidatesAsync(
        TableVersion version, Snapshot? head, KafkaRange range, CancellationToken cancellationToken)
    {
        var live = await LiveFiles.ListAsync(parts.State.Table.Manifests, version.Metadata, head, cancellationToken);
        return live.FindAll(file => range.PlaceOf(file, version.Metadata.CurrentSchema) != RangePlace.Outside);
    }

    /// <summary>A branch that does not exist is main as it is now.</summary>
    private Snapshot? HeadOf(TableMetadata metadata) => metadata.SnapshotByRef(parts.Branch) ?? metadata.CurrentSnapshot;

    private async Task DeleteAsync(IEnumerable<DataFile> files)
    {
        foreach (var file in files)
        {
            await parts.State.Current!.Table.FileIO.DeleteAsync(file.Path, CancellationToken.None);
        }
    }
}

/// <summary>What an overwrite works with.</summary>
internal sealed record RangeOverwriteParts
{
    public required TableState State { get; init; }
    public required TableCommitter Committer { get; init; }
    public required string Branch { get; init; }
    public required DataFileRewriter Rewriter { get; init; }
    /// <summary>Names the commit and begins the names of its files.</summary>
    public required string FlushId { get; init; }
    /// <summary>Names its fault points.</summary>
    public required string Kind { get; init; }
    public required ImmutableDictionary<string, string> Summary { get; init; }
    /// <summary>Numbers files; no number is given twice.</summary>
    public required Func<int> NextNumber { get; init; }
    public required Func<TableVersion, KafkaRange> RangeIn { get; init; }
    /// <summary>Whether a row at this offset of the range leaves the table.</summary>
    public required Func<long, bool> Leaves { get; init; }
    /// <summary>Files of the range that are gone or cut short leave the table; otherwise they stop the overwrite.</summary>
    public bool TakesUnreadable { get; init; } = true;
    /// <summary>Told of every row of the range that can be read, at each plan.</summary>
    public Action<long> OnRow { get; init; } = static _ => { };
    /// <summary>Called when all rows were told of; may throw.</summary>
    public Action AfterScan { get; init; } = static () => { };
    /// <summary>Throws where a version of the table must not be changed.</summary>
    public Action<TableVersion> Check { get; init; } = static _ => { };
}

/// <param name="File">A file that may hold rows of the range.</param>
/// <param name="LeavingRows">Rows that leave.</param>
internal readonly record struct ScannedFile(DataFile File, long LeavingRows)
{
    /// <summary>It is gone or cut short, and leaves whole.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>What a table has of a range, at one version.</summary>
/// <param name="Version">The version.</param>
/// <param name="Head">The snapshot of the branch; null where there is none.</param>
/// <param name="Range">The rows looked for.</param>
/// <param name="Files">Every file that may hold some.</param>
internal sealed record RangeScan(TableVersion Version, Snapshot? Head, KafkaRange Range, ImmutableArray<ScannedFile> Files)
{
    public ImmutableArray<ScannedFile> Leaving { get; } = [.. Files.Where(static file => file.LeavingRows > 0)];

    /// <summary>Files of which some rows stay.</summary>
    public IEnumerable<ScannedFile> Rewritten => Leaving.Where(static file => file.LeavingRows < file.File.RecordCount);

    public long LeavingRows => Leaving.Sum(static file => file.LeavingRows);
}

/// <param name="SnapshotId">The commit.</param>
/// <param name="Scan">What it took out.</param>
internal sealed record RangeOverwritten(long SnapshotId, RangeScan Scan);
