using System.Text.Json;
using System.Text.Json.Nodes;
using Frazil.Kafka;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Crash;

/// <summary>Bugs that systems like ours shipped, each tried on the real binary (docs/reliability.md lists which test is which).</summary>
public sealed class LessonTests(SharedBroker shared) : IAsyncLifetime
{
    private static readonly SceneTraits Usual = new(6, 6, BadRecords: false, Transactions: false, OwnBroker: false, SmallDisk: false, SharesEntry: false);

    private readonly CancellationTokenSource time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly CrashTally tally = new();
    private Recounter? recounter;
    private SceneStage? stage;
    private CrashScene? scene;
    private RoundRunner? runner;

    private CrashScene Scene => scene!;
    private RoundRunner Runner => runner!;

    [Theory]
    [InlineData("append")]
    [InlineData("expire")]
    [InlineData("compact")]
    public async Task A_crash_after_the_commit_before_we_knew_with_a_foreign_commit_on_top_doubles_nothing(string foreign)
    {
        await SetAsync(Usual);
        await using (var first = Scene.Start(new(RoundKind.Point, "commit.swapped=kill@3")))
        {
            await first.ReadyAsync(time.Token);
            Scene.Arm();
            Assert.True(
                await Runner.UntilPointAsync(new(RoundKind.Point, "commit.swapped"), first, time.Token, TimeSpan.FromMinutes(3)));
        }
        await Runner.CommitForeignAsync(foreign, time.Token);

        await using var second = Scene.Start(null);
        await Scene.CheckAsync(second, time.Token);
    }

