using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain.Compaction;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

/// <summary>Races between a compaction that has written its files and what others commit (lessons 27, 31 and 73).</summary>
public sealed class CompactionCommitTests : CompactionScene
{
    [Fact]
    public async Task Ingest_that_commits_first_costs_no_work()
    {
        await CreateAsync(properties: ("commit.retry.num-retries", "0"));
        await IngestAsync(0, 0, 5);
        await IngestAsync(0, 5, 5);
        using var batch = await WriteBatchAsync();
        var conflicts = 0;
        Catalog.BeforeCommit = async () =>
        {
            Catalog.BeforeCommit = null;
            var file = await WriteAsync(1, conflicts * 5, 5, "z");
            var table = await Catalog.LoadTableAsync(Name, Cancel);
            var append = new AppendFiles(new ManifestCache(Catalog.FileIO), TimeProvider.System).Add(file);
            var staged = await append.StageAsync(table.Metadata, Cancel);
            await Catalog.CommitTableAsync(Name, staged.Requirements, staged.Updates, Cancel);
            conflicts++;
        };

        var (counts, isCommitted) = await new CompactionCommit(Maintained).RunAsync(batch.Batch, new(), Cancel);

        Assert.True(isCommitted);
        Assert.Equal((1, 2, 1), (conflicts, counts.FilesIn, counts.FilesOut));
        Assert.Equal(Rows(0, 0, 10).Concat(Rows(1, 0, 5, "z")).Order(), (await RowsAsync()).Order());
    }

    [Fact]
    public async Task A_file_that_another_took_out_costs_its_own_unit_and_what_was_written_for_it_is_gone()
    {
        await CreateAsync();
        var gone = await IngestAsync(0, 0, 5);
        await IngestAsync(0, 5, 5);
        await IngestAsync(1, 0, 5);
        await IngestAsync(1, 5, 5);
        using var batch = await WriteBatchAsync();
        await Committer.RewriteAsync(
            new()
            {
                FlushId = "r1",
                Kind = "replay",
                Start = (await LoadAsync()).CurrentSnapshot,
                Removed = [gone],
                Added = [],
                Validate = static (_, _) => Task.CompletedTask,
            },
            Cancel);

        var (counts, isCommitted) = await new CompactionCommit(Maintained).RunAsync(batch.Batch, new(), Cancel);

        Assert.True(isCommitted);
        Assert.Equal((2, 1), (counts.FilesIn, counts.FilesOut));
        Assert.Equal(Rows(0, 5, 5).Concat(Rows(1, 0, 10)).Order(), (await RowsAsync()).Order());
        Assert.Equal(5, (await StoredDataAsync()).Count); // four of ingest, one of the compaction
    }

    [Fact]
    public async Task Rows_deleted_by_position_since_they_were_read_are_not_brought_back_and_those_deleted_by_value_stay_deleted()
    {
        await CreateAsync();
        var file = await IngestAsync(0, 0, 5);
        await IngestAsync(0, 5, 5);
        var other = await IngestAsync(1, 0, 5);
        await IngestAsync(1, 5, 5);
        using var batch = await WriteBatchAsync();
        await DeletePositionsAsync(file, (file.Path, 1));
        await DeleteIdsAsync(other, 3);

        var (counts, _) = await new CompactionCommit(Maintained).RunAsync(batch.Batch, new(), Cancel);

        Assert.Equal((2, 1, 0), (counts.FilesIn, counts.FilesOut, counts.DeleteFilesRemoved));
        await CompactAsync();
        Assert.Equal(Rows(0, 0, 10).Where((_, row) => row is not (1 or 3)).Concat(Rows(1, 0, 10).Where((_, row) => row != 3)).Order(), (await RowsAsync()).Order());
    }

    [Fact]
    public async Task A_lost_answer_is_looked_up_and_the_files_stay()
    {
        await CreateAsync();
        await IngestAsync(0, 0, 5);
        await IngestAsync(0, 5, 5);
        Catalog.AfterCommit = () =>
        {
            Catalog.AfterCommit = null;
            throw new CommitStateUnknownException("the line was cut");
        };

        Assert.Equal((2, 1, 1), await CompactAsync() is var counts ? (counts.FilesIn, counts.FilesOut, counts.Commits) : default);
        Assert.Equal(Rows(0, 0, 10), await RowsAsync());
    }

    /// <summary>Everything that there is to compact, written and not committed.</summary>
    private async Task<Written> WriteBatchAsync()
    {
        var version = (await State.RefreshAsync(Cancel))!;
        var (batch, places) = (new CompactionBatch(Guid.NewGuid().ToString(), version), new KafkaPlaces());
        var inputs = new List<CompactionInput>();
        foreach (var file in await LiveAsync())
        {
            inputs.Add(new(
                file, new(0, file.File.Partition, await places.OfAsync(file.File, version, Cancel)), KafkaPlaces.FirstOffsetOf(file.File, version.Metadata.CurrentSchema)));
        }
        var rewriter = new UnitRewriter(version.Table, batch.Id, 1 << 30);
        foreach (var unit in CompactionPlan.Of(inputs, new(1 << 20, 1 << 30, 1 << 30)).Units)
        {
            batch.Units.Add(await rewriter.RewriteAsync(unit, static () => { }, Cancel));
        }
        return new(batch, rewriter);
    }

    private sealed record Written(CompactionBatch Batch, UnitRewriter Rewriter) : IDisposable
    {
        public void Dispose() => Rewriter.Dispose();
    }
}
