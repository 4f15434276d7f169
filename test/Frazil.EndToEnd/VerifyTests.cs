using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary><c>frazil verify</c> by the real binary: sound tables of every make pass, and each kind of damage is named with its exact
/// offsets.</summary>
public sealed class VerifyTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>Seconds between flushes where a test names the offsets of a file: one life of a process is one file a partition, however
    /// slowly it reads.</summary>
    private const double OneFlush = 3600;

    [Theory]
    [InlineData("plain", "")]
    [InlineData("by-day", """partition_by = ["day(event_timestamp)"]""")]
    [InlineData("by-type", """partition_by = ["event_type"]""")]
    [InlineData("mixed-files", "preserve_kafka_partitions = false")]
    public async Task A_sound_table_passes_both_looks_while_it_is_written_and_after(string topic, string line)
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, topic, bootstrap => Scene.Usual(bootstrap, topic, tableLines:
            ["""columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)", event_type = "string" }""", line]));
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 6_000, time.Token);
        await using var frazil = await scene.StartReadyAsync(time.Token);
        var load = Kit.LoadAsync(scene.Config.BootstrapServers, topic, 12_000, time.Token, "--rate", "3000", "--first", "6000");
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_commits_total", time.Token) > 1, TimeSpan.FromMilliseconds(50), time.Token);
        await AssertSoundAsync(scene, time.Token);
        ledger += await load;
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        var deep = await AssertSoundAsync(scene, time.Token);

        Assert.Equal(ledger.Records, deep.Sum("rows"));
    }

    [Fact]
    public async Task Dead_letters_count_as_kept()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "letters");
        var ledger = await Kit.LoadAsync(
            scene.Config.BootstrapServers, "letters", 10_000, time.Token, "--bad-every", "100", "--tombstone-every", "150");
        await scene.RunUntilAsync(ledger.Records, time.Token);

        var deep = await AssertSoundAsync(scene, time.Token);

        Assert.Equal(ledger.Bad + ledger.Null, deep.Sum("dead_letters"));
        var (code, _, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["verify", scene.Config.Table + "_dlq", "-c", scene.ConfigFile], time.Token);
        Assert.Equal(2, code);
        Assert.Contains($"frazil verify {scene.Config.Table}", errors, StringComparison.Ordinal);

        // A table that lost its letters lacks exactly these records, and Kafka still has them.
        await scene.DropTableAsync(scene.Config.Table + "_dlq", time.Token);
        var damaged = await scene.VerifyAsync(deep: true, time.Token);
        Assert.Equal(1, damaged.Code);
        Assert.All(damaged.Findings, static finding => Assert.StartsWith("lost ", finding, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Several_topics_in_one_table_are_told_apart(bool withTopicColumn)
    {
        using var time = Time();
        var name = withTopicColumn ? "several-with" : "several-without";
        string[] lines =
        [
            """columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)" }""",
            withTopicColumn ? """kafka_columns = ["kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"]""" : "",
        ];
        var scene = await Scene.SetAsync(shared, name, bootstrap => new()
        {
            BootstrapServers = bootstrap,
            Topic = name,
            MoreTopics = [
                name + "-a-longer-name-that-bounds-cut", name + "-a-longer-name-that-bounds-cut-too"],
            TableLines = lines,
        });
        var ledger = Ledger.Empty;
        foreach (var topic in scene.Config.MoreTopics.Prepend(name))
        {
            ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 3_000, time.Token);
        }
        await scene.RunUntilAsync(ledger.Records, time.Token);

        var deep = await AssertSoundAsync(scene, time.Token);

        Assert.Equal(18, deep.Partitions.Count);
        Assert.Equal(ledger.Records, deep.Sum("rows"));
    }

    [Fact]
    public async Task Rows_without_their_position_are_counted_by_their_files_and_never_called_proven_deeply()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "unplaced", bootstrap => Scene.Usual(bootstrap, "unplaced", OneFlush, tableLines:
            ["""columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)" }""", """kafka_columns = ["kafka_timestamp"]"""]));
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "unplaced", 3_000, time.Token, "--txn", "500");
        await scene.RunUntilAsync(ledger.Records, time.Token);

        var shallow = await scene.VerifyAsync(deep: false, time.Token);
        Assert.True(shallow.IsProven && shallow.Code == 0, shallow.Json);
        Assert.Equal(ledger.Records, shallow.Sum("rows"));
        await AssertDamagedAsync(scene, deep: true, ["cannot_tell"], time.Token);

        await scene.ChangeAsync(async (table, metadata) =>
        {
            var plan = await new TableScan(metadata, new ManifestCache(table.FileIO)).PlanAsync();
            var file = plan.Files.Select(static file => file.File)
                .First(static file => file.Path.Contains("/kafka_partition=2/", StringComparison.Ordinal));
            return (await new OverwriteFiles(new ManifestCache(table.FileIO), metadata.CurrentSnapshot, TimeProvider.System).Remove(file).StageAsync(metadata)).Updates;
        }, time.Token);
        Assert.StartsWith(
            "missing 2 0..", Assert.Single((await scene.VerifyAsync(deep: false, time.Token)).Findings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_kind_of_damage_is_found_and_named_with_its_exact_offsets()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "damage", static bootstrap => Scene.Usual(bootstrap, "damage", OneFlush));
        var first = await Kit.LoadAsync(scene.Config.BootstrapServers, "damage", 6_000, time.Token);
        await scene.RunUntilAsync(first.Records, time.Token);
        var both = first + await Kit.LoadAsync(scene.Config.BootstrapServers, "damage", 6_000, time.Token, "--first", "6000");
        await scene.RunUntilAsync(both.Records, time.Token);
        await AssertSoundAsync(scene, time.Token);
        var count = first.Counts![0];
        var sound = await scene.MetadataLocationAsync(time.Token);

        // A file is committed twice, under another name.
        await scene.ChangeAsync(async (table, metadata) =>
        {
            var file = await FirstFileAsync(table);
            var path = table.FileIO.LocalPathFor(file.Path)!;
            File.Copy(path, path.Replace(".parquet", "-copy.parquet", StringComparison.Ordinal));
            var append = new AppendFiles(new ManifestCache(table.FileIO), TimeProvider.System)
                .Add(file with { Path = file.Path.Replace(".parquet", "-copy.parquet", StringComparison.Ordinal) });
            return (await append.StageAsync(metadata)).Updates;
        }, time.Token);
        await AssertDamagedAsync(scene, deep: true, [$"duplicate 0 0..{count - 1}"], time.Token);
        await AssertDamagedAsync(scene, deep: false, [$"duplicate 0 0..{count - 1}", "excess 0"], time.Token);

        // A foreign delete takes a file away.
        await scene.RestoreAsync(sound, time.Token);
        await scene.ChangeAsync(async (table, metadata) =>
        {
            var delete = new OverwriteFiles(new ManifestCache(table.FileIO), metadata.CurrentSnapshot, TimeProvider.System)
                .Remove(await FirstFileAsync(table));
            return (await delete.StageAsync(metadata)).Updates;
        }, time.Token);
        await AssertDamagedAsync(scene, deep: true, [$"lost 0 0..{count - 1}"], time.Token);
        await AssertDamagedAsync(scene, deep: false, [$"missing 0 0..{count - 1}"], time.Token);

        // The progress is moved: back, and beyond the end of the topic.
        await scene.RestoreAsync(sound, time.Token);
        var next = JsonDocument.Parse((await scene.PropertiesAsync(time.Token))["frazil.offsets.damage"]).RootElement.EnumerateObject()
            .ToDictionary(static one => one.Name, static one => one.Value.GetInt64());
        await ShiftAsync(scene, next, -10, time.Token);
        await AssertDamagedAsync(scene, deep: true, [$"beyond_progress 0 {next["0"] - 10}..{next["0"] - 1}"], time.Token);
        await AssertDamagedAsync(scene, deep: false, [$"beyond_progress 0 {next["0"] - 10}..{next["0"] - 1}", "excess 0"], time.Token);
        await scene.RestoreAsync(sound, time.Token);
        await ShiftAsync(scene, next, 7, time.Token);
        string[] cut = [$"topic_cut 0 {next["0"]}..{next["0"] + 6}", $"missing 0 {next["0"]}..{next["0"] + 6}"];
        await AssertDamagedAsync(scene, deep: true, cut, time.Token);
        await AssertDamagedAsync(scene, deep: false, cut, time.Token);

        // A file vanishes from the warehouse.
        await scene.RestoreAsync(sound, time.Token);
        var vanished = await scene.FirstFilePathAsync(FirstFileAsync, time.Token);
        File.Move(vanished, vanished + ".away");
        await AssertDamagedAsync(scene, deep: true, [$"missing 0..{count - 1}", $"lost 0 0..{count - 1}"], time.Token);
        File.Move(vanished + ".away", vanished);

        // The topic is another one of the same name.
        await scene.ChangeAsync(
            static (_, _) => new(
                [new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.topic-id.damage"] = Guid.NewGuid().ToString() })]),
            time.Token);
        await AssertDamagedAsync(scene, deep: true, ["topic_replaced"], time.Token);

        await scene.RestoreAsync(sound, time.Token);
        await AssertSoundAsync(scene, time.Token);
    }

    [Fact]
    public async Task The_words_for_people_name_the_offsets_and_bad_usage_is_two()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "words", static bootstrap => Scene.Usual(bootstrap, "words", OneFlush));
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "words", 1_000, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);

        var (code, output, _) = await FrazilProcess.RunAsync(scene.Folder, ["verify", "-c", scene.ConfigFile], time.Token);
        Assert.Equal(0, code);
        Assert.Contains("✓ shop.user_events: counts and ranges add up", output, StringComparison.Ordinal);
        (code, output, _) = await FrazilProcess.RunAsync(scene.Folder, ["verify", "--deep", "-c", scene.ConfigFile], time.Token);
        Assert.Equal(0, code);
        Assert.Contains("✓ shop.user_events: every record exactly once", output, StringComparison.Ordinal);

        await scene.ChangeAsync(async (table, metadata) =>
        {
            var delete = new OverwriteFiles(new ManifestCache(table.FileIO), metadata.CurrentSnapshot, TimeProvider.System)
                .Remove(await FirstFileAsync(table));
            return (await delete.StageAsync(metadata)).Updates;
        }, time.Token);
        (code, output, _) = await FrazilProcess.RunAsync(
            scene.Folder, ["verify", "shop.user_events", "--deep", "-c", scene.ConfigFile], time.Token);
        Assert.Equal(1, code);
        Assert.Contains("NOT proven", output, StringComparison.Ordinal);
        Assert.Contains($"lost: words[0]: LOST: Kafka has these records, the table has passed them, and has neither row nor dead letter of them: offsets 0..{ledger.Counts![0] - 1} ({ledger.Counts[0]})", output, StringComparison.Ordinal);

        Assert.Equal(2, (await FrazilProcess.RunAsync(scene.Folder, ["verify", "shop.user_events", "another", "-c", scene.ConfigFile], time.Token)).Code);
        Assert.Equal(1, (await FrazilProcess.RunAsync(scene.Folder, ["verify", "shop.nothing", "-c", scene.ConfigFile], time.Token)).Code);
    }

    private static async Task<Verification> AssertSoundAsync(Scene scene, CancellationToken cancellationToken)
    {
        var shallow = await scene.VerifyAsync(deep: false, cancellationToken);
        var deep = await scene.VerifyAsync(deep: true, cancellationToken);
        Assert.True(shallow.IsProven && shallow.Code == 0, shallow.Json);
        Assert.True(deep.IsProven && deep.Code == 0, deep.Json);
        return deep;
    }

    private static async Task AssertDamagedAsync(
        Scene scene, bool deep, IReadOnlyList<string> findings, CancellationToken cancellationToken)
    {
        var verification = await scene.VerifyAsync(deep, cancellationToken);
        Assert.Equal(findings, verification.Findings);
        Assert.Equal(1, verification.Code);
    }

    /// <summary>The file of partition 0 that begins at offset 0.</summary>
    private static async Task<DataFile> FirstFileAsync(LoadedTable table)
    {
        var plan = await new TableScan(table.Metadata, new ManifestCache(table.FileIO)).PlanAsync();
        var offset = table.Metadata.CurrentSchema.FindField("kafka_offset")!.Id;
        return plan.Files.Select(static file => file.File).First(file =>
            file.Path.Contains("/kafka_partition=0/", StringComparison.Ordinal) && file.LowerBounds!.TryGetValue(offset,
                out var low) && BitConverter.ToInt64(low) == 0);
    }

    private static async Task ShiftAsync(Scene scene, Dictionary<string, long> next, long by, CancellationToken cancellationToken)
    {
        var shifted = next.ToDictionary(static one => one.Key, one => one.Key == "0" ? one.Value + by : one.Value);
        var json = $"{{{string.Join(',', shifted.Select(static one => $"\"{one.Key}\":{one.Value}"))}}}";
        await scene.ChangeAsync(
            (_, _) => new([new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.damage"] = json })]),
            cancellationToken);
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }
}
