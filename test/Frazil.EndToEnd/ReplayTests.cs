using System.Globalization;
using System.Text.Json;
using Frazil.Commit;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>The real binary replays ranges of a real broker's records; foreign engines say what the table holds afterwards.</summary>
public sealed class ReplayTests(SharedBroker shared, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Ranges_of_transactional_records_are_replaced_and_every_value_stays_the_same()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "replay-txn");
        var ledger = await IngestAsync(scene, 20_000, time.Token, "--txn", "500", "--abort-every", "3");
        var before = await ReadAsync(scene, time.Token);

        foreach (var (partition, from, to) in new[] { (0, 0, 99), (1, 500, 2_000), (5, 0, await LastOffsetAsync(scene, 5, time.Token)), (5, 700, 701) })
        {
            var report = await ReplayAsync(scene, time.Token, "--partition", $"{partition}", "--from", $"{from}", "--to", $"{to}");
            Assert.Equal(report.GetProperty("rows_added").GetInt64(), report.GetProperty("rows_removed").GetInt64());
        }

        await scene.AssertExactlyAsync(ledger, gaps: true, time.Token);
        Assert.Equal(before, await ReadAsync(scene, time.Token));
        await VerifyAsync(scene, 0, time.Token);
    }

    [Fact]
    public async Task A_replay_of_a_table_partitioned_by_day_after_its_schema_evolved_keeps_every_value()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "replay-days", bootstrap => Scene.Usual(
            bootstrap, "replay-days", tableLines: ["""columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)" }""", """partition_by = ["day(event_timestamp)", "bucket(4, user_id)"]"""]));
        var ledger = await IngestAsync(scene, 10_000, time.Token);
        ledger += await IngestAsync(scene, 10_000, time.Token, "--first", "10000", "--seq"); // a new column
        var before = await ReadAsync(scene, time.Token);

        var report = await ReplayAsync(scene, time.Token, "--partition", "2", "--from", "1000", "--to", "2200");
        Assert.Equal(1201, report.GetProperty("rows_removed").GetInt64());
        Assert.True(report.GetProperty("files_rewritten").GetInt64() > 1);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        Assert.Equal(before, await ReadAsync(scene, time.Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replay_puts_the_rows_of_a_file_that_is_gone_or_cut_short_back(bool isCut)
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, $"replay-gone-{isCut}");
        var ledger = await IngestAsync(scene, 3_000, time.Token);
        ledger += await IngestAsync(scene, 3_000, time.Token, "--first", "3000");
        var before = await ReadAsync(scene, time.Token);
        var last = await LastOffsetAsync(scene, 2, time.Token);
        var path = Directory.EnumerateFiles(Path.Combine(scene.Folder, "warehouse"), "*.parquet", SearchOption.AllDirectories)
            .Where(static path => path.Contains("kafka_partition=2", StringComparison.Ordinal)).Order().First();
        if (isCut)
        {
            await using var file = File.OpenWrite(path);
            file.SetLength(file.Length - 10);
        }
        else
        {
            File.Delete(path);
        }
        Assert.Equal(1, (await scene.VerifyAsync(deep: false, time.Token)).Code);

        await RefusedAsync(scene, "replay all of its offsets at once: --from 0 --to ", time.Token, "--partition", "2", "--from", "1", "--to", "5");
        var report = await ReplayAsync(scene, time.Token, "--partition", "2", "--from", "0", "--to", $"{last}");
        Assert.Equal(1, report.GetProperty("files_unreadable").GetInt64());
        Assert.Equal((last + 1, last + 1), (report.GetProperty("rows_added").GetInt64(), report.GetProperty("rows_removed").GetInt64()));

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        Assert.Equal(before, await ReadAsync(scene, time.Token));
        await VerifyAsync(scene, 0, time.Token);
    }

    [Theory]
    [InlineData("replay.decoded")]
    [InlineData("replay.files-written")]
    [InlineData("replay.staged")]
    [InlineData("replay.swapped")]
    [InlineData("replay.committed")]
    public async Task A_replay_killed_at_any_moment_leaves_the_table_whole_and_can_be_run_again(string point)
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, $"replay-kill-{point.Replace('.', '-')}");
        var ledger = await IngestAsync(scene, 6_000, time.Token);
        var before = await ReadAsync(scene, time.Token);
        string[] range = ["--partition", "3", "--from", "100", "--to", "600"];

        await KillAtAsync(scene, point, range, time.Token);
        Assert.Equal(before, await ReadAsync(scene, time.Token));
        await ReplayAsync(scene, time.Token, range);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        Assert.Equal(before, await ReadAsync(scene, time.Token));
    }

    [Fact]
    public async Task Dead_letters_become_rows_and_rows_dead_letters_whatever_moment_a_replay_is_killed_at()
    {
        using var time = Time();
        string[] strict = ["evolve_schema = false", """columns = { user_id = "long" }"""];
        var scene = await Scene.SetAsync(
            shared, "replay-letters", bootstrap => Scene.Usual(bootstrap, "replay-letters", tableLines: strict));
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "replay-letters", 3_000, time.Token);
        await using (var frazil = await scene.StartReadyAsync(time.Token))
        {
            await Scene.UntilRowsAsync(frazil, "shop.user_events_dlq", ledger.Records, time.Token);
            await Scene.StopCleanlyAsync(frazil, time.Token);
        }
        string[] range = ["--partition", "1", "--from", "100", "--to", "299"];
        var strictFile = scene.ConfigFile;
        var mendedFile = Scene.Usual(scene.Config.BootstrapServers, "replay-letters", tableLines: strict[1..])
            .Write(scene.Folder, "mended.toml");
        foreach (var point in new[] { "replay.decoded", "replay.swapped", "replay-mended.files-written", "replay-mended.staged", "replay-mended.swapped" })
        {
            await KillAtAsync(scene, point, range, time.Token, mendedFile);
            await AssertLettersAsync(
                scene, ledger.Records, point is "replay.decoded" ? (0, 200) : point == "replay-mended.swapped" ? (200, 0) : (200, 200),
                time.Token);
        }
        await ReplayAsync(scene, mendedFile, time.Token, range);
        await AssertLettersAsync(scene, ledger.Records, (200, 0), time.Token);
        await VerifyAsync(scene, 0, time.Token);

        await Referee.EditAsync(scene.CatalogFile, "shop.user_events", "drop", "event_type", time.Token); // as the bug was, again
        foreach (var point in new[] { "replay.decoded", "replay-letters.staged", "replay-letters.swapped", "replay.staged" })
        {
            await KillAtAsync(scene, point, range, time.Token, strictFile);
            await AssertLettersAsync(
                scene, ledger.Records, point is "replay.decoded" or "replay-letters.staged" ? (200, 0) : (200, 200), time.Token);
        }
        await ReplayAsync(scene, strictFile, time.Token, range);
        await AssertLettersAsync(scene, ledger.Records, (0, 200), time.Token);
        await VerifyAsync(scene, 0, time.Token);
    }

    [Fact]
    public async Task Replays_while_an_ingest_flushes_every_second_lose_nothing_and_double_nothing()
    {
        using var time = Time();
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var scene = await Scene.SetAsync(shared, "replay-live");
        await using var load = scene.StartLoad(time.Token);
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_commits_total", time.Token) >= 3, TimeSpan.FromMilliseconds(50), time.Token);

        var replays = 0;
        for (var round = 0; round < 12; round++)
        {
            var partition = random.Next(6);
            var last = await LastOffsetAsync(scene, partition, time.Token);
            var (one, two) = (random.NextInt64(last + 1), random.NextInt64(last + 1));
            var report = await ReplayAsync(
                scene, time.Token, "--partition", $"{partition}", "--from", $"{Math.Min(one, two)}", "--to", $"{Math.Max(one, two)}");
            Assert.Equal(Math.Abs(one - two) + 1, report.GetProperty("rows_removed").GetInt64());
            replays++;
        }
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        output.WriteLine($"{ledger.Records} records, {replays} replays");
        await VerifyAsync(scene, 0, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task A_branch_and_a_side_table_get_the_rows_and_main_stays_as_it_is()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "replay-aside");
        var ledger = await IngestAsync(scene, 6_000, time.Token);
        var before = await ReadAsync(scene, time.Token);

        for (var i = 0; i < 2; i++)
        {
            await ReplayAsync(scene, time.Token, "--partition", "0", "--from", "10", "--to", "109", "--branch", "audit");
            await ReplayAsync(scene, time.Token, "--partition", "0", "--from", "10", "--to", "109", "--into", "other.again");
        }

        var branch = await Referee.EditAsync(scene.CatalogFile, "shop.user_events", "branch", "audit", time.Token);
        Assert.Equal(ledger.Records, branch.GetProperty("rows").GetInt64());
        Assert.Equal(branch.GetProperty("offsets").GetInt64(), branch.GetProperty("distinct").GetInt64());
        Assert.NotEqual(branch.GetProperty("head").GetInt64(), branch.GetProperty("current").GetInt64());
        Assert.Equal(before, await ReadAsync(scene, time.Token));
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        var side = await Referee.QueryAsync(
            scene.CatalogFile, "other.again", "select count(*), count(distinct kafka_offset), min(kafka_offset), max(kafka_offset) from t",
            time.Token);
        Assert.Equal(["100", "100", "10", "109"], side.GetProperty("rows")[0].EnumerateArray().Select(static value => value.GetString()));
    }

    [Fact]
    public async Task A_range_whose_rows_would_be_lost_or_doubled_is_refused_and_the_table_is_as_before()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "replay-refused");
        var ledger = await IngestAsync(scene, 6_000, time.Token, "--txn", "100");
        var bootstrap = scene.Config.BootstrapServers;
        var last = await LastOffsetAsync(scene, 0, time.Token);

        await RefusedAsync(scene, $"give a --to of at most {last}", time.Token, "--partition", "0", "--from", "0", "--to", $"{last + 1}");
        await RefusedAsync(scene, "has read nothing of replay-refused", time.Token, "--partition", "9", "--from", "0", "--to", "1");
        await RefusedAsync(
            scene, "is not fed by topic other", time.Token, "--topic", "other", "--partition", "0", "--from", "0", "--to", "1");
        await scene.AssertExactlyAsync(ledger, gaps: true, time.Token);

        // A row that Kafka has no record of (a marker stands at its offset) would be lost.
        var marker = await HoleAsync(scene, time.Token);
        await Referee.EditAsync(scene.CatalogFile, "shop.user_events", "copy-row", $"{marker}", time.Token);
        await RefusedAsync(scene, $"offsets {marker}.", time.Token, "--partition", "0", "--from", "0", "--to", "500");
        await ReplayAsync(scene, time.Token, "--partition", "0", "--from", "0", "--to", $"{marker - 1}");

        // What retention removed is named.
        var deletion = Path.Combine(scene.Folder, "delete.json");
        await File.WriteAllTextAsync(deletion, """{"version":1,"partitions":[{"topic":"replay-refused","partition":1,"offset":50}]}""", time.Token);
        await Kit.RunAsync("kafka/tool", ["delete-records", "--bootstrap-server", bootstrap, "--offset-json-file", deletion], time.Token);
        await RefusedAsync(
            scene, "no longer holds the offsets 10 to 49 of replay-refused", time.Token, "--partition", "1", "--from", "10", "--to", "99");
        await ReplayAsync(scene, time.Token, "--partition", "1", "--from", "50", "--to", "99");

        // Another topic of the same name is another topic.
        await Kit.RunAsync("kafka/tool", ["topics", "--bootstrap-server", bootstrap, "--delete", "--topic", "replay-refused"], time.Token);
        await UntilGoneAsync(bootstrap, "replay-refused", time.Token);
        await Kit.LoadAsync(bootstrap, "replay-refused", 6_000, time.Token);
        await RefusedAsync(scene, "was deleted and recreated", time.Token, "--partition", "2", "--from", "0", "--to", "9");
    }

    [Fact]
    public async Task A_replay_mends_what_verify_finds_lost_or_doubled()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "replay-mends");
        var ledger = await IngestAsync(scene, 6_000, time.Token);
        await VerifyAsync(scene, 0, time.Token);
        await Referee.EditAsync(
            scene.CatalogFile, "shop.user_events", "delete", "kafka_partition = 0 and kafka_offset >= 40 and kafka_offset < 60",
            time.Token);
        await Referee.EditAsync(scene.CatalogFile, "shop.user_events", "copy-row", "70", time.Token);
        var told = await VerifyAsync(scene, 1, time.Token);
        Assert.Contains("40", told, StringComparison.Ordinal);

        var report = await ReplayAsync(scene, time.Token, "--partition", "0", "--from", "40", "--to", "70");

        Assert.Equal((31, 12), (report.GetProperty("rows_added").GetInt32(), report.GetProperty("rows_removed").GetInt32()));
        await VerifyAsync(scene, 0, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    /// <summary><c>frazil verify --deep</c>.</summary>
    private static async Task<string> VerifyAsync(Scene scene, int expectedCode, CancellationToken cancellationToken)
    {
        var (code, text, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["verify", "-c", scene.ConfigFile, "--deep"], cancellationToken);
        Assert.True(code == expectedCode, $"frazil verify --deep ended with {code}, not {expectedCode}:\n{text}{errors}");
        return text;
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }

    /// <summary>Produces and has a run of Frazil commit it all.</summary>
    private static async Task<Ledger> IngestAsync(
        Scene scene, long records, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, scene.Config.Topic, records, cancellationToken, more);
        await using var frazil = await scene.StartReadyAsync(cancellationToken);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_records_total", cancellationToken) >= ledger.Records,
            TimeSpan.FromMilliseconds(50), cancellationToken);
        await Scene.StopCleanlyAsync(frazil, cancellationToken);
        return ledger;
    }

    private static Task<JsonElement> ReplayAsync(Scene scene, CancellationToken cancellationToken, params IEnumerable<string> arguments)
        => ReplayAsync(scene, scene.ConfigFile, cancellationToken, arguments);

    private static async Task<JsonElement> ReplayAsync(
        Scene scene, string configFile, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var (code, text, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["replay", "-c", configFile, "--json", "--table", scene.Config.Table, .. arguments], cancellationToken);
        Assert.True(code == 0, $"frazil replay {string.Join(' ', arguments)} ended with {code}: {errors}");
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private static async Task RefusedAsync(
        Scene scene, string words, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var (code, _, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["replay", "-c", scene.ConfigFile, "--table", scene.Config.Table, .. arguments], cancellationToken);
        Assert.Equal(1, code);
        Assert.Contains(words, errors, StringComparison.Ordinal);
    }

    private static async Task KillAtAsync(
        Scene scene, string point, string[] range, CancellationToken cancellationToken, string? configFile = null)
    {
        await using var frazil = FrazilProcess.Start(
            scene.Folder, 0, new Dictionary<string, string> { ["FRAZIL_FAULTS"] = $"{point}=kill" },
            ["replay", "-c", configFile ?? scene.ConfigFile, "--table", scene.Config.Table, .. range]);
        var code = await frazil.ExitAsync(cancellationToken);
        Assert.True(code == 137, $"frazil replay ended with {code} instead of being killed at {point}:\n{frazil.Text}");
        Assert.Contains($"fault: kill at {point}", frazil.Text, StringComparison.Ordinal);
    }

    /// <summary>Count and checksums of every column and row, by PyIceberg.</summary>
    private async Task<string> ReadAsync(Scene scene, CancellationToken cancellationToken)
    {
        var table = await Referee.ReadAsync("pyiceberg", scene.CatalogFile, scene.Config.Table, cancellationToken);
        return $"{table.GetProperty("row_count")} {table.GetProperty("row_checksum")} {table.GetProperty("columns").GetRawText()}";
    }

    /// <summary>The last offset of a partition that the table has read.</summary>
    private static async Task<long> LastOffsetAsync(Scene scene, int partition, CancellationToken cancellationToken)
    {
        await using var catalog = await SqlCatalog.OpenAsync(
            $"sqlite:{scene.CatalogFile}", Path.Combine(scene.Folder, "warehouse"), new LocalFileIO(), "frazil", null, cancellationToken: cancellationToken);
        var table = await catalog.LoadTableAsync(TableIdentifier.Parse(scene.Config.Table), cancellationToken);
        return TableProgress.Parse(table.Metadata.Properties).NextOffset(new(scene.Config.Topic, partition))!.Value - 1;
    }

    /// <summary>An offset of partition 0, below 500, at which the table has no row.</summary>
    private async Task<long> HoleAsync(Scene scene, CancellationToken cancellationToken)
    {
        var answer = await Referee.QueryAsync(
            scene.CatalogFile, scene.Config.Table, "select min(i) from range(1, 500) r(i) where i not in (select kafka_offset from t where kafka_partition = 0)", cancellationToken);
        return long.Parse(answer.GetProperty("rows")[0][0].GetString()!, CultureInfo.InvariantCulture);
    }

    /// <summary>Every record of the topic is a row or a dead letter; those of the range are the named counts of each.</summary>
    private async Task AssertLettersAsync(Scene scene, long records, (long Rows, long Letters) inRange, CancellationToken cancellationToken)
    {
        const string Count = "select count(*), count(distinct (kafka_partition, kafka_offset)), count(*) filter (kafka_partition = 1 and kafka_offset between 100 and 299) from t";
        var counts = new List<long>();
        foreach (var table in new[] { "shop.user_events", "shop.user_events_dlq" })
        {
            var row = (await Referee.QueryAsync(scene.CatalogFile, table, Count, cancellationToken)).GetProperty("rows")[0];
            Assert.Equal(row[0].GetString(), row[1].GetString());
            counts.AddRange(row.EnumerateArray().Select(static value => long.Parse(value.GetString()!, CultureInfo.InvariantCulture)));
        }
        Assert.Equal((inRange.Rows, inRange.Rows), (counts[0], counts[2]));
        Assert.Equal((records - 200 + inRange.Letters, inRange.Letters), (counts[3], counts[5]));
    }

    private static async Task UntilGoneAsync(string bootstrap, string topic, CancellationToken cancellationToken)
    {
        while ((await Kit.RunAsync("kafka/tool", ["topics", "--bootstrap-server", bootstrap, "--list"], cancellationToken)).Split('\n').Contains(topic))
        {
            await Task.Delay(100, cancellationToken);
        }
    }
}