    [Fact]
    public async Task A_rebalance_with_a_flush_in_flight_loses_and_doubles_nothing()
    {
        await SetAsync(Usual);
        await using var first = Scene.Start(new(RoundKind.Delay, "commit.staged=delay:700"));
        await first.ReadyAsync(time.Token);
        Scene.Arm();
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(500), time.Token);
        await using var second = Scene.Start(null, "data-second"); // partitions move while commits of the first one are under way
        Scene.Arm();
        await second.ReadyAsync(time.Token);
        await UntilCommitsAsync(second);
        await Scene.CheckAsync(first, time.Token);
        Assert.Equal(0, await second.StopAsync(time.Token));
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(300), time.Token);
        await Scene.CheckAsync(first, time.Token);
    }

    [Fact]
    public async Task Foreign_expiry_to_one_snapshot_and_foreign_compaction_between_our_commits_keep_progress()
    {
        await SetAsync(Usual);
        await using (var first = Scene.Start(null))
        {
            foreach (var foreign in new[] { "expire", "compact", "expire", "property" })
            {
                await Runner.LoadForAsync(TimeSpan.FromMilliseconds(500), time.Token);
                await Scene.DrainAsync(first, time.Token);
                await Runner.CommitForeignAsync(foreign, time.Token);
            }
            await Runner.KillAsync(first, time.Token);
        }
        await Runner.CommitForeignAsync("expire", time.Token); // none of our snapshots may be left to look progress up in
        await using var second = Scene.Start(null);
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(300), time.Token);
        await Scene.CheckAsync(second, time.Token);
    }

    /// <summary>Lessons 27, 29 and 31.</summary>
    [Fact]
    public async Task A_compaction_beside_ingest_that_is_killed_before_or_after_its_commit_loses_and_doubles_nothing()
    {
        await SetAsync(Usual);
        await using var frazil = Scene.Start(null);
        foreach (var faults in new[] { "compact.file-written=kill@1", "compact.staged=kill@1", "compact.swapped=kill@1", "" })
        {
            await Runner.LoadForAsync(TimeSpan.FromMilliseconds(500), time.Token);
            await Scene.DrainAsync(frazil, time.Token);
            Assert.Equal(faults.Length > 0 ? true : null, await Runner.CompactAsync(new(RoundKind.Compact, faults), time.Token));
        }
        await Scene.CheckAsync(frazil, time.Token);
        Assert.Equal(0, await frazil.StopAsync(time.Token));
    }

    [Theory]
    [InlineData("commit.staged=error@2;commit.swapped=error@3")] // an error before, an answer lost after
    [InlineData("commit.swapped=error%60")]
    [InlineData("commit.staged=delay:400;commit.swapped=error%40")]
    public async Task A_catalog_that_fails_dawdles_or_loses_its_answers_costs_and_doubles_nothing(string faults)
    {
        await SetAsync(Usual);
        await using var frazil = Scene.Start(new(RoundKind.Error, faults));
        await frazil.ReadyAsync(time.Token);
        Scene.Arm();
        do
        {
            await Runner.LoadForAsync(TimeSpan.FromMilliseconds(1000), time.Token);
        }
        while (!frazil.Text.Contains("fault injected", StringComparison.Ordinal));
        Scene.Disarm();

        await Scene.CheckAsync(frazil, time.Token);
        Assert.Equal(0, await frazil.StopAsync(time.Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_table_that_is_dropped_in_mid_commit_is_an_error_and_its_progress_is_not_carried_over(bool isMadeAnew)
    {
        await SetAsync(Usual);
        await using (var first = Scene.Start(new(RoundKind.Delay, "commit.staged=delay:1500")))
        {
            await Runner.LoadForAsync(TimeSpan.FromMilliseconds(300), time.Token);
            await Scene.DrainAsync(first, time.Token);
            Scene.Arm();
            using var enough = new CancellationTokenSource();
            var load = Runner.LoadUntilAsync(enough.Token, time.Token);
            await Runner.LoadForAsync(TimeSpan.FromMilliseconds(600), time.Token); // a commit is staged now, and waits; behind it the next
            await Scene.AskAsync(new() { ["op"] = "drop", ["anew"] = isMadeAnew }, time.Token);
            Assert.Equal(1, await first.ExitAsync(time.Token));
            await enough.CancelAsync();
            await load;
            Assert.Contains(isMadeAnew ? "another table now" : "was dropped", first.Text);
        }
        var before = await Scene.AskAsync(new() { ["op"] = "count", ["sums"] = new JsonArray() }, time.Token);
        Assert.Equal(0, before.GetProperty("rows").GetInt64());
        Assert.DoesNotContain(
            before.GetProperty("properties").EnumerateObject(),
            static one => one.Name.StartsWith("frazil.offsets.", StringComparison.Ordinal));

        await using var second = Scene.Start(null); // on purpose now: by the new table's own progress, from the beginning
        await Scene.CheckAsync(second, time.Token);
    }

    [Fact]
    public async Task A_topic_that_was_deleted_and_recreated_stops_its_table_instead_of_being_spliced()
    {
        await SetAsync(Usual);
        await using (var first = Scene.Start(null))
        {
            await Runner.LoadForAsync(TimeSpan.FromMilliseconds(300), time.Token);
            await Scene.CheckAsync(first, time.Token);
            await Runner.KillAsync(first, time.Token);
        }
        var rows = Scene.Stream.Ledger.Records;
        await RecreateTopicAsync(records: 5000);

        await using var second = Scene.Start(null);
        Assert.Equal(1, await second.ExitAsync(time.Token));
        Assert.Contains("was deleted and recreated", second.Text);
        Assert.Equal(rows, await Scene.CommittedAsync(Scene.Table, time.Token));
    }

    /// <summary>When it fetches next, the new topic holds more than the old one did: no offset is out of range, and no topic was seen
    /// missing.</summary>
    [Fact]
    public async Task A_topic_that_is_recreated_while_it_is_read_stops_its_table_before_a_row_of_the_new_one_is_committed()
    {
        await SetAsync(Usual);
        await using var frazil = Scene.Start(null);
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(100), time.Token);
        await Scene.DrainAsync(frazil, time.Token);
        var rows = Scene.Stream.Ledger.Records;
        frazil.Freeze();
        await RecreateTopicAsync(records: rows + 60_000);
        frazil.Thaw();

        Assert.Equal(1, await frazil.ExitAsync(time.Token));
        Assert.Contains("was deleted and recreated", frazil.Text);
        Assert.Equal(rows, await Scene.CommittedAsync(Scene.Table, time.Token));
    }

    [Fact]
    public async Task Of_three_tables_on_one_topic_the_second_ones_failing_commits_hold_up_neither_progress_nor_commits_of_the_others()
    {
        await SetAsync(Usual, topic => $"""
            [[tables]]
            name = "shop.second"
            topics = ["{topic}"]
            columns = {"{"} amount = "decimal(10,2)" {"}"}
            [[tables]]
            name = "shop.third"
            topics = ["{topic}"]
            columns = {"{"} amount = "decimal(10,2)" {"}"}
            """);
        await using var frazil = Scene.Start(null);
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(300), time.Token);
        await Scene.DrainAsync(frazil, time.Token, "shop.second");
        var metadata = Directory.EnumerateDirectories(
            Path.Combine(Scene.Stage.Folder, "warehouse"), "metadata", SearchOption.AllDirectories)
            .Single(static path => path.Contains("second/", StringComparison.Ordinal));
        Directory.Move(metadata, metadata + "-away");
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(700), time.Token);

        await Scene.CheckAsync(frazil, time.Token);
        await Scene.CheckAsync(frazil, time.Token, "shop.third");
        if (Directory.Exists(metadata))
        {
            Directory.Delete(metadata, recursive: true);
        }
        Directory.Move(metadata + "-away", metadata);
        await Scene.CheckAsync(frazil, time.Token, "shop.second");
    }

    [Fact]
    public async Task One_active_partition_of_a_hundred_is_committed_without_waiting_for_the_others()
    {
        await SetAsync(Usual with { Partitions = 100, ActivePartitions = 1 });
        await using var frazil = Scene.Start(null);
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(800), time.Token);

        await Scene.CheckAsync(frazil, time.Token);
        Assert.Single(Scene.Stream.Ledger.Partitions);
    }

    [Fact]
    public async Task Progress_of_an_idle_table_moves_past_aborted_transactions()
    {
        await SetAsync(Usual with { Partitions = 1, ActivePartitions = 1 });
        await using var frazil = Scene.Start(null);
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(200), time.Token);
        await Scene.DrainAsync(frazil, time.Token);
        await using var producer = new KafkaProducer(
            new() { BootstrapServers = Scene.Stage.Bootstrap, TransactionalId = $"{Scene.Topic}-aborts" });
        await producer.InitTransactionsAsync(time.Token);
        producer.BeginTransaction();
        producer.Produce(Scene.Topic, 0, [], "{}"u8, time.Token);
        await producer.AbortTransactionAsync(time.Token);

        var past = Scene.Stream.Ledger.Records + 2; // the aborted record and its marker
        await frazil.UntilAsync(async () => await RecordedAsync() == past, TimeSpan.FromMilliseconds(50), time.Token);
        await Scene.CheckAsync(frazil, time.Token);
    }

    [Fact]
    public async Task Commits_slower_than_their_interval_carry_more_rows_each_and_nothing_spirals()
    {
        await SetAsync(Usual);
        await using var frazil = Scene.Start(new(RoundKind.Delay, "commit.staged=delay:900")); // the interval is 0.2 s
        await frazil.ReadyAsync(time.Token);
        Scene.Arm();
        var (slices, commits) = (0, 0d);
        for (; commits < 4 || slices < 9; slices++)
        {
            await Scene.Stream.SliceAsync(time.Token);
            await Task.Delay(20, time.Token);
            commits = await frazil.MetricAsync("frazil_commits_total", time.Token);
        }
        // still slow: what waited goes in with one or two commits, not with one for each interval
        await Scene.DrainAsync(frazil, time.Token);

        Assert.InRange(await frazil.MetricAsync("frazil_commits_total", time.Token), commits, commits + 4);
        Scene.Disarm();
        await Runner.LoadForAsync(TimeSpan.FromMilliseconds(200), time.Token);
        await Scene.CheckAsync(frazil, time.Token);
    }

    public ValueTask InitializeAsync()
    {
        time.CancelAfter(TimeSpan.FromMinutes(10));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { scene, stage, recounter })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
        time.Dispose();
    }

    private async Task SetAsync(SceneTraits traits, Func<string, string>? moreConfig = null)
    {
        SharedBroker.SkipWithoutKit();
        recounter = await Recounter.StartAsync(time.Token);
        stage = await SceneStage.SetAsync(traits, shared.NewFolder("lesson"), shared.BootstrapAsync, time.Token);
        var number = int.Parse(Path.GetFileName(stage.Folder).Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);
        scene = await CrashScene.SetAsync(new(number, traits, []), stage, recounter, seed: 0, time.Token, moreConfig);
        runner = new(scene, tally);
    }

    private async Task UntilCommitsAsync(FrazilProcess frazil)
    {
        while (await frazil.MetricAsync("frazil_commits_total", time.Token) == 0)
        {
            await Scene.Stream.SliceAsync(time.Token);
        }
    }

    /// <summary>The next offset of partition 0 that the table records.</summary>
    private async Task<long> RecordedAsync()
    {
        var seen = await Scene.AskAsync(new() { ["op"] = "count", ["sums"] = new JsonArray() }, time.Token);
        var offsets = seen.GetProperty("properties").GetProperty($"frazil.offsets.{Scene.Topic}").GetString()!;
        return JsonSerializer.Deserialize<Dictionary<int, long>>(offsets)![0];
    }

    private async Task RecreateTopicAsync(long records)
    {
        await using var admin = new KafkaAdmin(Scene.Stage.Bootstrap);
        await admin.DeleteTopicAsync(Scene.Topic, cancellationToken: time.Token);
        while (!await admin.CreateTopicAsync(Scene.Topic, 6, cancellationToken: time.Token))
        {
            await Task.Delay(50, time.Token); // the broker deletes in the background; until it is done, the name is taken
        }
        await using var producer = new KafkaProducer(new() { BootstrapServers = Scene.Stage.Bootstrap });
        for (var record = 0; record < records; record++)
        {
            producer.Produce(Scene.Topic, record % 6, [], """{"seq": 1, "user_id": 1, "amount": 1.5}"""u8, time.Token);
        }
        await producer.FlushAsync(time.Token);
    }
}
