using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>What other engines do to a table between and during our commits loses nothing, doubles nothing and stops nothing that could go
/// on. A real SQL catalog and real files; only the line to the catalog is made to fail.</summary>
public sealed class OtherHandsTests : TableScene
{
    /// <summary>LESSONS 37; the first one threw after the swap, and 20,000 committed rows were deleted as fenced.</summary>
    [Theory]
    [InlineData("write.metadata.delete-after-commit.enabled", "yes")]
    [InlineData("write.metadata.delete-after-commit.enabled", "1")]
    [InlineData("write.metadata.previous-versions-max", "many")]
    [InlineData("write.metadata.previous-versions-max", "-1")]
    [InlineData("write.metadata.previous-versions-max", "99999999999999999999")]
    [InlineData("write.metadata.compression-codec", "zstd")]
    [InlineData("write.metadata.metrics.default", "truncate(0)")]
    [InlineData("write.metadata.metrics.column.dropped", "none")]
    [InlineData("write.metadata.path", "s3://elsewhere/metadata")]
    [InlineData("write.metadata.path", "relative")]
    [InlineData("write.metadata.path", "")]
    [InlineData("commit.manifest-merge.enabled", "on")]
    [InlineData("commit.manifest.target-size-bytes", "0")]
    [InlineData("commit.manifest.min-count-to-merge", "2.5")]
    [InlineData("commit.retry.num-retries", "-3")]
    [InlineData("commit.retry.max-wait-ms", "9223372036854775807")]
    [InlineData("commit.retry.min-wait-ms", "-5")]
    [InlineData("commit.retry.total-timeout-ms", "9223372036854775807")]
    [InlineData("gc.enabled", "maybe")]
    public async Task A_property_value_that_nobody_reads_so_neither_stops_a_commit_nor_throws_after_its_swap(string name, string value)
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { [name] = value }));

        await CommitAsync("f2", Unit(P0, 10, 20));
        var (_, other) = NewProcess();
        Catalog.BeforeCommit = () => other.CommitAsync(new("theirs", [Unit(P1, null, 5)]), CancellationToken.None);
        var outcome = await CommitAsync("f3", Unit(P0, 20, 30));

        Assert.Empty(outcome.Fenced);
        Assert.Equal("""{"0":30,"1":5}""", (await LoadAsync()).Properties["frazil.offsets.events"]);
        Assert.Equal(4, (await LiveFilesAsync()).Count);
    }

    /// <summary>Whatever a catalog throws, and whatever it calls it: only the table tells. LESSONS 63: the conflict is that of a proxy's
    /// second try.</summary>
    [Theory]
    [InlineData("validation")]
    [InlineData("conflict")]
    [InlineData("no such table")]
    [InlineData("format")]
    [InlineData("cancelled")]
    public async Task An_error_that_comes_after_the_swap_loses_no_file_that_the_table_names(string kind)
    {
        Exception error = kind switch
        {
            "validation" => new ValidationException("a property is odd"),
            "conflict" => new CommitConflictException("answer to the second try of a proxy"),
            "no such table" => new NoSuchTableException("a cache says so"),
            "format" => new FormatException("an answer that is no JSON"),
            _ => new OperationCanceledException("a time-out of the line"),
        };
        Catalog.AfterCommit = () => throw error;
        var unit = Unit(P0, null, 10);

        var outcome = await CommitUntilAnsweredAsync("f1", unit);
        await DeleteIfToldAsync(outcome);

        Assert.Empty(outcome.Fenced);
        Assert.Equal(1, Catalog.Commits);
        Assert.Equal([unit.Files[0].Path], await LiveFilesAsync()); // reads the manifests too
        Assert.True(File.Exists(LocalPath(unit.Files[0])));
    }

    [Theory]
    [InlineData("current")]
    [InlineData("expired")]
    [InlineData("rewritten")]
    public async Task Files_believed_unused_stay_where_a_kept_version_names_them(string where)
    {
        var unit = Unit(P0, null, 10);
        await CommitAsync("f1", unit);
        if (where != "current")
        {
            await ForeignReplaceAsync(unit.Files[0]);
        }
        if (where == "expired")
        {
            await ExpireAllButCurrentAsync();
        }
        var nobodys = Unit(P0, 10, 20).Files[0];

        await Committer.DeleteUnusedAsync([unit.Files[0], nobodys]);

        Assert.True(File.Exists(LocalPath(unit.Files[0])));
        Assert.False(File.Exists(LocalPath(nobodys)));
    }

    [Fact]
    public async Task Nothing_is_deleted_where_the_catalog_cannot_say_what_is_named()
    {
        var unit = Unit(P0, null, 10);
        Catalog.BeforeLoad = static () => throw new CatalogUnavailableException("it is away");

        await Committer.DeleteUnusedAsync(unit.Files);

        Assert.True(File.Exists(LocalPath(unit.Files[0])));
    }

    [Fact]
    public async Task A_commit_that_lost_its_race_leaves_no_manifest_behind()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var (_, zombie) = NewProcess();
        Catalog.BeforeCommit = () => zombie.CommitAsync(new("zombie", [Unit(P0, 10, 25)]), CancellationToken.None);

        await CommitAsync("ours", Unit(P0, 10, 20));

        Assert.Equal(4, MetadataFiles("*.avro").Length); // a manifest and a list of each of the two
    }

    [Fact]
    public async Task A_manifest_that_the_commit_itself_merged_is_not_left_behind()
    {
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["commit.manifest.min-count-to-merge"] = "2" }));
        await CommitAsync("f1", Unit(P0, null, 10));
        await CommitAsync("f2", Unit(P0, 10, 20));
        await CommitAsync("f3", Unit(P0, 20, 30));

        Assert.Equal(3, MetadataFiles("*-m*.avro").Length);
        Assert.Equal(3, (await LiveFilesAsync()).Count);
    }

    /// <summary>LESSONS 38.</summary>
    [Theory]
    [InlineData("schema", "100")]
    [InlineData("schema", "1")]
    [InlineData("snapshot", "1")]
    [InlineData("property", "1")]
    public async Task A_refresh_that_began_earlier_and_ends_later_puts_no_older_version_back(string change, string keptVersions)
    {
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["write.metadata.previous-versions-max"] = keptVersions }));
        await CommitAsync("f1", Unit(P0, null, 10));
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Catalog.AfterLoad = async loaded =>
        {
            Catalog.AfterLoad = Task.FromResult;
            held.SetResult();
            await release.Task;
            return loaded;
        };
        var slow = State.RefreshAsync(Cancel);
        await held.Task;
        for (var i = 0; i < 3; i++)
        {
            switch (change)
            {
                case "schema":
                    await Committer.ChangeAsync(version => (
                        SchemaUpdate.RequirementsFor(version.Metadata),
                        new SchemaUpdate(version.Metadata).AddColumn($"c{i}", IcebergType.Long).ToUpdates()), Cancel);
                    break;
                case "snapshot":
                    await CommitAsync($"g{i}", Unit(P0, 10 + i, 11 + i));
                    break;
                default:
                    await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["round"] = $"{i}" }));
                    await State.RefreshAsync(Cancel);
                    break;
            }
        }
        var newest = State.Current;

        release.SetResult();

        Assert.Same(newest, await slow);
        Assert.Same(newest, State.Current);
        Assert.Equal((await Catalog.LoadTableAsync(Table)).MetadataLocation, State.Current!.Table.MetadataLocation);
    }

    [Fact]
    public async Task A_catalog_that_really_went_back_is_told_and_not_built_on()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var before = await Catalog.LoadTableAsync(Table);
        await CommitAsync("f2", Unit(P0, 10, 20));
        await Catalog.DropTableAsync(Table);
        await Catalog.RegisterTableAsync(Table, before.MetadataLocation);

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f3", Unit(P0, 20, 30)));

        Assert.Contains("went back", error.Message, StringComparison.Ordinal);
        var (fresh, _) = NewProcess();
        Assert.Equal(10, (await fresh.RefreshAsync(Cancel))!.Progress.NextOffset(P0));
    }

    [Fact]
    public async Task A_look_that_began_before_the_table_was_made_does_not_say_that_it_was_dropped()
    {
        var (state, _) = NewProcess();
        var made = await Catalog.LoadTableAsync(Table, Cancel);
        Catalog.BeforeLoad = () =>
        {
            state.Set(made); // by who made it, while the catalog still says no to us
            throw new NoSuchTableException($"there is no table {Table}");
        };
        Assert.Equal(made.MetadataLocation, (await state.RefreshAsync(Cancel))?.Table.MetadataLocation);
        await Assert.ThrowsAsync<PipelineFailedException>(() => state.RefreshAsync(Cancel)); // that one began later
    }

    [Theory]
    [InlineData("int", "long", true)]
    [InlineData("float", "double", true)]
    [InlineData("decimal(10,2)", "decimal(14,2)", true)]
    [InlineData("list<int>", "list<long>", true)]
    [InlineData("struct<a: float, b: map<string, int>>", "struct<a: double, b: map<string, long>, c: string>", true)]
    [InlineData("long", "int", false)]
    [InlineData("decimal(10,2)", "decimal(14,3)", false)]
    [InlineData("string", "binary", false)]
    public async Task A_declared_column_that_another_engine_made_wider_does_not_keep_its_table_from_starting(string declared, string actual, bool starts)
    {
        var name = TableIdentifier.Parse("shop.wider");
        var ids = 10;
        var table = await Catalog.CreateTableAsync(name, new Schema(0, [new NestedField(1, "v", false, IcebergTypeParser.Parse(actual, () => ++ids))]));
        var options = new TableOptions { Name = "shop.wider", Columns = new Dictionary<string, string> { ["v"] = declared }, KafkaColumns = [] };
        Assert.Equal(starts, TableCompatibility.Problems(table.Metadata, options).Count == 0);
    }

    [Fact]
    public async Task A_table_that_was_upgraded_while_it_is_written_stops_with_the_reason()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ChangeAsync(new TableUpdate.UpgradeFormatVersion(3));

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));

        Assert.Contains("v3", error.Message, StringComparison.Ordinal);
        Assert.Equal("""{"0":10}""", (await LoadAsync()).Properties["frazil.offsets.events"]);
    }

    [Fact]
    public async Task Retries_end_when_their_total_time_is_over()
    {
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string>
        {
            ["commit.retry.num-retries"] = "1000000",
            ["commit.retry.total-timeout-ms"] = "0",
        }));
        var (_, other) = NewProcess();
        Catalog.BeforeCommit = () => other.CommitAsync(new("theirs", [Unit(P1, null, 5)]), CancellationToken.None);

        await Assert.ThrowsAsync<CommitConflictException>(() => CommitAsync("f1", Unit(P0, null, 10)));
    }
}
