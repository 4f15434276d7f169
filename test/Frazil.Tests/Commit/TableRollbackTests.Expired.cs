using Frazil.Config;
using Frazil.Iceberg;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>The same where an expiry, or an engine that clears summaries, has left no snapshot that mirrors the progress.</summary>
public sealed partial class TableRollbackTests
{
    private const string Mark = "frazil.snapshot.events";

    /// <summary>What the hostile suite found: the property said 40, the table had no row, and nothing noticed.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_table_replaced_in_place_after_an_expiry_is_noticed_and_read_again(bool isFilledAnew, bool isOfAnOlderVersion)
    {
        await CommitAsync("f1", Unit(P0, null, 10), Unit(P1, null, 5));
        await ForeignAppendAsync();
        await ExpireAllButCurrentAsync();
        await ReplaceAsync(isFilledAnew);
        if (isOfAnOlderVersion)
        {
            await ChangeAsync(new TableUpdate.RemoveProperties([Mark]));
        }

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));
        Assert.Contains("events[0] (property: 10, rows: up to none)", error.Message, StringComparison.Ordinal);
        var (_, again) = NewProcess(OnRollback.ReadAgain);
        await again.CheckRollbackAsync(["events"], Cancel);

        var properties = (await LoadAsync()).Properties;
        Assert.DoesNotContain("frazil.offsets.events", properties);
        Assert.DoesNotContain(Mark, properties);
        Assert.Empty((await again.CommitAsync(new("anew", [Unit(P0, null, 10)]), Cancel)).Fenced);
        await AssertProgressAsync("""{"0":10}""");
    }

    /// <summary>The hostile suite, seed 20261128, round 16: PyIceberg's expiry makes the oldest snapshot that stays one without a parent.
    /// It stopped, or read again and doubled the rows.</summary>
    [Fact]
    public async Task An_expiry_that_takes_the_parent_from_the_oldest_snapshot_is_no_rollback()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ForeignAppendAsync();
        await ExpireAllButCurrentAsync();
        Catalog.AfterLoad = table => Task.FromResult(table with
        {
            Metadata = table.Metadata with
            {
                Snapshots = [.. table.Metadata.Snapshots.Select(static (one, index) => index == 0 ? one with { ParentSnapshotId = null } : one)],
            },
        });

        var (_, fresh) = NewProcess(OnRollback.ReadAgain);
        await fresh.CheckRollbackAsync(["events"], Cancel);

        Assert.Empty((await fresh.CommitAsync(new("f2", [Unit(P0, 10, 20)]), Cancel)).Fenced);
        await AssertProgressAsync("""{"0":20}""");
    }

    [Fact]
    public async Task A_table_of_an_older_version_that_was_replaced_and_filled_by_others_is_left_alone_because_nothing_tells()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ForeignAppendAsync();
        await ExpireAllButCurrentAsync();
        await ReplaceAsync(isFilledAnew: true);
        await ChangeAsync(new TableUpdate.RemoveProperties([Mark]));

        await Committer.CheckRollbackAsync(["events"], Cancel);
    }

    /// <summary>Where the rows end is not known then, so that reading again would double some or miss some.</summary>
    [Theory]
    [InlineData(OnRollback.Stop)]
    [InlineData(OnRollback.ReadAgain)]
    public async Task A_rollback_whose_older_snapshots_were_expired_stops_the_table_whatever_the_configuration_says(OnRollback onRollback)
    {
        await RollBackToForeignAsync();
        var (_, fresh) = NewProcess(onRollback);

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => fresh.CheckRollbackAsync(["events"], Cancel));

        Assert.Contains("events[0] (property: 20, rows: nothing tells)", error.Message, StringComparison.Ordinal);
        await AssertProgressAsync("""{"0":20}""");
    }

    [Fact]
    public async Task What_the_message_offers_where_nothing_tells_lets_the_table_go_on()
    {
        await RollBackToForeignAsync();
        await ChangeAsync(
            new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.events"] = """{"0":10}""" }), new TableUpdate.RemoveProperties([Mark]));

        await Committer.CheckRollbackAsync(["events"], Cancel);
        Assert.Empty((await CommitAsync("f2-again", Unit(P0, 10, 20))).Fenced);
    }

    [Fact]
    public async Task A_rollback_below_a_snapshot_of_ours_that_a_tag_keeps_is_noticed_also_in_a_table_of_an_older_version()
    {
        await RollBackToForeignAsync(expire: false);
        var metadata = await LoadAsync();
        await ChangeAsync(new TableUpdate.RemoveSnapshots([metadata.Snapshots[0].SnapshotId]), new TableUpdate.RemoveProperties([Mark]));

        await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f3", Unit(P0, 20, 30)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Progress_that_was_removed_after_an_expiry_is_noticed_unless_the_topic_is_another(bool isAnother)
    {
        var identities = Identities(Guid.NewGuid());
        await With(identities).CommitAsync(new("f1", [Unit(P0, null, 10)]), Cancel);
        await ForeignAppendAsync();
        await ExpireAllButCurrentAsync();
        await ChangeAsync(new TableUpdate.RemoveProperties(["frazil.offsets.events", "frazil.topic-id.events"]));
        var asked = With(isAnother ? Identities(Guid.NewGuid()) : identities, OnRollback.ReadAgain);

        var check = asked.CheckRollbackAsync(["events"], Cancel);

        if (isAnother)
        {
            await check;
            Assert.Empty((await asked.CommitAsync(new("anew", [Unit(P0, null, 4)]), Cancel)).Fenced);
        }
        else
        {
            Assert.Contains("events (property: none, rows: nothing tells)", (await Assert.ThrowsAsync<PipelineFailedException>(() => check)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Summaries_that_others_cleared_are_no_rollback_and_after_one_they_are_not_taken_for_rows_of_others()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await CommitAsync("f2", Unit(P0, 10, 20));
        ClearSummaries((await LoadAsync()).Snapshots);

        var (_, fresh) = NewProcess(OnRollback.ReadAgain);
        await fresh.CheckRollbackAsync(["events"], Cancel);
        Assert.Empty((await fresh.CommitAsync(new("f3", [Unit(P0, 20, 30)]), Cancel)).Fenced);
        await SetMainAsync((await LoadAsync()).Snapshots[1].SnapshotId);

        await Assert.ThrowsAsync<PipelineFailedException>(() => NewProcess(OnRollback.ReadAgain).Committer.CheckRollbackAsync(["events"], Cancel));
        await AssertProgressAsync("""{"0":30}""");
    }

    /// <summary>The hostile suite, seed 20261203, round 215: summaries and properties were cleared, and all was read and written again.</summary>
    [Theory]
    [InlineData("cleared")]
    [InlineData("expired")]
    public async Task Rows_from_Kafka_of_which_nothing_tells_any_more_stop_the_table(string how)
    {
        await ChangeAsync(
            new TableUpdate.AddSchema(
                new(0, [.. (await LoadAsync()).CurrentSchema.Fields, new NestedField(2, "kafka_offset", false, IcebergType.Long)]), null),
            new TableUpdate.SetCurrentSchema(TableUpdate.LastAdded));
        var unit = Unit(P0, null, 10);
        await CommitAsync("f1", unit with { Files = [unit.Files[0] with { LowerBounds = new([KeyValuePair.Create(2, new byte[8])]) }] });
        if (how == "expired")
        {
            await ForeignAppendAsync();
            await ExpireAllButCurrentAsync();
        }
        else
        {
            ClearSummaries((await LoadAsync()).Snapshots);
        }
        await ChangeAsync(new TableUpdate.RemoveProperties([.. (await LoadAsync()).Properties.Keys.Where(static key => key.StartsWith("frazil.", StringComparison.Ordinal))]));

        foreach (var onRollback in new[] { OnRollback.Stop, OnRollback.ReadAgain })
        {
            var error = await Assert.ThrowsAsync<PipelineFailedException>(() => NewProcess(onRollback).Committer.CheckRollbackAsync(["events"], Cancel));
            Assert.Contains("events (property: none, rows: nothing tells)", error.Message, StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));
        await NewProcess(OnRollback.GoOn).Committer.CheckRollbackAsync(["events"], Cancel);
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.events"] = """{"0":10}""" }));
        Assert.Empty((await CommitAsync("f2", Unit(P0, 10, 20))).Fenced);
    }

    [Fact]
    public async Task Offsets_to_begin_at_that_were_set_before_the_first_snapshot_are_no_rollback()
    {
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.events"] = """{"0":500}""" }));

        Assert.Empty((await CommitAsync("f1", Unit(P0, 500, 510))).Fenced);
    }

    [Theory]
    [InlineData(Mark, "")]
    [InlineData(Mark, "null")]
    [InlineData(Mark, "{}")]
    [InlineData(Mark, "[1]")]
    [InlineData(Mark, """{"snapshot-id":"x"}""")]
    [InlineData("source-snapshot-id", "x")]
    public async Task What_others_wrote_into_our_properties_stops_no_commit(string name, string value)
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { [name] = value }));
        await ForeignAppendAsync(summary: (name, value));
        await ExpireAllButCurrentAsync();

        Assert.Empty((await CommitAsync("f2", Unit(P0, 10, 20))).Fenced);
    }

    private void ClearSummaries(IEnumerable<Snapshot> snapshots)
    {
        var cleared = snapshots.Select(static snapshot => snapshot.SnapshotId).ToHashSet();
        Catalog.AfterLoad = table => Task.FromResult(table with
        {
            Metadata = table.Metadata with
            {
                Snapshots = [.. table.Metadata.Snapshots.Select(one => cleared.Contains(one.SnapshotId)
                    ? one with { Summary = new Dictionary<string, string> { ["operation"] = "append" } } : one)],
            },
        });
    }

    private async Task ReplaceAsync(bool isFilledAnew)
    {
        var before = await LoadAsync();
        await ChangeAsync(new TableUpdate.RemoveSnapshotRef("main"), new TableUpdate.RemoveSnapshots([.. before.Snapshots.Select(static one => one.SnapshotId)]));
        if (isFilledAnew)
        {
            await ForeignAppendAsync();
        }
    }

    /// <summary>f1, rows of others, f2; back to the rows of others.</summary>
    private async Task RollBackToForeignAsync(bool expire = true)
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ForeignAppendAsync();
        var foreign = (await LoadAsync()).CurrentSnapshotId!.Value;
        await CommitAsync("f2", Unit(P0, 10, 20));
        await SetMainAsync(foreign);
        if (expire)
        {
            await ExpireAllButCurrentAsync();
        }
    }
}
