using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>LESSONS 40: other hands part a table's progress from its rows; that is never built on in silence.</summary>
public sealed partial class TableRollbackTests : TableScene
{
    [Fact]
    public async Task A_table_that_was_rolled_back_stops_with_the_offsets_that_no_longer_agree()
    {
        await RollBackAsync();

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f3", Unit(P0, 20, 30)));

        Assert.Contains("events[0] (property: 20, rows: up to offset 9)", error.Message, StringComparison.Ordinal);
        Assert.Contains("on_rollback", error.Message, StringComparison.Ordinal);
        var (fresh, other) = NewProcess();
        await fresh.RefreshAsync(Cancel);
        await Assert.ThrowsAsync<PipelineFailedException>(() => other.CheckRollbackAsync(["events"], Cancel));
    }

    [Fact]
    public async Task Records_are_read_again_from_where_the_rows_end_when_the_configuration_says_so()
    {
        await RollBackAsync();
        var (_, again) = NewProcess(OnRollback.ReadAgain);

        var outcome = await again.CommitAsync(new("f3", [Unit(P0, 20, 30)]), Cancel);

        Assert.Single(outcome.Fenced); // what was read behind the hole is dropped, and reading begins where the table is now
        await AssertProgressAsync("""{"0":10}""");
        Assert.Empty((await again.CommitAsync(new("f2-again", [Unit(P0, 10, 20)]), Cancel)).Fenced);
        await AssertProgressAsync("""{"0":20}""");
        await again.CheckRollbackAsync(["events"], Cancel);
    }

    [Fact]
    public async Task What_was_recorded_of_gaps_goes_back_with_the_progress()
    {
        await CommitAsync("f1", Gap(Unit(P0, null, 10), new(3, 5)));
        var first = (await LoadAsync()).CurrentSnapshotId!.Value;
        await CommitAsync("f2", Gap(Unit(P0, 10, 20), new(12, 12)));
        await SetMainAsync(first);

        await NewProcess(OnRollback.ReadAgain).Committer.CheckRollbackAsync(["events"], Cancel);

        Assert.Equal("""{"0":{"first":0,"retention":[[3,5]]}}""", (await LoadAsync()).Properties["frazil.gaps.events"]);
    }

    [Fact]
    public async Task Ingest_goes_on_where_it_is_when_the_configuration_says_so()
    {
        await RollBackAsync();
        var (_, heedless) = NewProcess(OnRollback.GoOn);

        Assert.Empty((await heedless.CommitAsync(new("f3", [Unit(P0, 20, 30)]), Cancel)).Fenced);

        await AssertProgressAsync("""{"0":30}""");
        await Committer.CheckRollbackAsync(["events"], Cancel); // progress and rows agree from that commit on
    }

    [Fact]
    public async Task A_rollback_to_before_the_first_commit_is_noticed()
    {
        await ForeignAppendAsync();
        var before = (await LoadAsync()).CurrentSnapshotId!.Value;
        await CommitAsync("f1", Unit(P0, null, 10), Unit(P1, null, 5));
        await SetMainAsync(before);

        await NewProcess(OnRollback.ReadAgain).Committer.CheckRollbackAsync(["events"], Cancel);

        Assert.False((await LoadAsync()).Properties.ContainsKey("frazil.offsets.events"));
    }

    /// <summary>As CREATE OR REPLACE TABLE does: the UUID and the properties stay, the history begins anew.</summary>
    [Fact]
    public async Task A_table_replaced_in_place_is_noticed()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ChangeAsync(new TableUpdate.RemoveSnapshotRef("main"));
        await ForeignAppendAsync();

        await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));
    }

    [Fact]
    public async Task A_branch_put_in_the_place_of_main_is_noticed()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ChangeAsync(new TableUpdate.SetSnapshotRef("audit", new SnapshotRef((await LoadAsync()).CurrentSnapshotId!.Value)));
        await CommitAsync("f2", Unit(P0, 10, 20));
        await ForeignAppendAsync("audit");
        await SetMainAsync((await LoadAsync()).SnapshotByRef("audit")!.SnapshotId);

        await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f3", Unit(P0, 20, 30)));
    }

    [Fact]
    public async Task A_snapshot_that_was_cherry_picked_back_says_what_the_original_did()
    {
        var (first, second) = await RollBackAsync();
        await ForeignAppendAsync(summary: ("source-snapshot-id", $"{second}"));

        await Committer.CheckRollbackAsync(["events"], Cancel);
        Assert.Empty((await CommitAsync("f3", Unit(P0, 20, 30))).Fenced);
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("frazil.offsets.events")]
    [InlineData("frazil.offsets.events", "frazil.topic-id.events")]
    public async Task Progress_that_was_removed_is_noticed_and_put_back(params string[] removed)
    {
        var identities = Identities(Guid.NewGuid());
        await With(identities).CommitAsync(new("f1", [Unit(P0, null, 10)]), Cancel);
        await ChangeAsync(new TableUpdate.RemoveProperties(removed));

        await Assert.ThrowsAsync<PipelineFailedException>(() => With(identities).CommitAsync(new("f2", [Unit(P0, null, 10)]), Cancel));
        await With(identities, OnRollback.ReadAgain).CheckRollbackAsync(["events"], Cancel);

        await AssertProgressAsync("""{"0":10}""");
    }

    /// <summary>What the message about a recreated topic offers.</summary>
    [Fact]
    public async Task A_recreated_topic_whose_progress_was_removed_is_read_anew()
    {
        await With(Identities(Guid.NewGuid())).CommitAsync(new("f1", [Unit(P0, null, 10)]), Cancel);
        await ChangeAsync(new TableUpdate.RemoveProperties(["frazil.offsets.events", "frazil.topic-id.events"]));
        var anew = With(Identities(Guid.NewGuid()));

        await anew.CheckRollbackAsync(["events"], Cancel);
        Assert.Empty((await anew.CommitAsync(new("anew", [Unit(P0, null, 4)]), Cancel)).Fenced);

        await anew.CheckRollbackAsync(["events"], Cancel);
        await AssertProgressAsync("""{"0":4}""");
    }

    [Theory]
    [InlineData("append")]
    [InlineData("expire")]
    [InlineData("compact")]
    public async Task What_other_engines_do_every_day_is_no_rollback(string what)
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var unit = Unit(P0, 10, 20);
        await CommitAsync("f2", unit);
        await (what == "compact" ? ForeignReplaceAsync(unit.Files[0]) : ForeignAppendAsync());
        if (what == "expire")
        {
            await ExpireAllButCurrentAsync();
        }

        await Committer.CheckRollbackAsync(["events"], Cancel);
        Assert.Empty((await CommitAsync("f3", Unit(P0, 20, 30))).Fenced);
    }

    private static TopicIdentities Identities(Guid id)
    {
        var identities = new TopicIdentities(null!, "shop.events", NullLogger.Instance); // nobody is asked
        identities.Compare(new(new Dictionary<string, Guid> { ["events"] = id }, null), null);
        return identities;
    }

    private TableCommitter With(TopicIdentities identities, OnRollback onRollback = OnRollback.Stop)
        => new(new(Catalog, Table), new TableMetrics(), NullLogger.Instance, identities, onRollback);

    private async Task<(long First, long Second)> RollBackAsync()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var first = (await LoadAsync()).CurrentSnapshotId!.Value;
        await CommitAsync("f2", Unit(P0, 10, 20));
        var second = (await LoadAsync()).CurrentSnapshotId!.Value;
        await SetMainAsync(first);
        return (first, second);
    }

    private Task SetMainAsync(long snapshotId) => ChangeAsync(new TableUpdate.SetSnapshotRef("main", new SnapshotRef(snapshotId)));

    private async Task AssertProgressAsync(string expected) => Assert.Equal(expected, (await LoadAsync()).Properties["frazil.offsets.events"]);
}
