using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Verify;
using Microsoft.Data.Sqlite;

namespace Frazil.EndToEnd.Crash;

/// <summary>The tables do not hold what the producer's ledger says, or the process did not do what it should.</summary>
internal sealed class CrashFailedException(string message, long lost = 0, long duplicated = 0) : Exception(message)
{
    public long Lost { get; } = lost;
    public long Duplicated { get; } = duplicated;
}

/// <summary>The parts of one scene: a topic, its producer, a table, a folder, a way to start processes on them, and what must hold of the
/// table whenever one has drained the topic. Dispose stops the producer and removes the folder.</summary>
internal sealed class CrashScene : IAsyncDisposable
{
    private const int SqliteBusy = 5;

    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);

    private readonly Recounter recounter;
    private readonly StringBuilder journal = new();
    private readonly Dictionary<string, FrazilConfig> configs = [];
    private ICatalog? catalog;

    private CrashScene(ScenePlan plan, SceneStage stage, Recounter recounter, string topic, int seed)
    {
        (Plan, Stage, this.recounter, Topic) = (plan, stage, recounter, topic);
        Stream = new(stage.Bootstrap, topic, plan.Traits, seed);
    }

    public ScenePlan Plan { get; }
    public SceneStage Stage { get; }
    public CrashStream Stream { get; }
    public string Topic { get; }

    /// <summary>The table that is harmed.</summary>
    public string Table => Plan.Traits.SharesEntry ? $"shop.{Topic}" : "shop.crash";

    /// <summary>It, and the one that shares its entry.</summary>
    public IEnumerable<string> Tables => Plan.Traits.SharesEntry ? [Table, $"shop.{TopicBeside(Topic)}"] : [Table];

    /// <summary>Rows that a foreign engine appended.</summary>
    public long ForeignRows { get; set; }

    /// <summary>Whether a foreign engine has rewritten or expired anything.</summary>
    public bool HadForeignCommits { get; set; }

    /// <summary>Further sections of the configuration; before the first start.</summary>
    public string MoreConfig { get; init; } = "";

    public string ArmFile => Path.Combine(Stage.Folder, "faults-armed");
    public string ClockFile => Path.Combine(Stage.Folder, "clock-offset");
    public string CatalogFile => Path.Combine(Stage.Folder, "catalog.db");
    public string DataDir => Path.Combine(Stage.Folder, "data");

    /// <summary>Everything that processes of this scene wrote.</summary>
    public string Journal => journal.ToString();

    public static async Task<CrashScene> SetAsync(
        ScenePlan plan, SceneStage stage, Recounter recounter, int seed, CancellationToken cancellationToken, Func<string,
        string>? moreConfig = null)
    {
        var topic = $"crash-{seed}-{plan.Index}-{Environment.ProcessId}";
        await using var admin = new KafkaAdmin(stage.Bootstrap);
        await admin.CreateTopicAsync(topic, plan.Traits.Partitions, cancellationToken: cancellationToken);
        if (plan.Traits.SharesEntry)
        {
            await admin.CreateTopicAsync(TopicBeside(topic), plan.Traits.Partitions, cancellationToken: cancellationToken);
        }
        return new(plan, stage, recounter, topic, seed ^ plan.Index) { MoreConfig = moreConfig?.Invoke(topic) ?? "" };
    }

    public static string TopicBeside(string topic) => topic + "-beside";

    /// <summary>Starts an instance with the faults of a round.</summary>
    /// <param name="round">Null for none.</param>
    /// <param name="dataDir">Each instance of a scene has its own.</param>
    public FrazilProcess Start(Round? round, string dataDir = "data")
    {
        File.Delete(ArmFile);
        if (!configs.TryGetValue(dataDir, out var config))
        {
            configs.Add(dataDir, config = Configure(dataDir));
            config.Write(Stage.Folder, $"{dataDir}.toml");
        }
        Note($"=== start of {dataDir}: {round?.Name ?? "no faults"}");
        return FrazilProcess.Start(Stage.Folder, config.HttpPort, EnvironmentOf(round), "run", "-c", $"{dataDir}.toml");
    }

    /// <summary>Starts a replay of a range of offsets, with the faults of a round.</summary>
    public FrazilProcess StartReplay(Round round, int partition, long from, long to)
    {
        var environment = round.Faults.Length > 0 ? new Dictionary<string, string> { ["FRAZIL_FAULTS"] = round.Faults } : [];
        Note($"=== replay of {partition} from {from} to {to}: {round.Name}");
        return FrazilProcess.Start(Stage.Folder, 0, environment, "replay", "-c", "data.toml", "--table", Table,
            "--partition", Text(partition), "--from", Text(from), "--to", Text(to));
    }

    /// <summary>Starts a compaction of the table, with the faults of a round.</summary>
    public FrazilProcess StartCompaction(Round round)
    {
        var environment = round.Faults.Length > 0 ? new Dictionary<string, string> { ["FRAZIL_FAULTS"] = round.Faults } : [];
        Note($"=== compaction: {round.Name}");
        return FrazilProcess.Start(Stage.Folder, 0, environment, "maintain", "compact", "-c", "data.toml", "--table", Table);
    }

    public void Note(string text) => journal.AppendLine(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {text}");

    public void Arm() => File.WriteAllText(ArmFile, "");

    public void Disarm() => File.Delete(ArmFile);

    /// <summary>Freezes a process in the middle of whatever it does, except for the instant in which it holds SQLite's write lock: nobody
    /// could commit then before it is thawed, which says something about SQLite on one machine and nothing about instances of ours.</summary>
    public async Task FreezeAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        frazil.Freeze();
        while (IsCatalogLocked())
        {
            Note("frozen with the catalog's write lock in hand; once more");
            frazil.Thaw();
            await Task.Delay(20, cancellationToken);
            frazil.Freeze();
        }
    }

    /// <summary>Waits until the table's commits hold everything that the ledger holds.</summary>
    /// <exception cref="CrashFailedException">They do not in time: records are lost, or the process is stuck.</exception>
    public async Task DrainAsync(FrazilProcess frazil, CancellationToken cancellationToken, string? table = null)
    {
        table ??= Table;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(DrainLimit);
        try
        {
            await frazil.ReadyAsync(limit.Token);
            await frazil.UntilAsync(() => IsDrainedAsync(table, limit.Token), TimeSpan.FromMilliseconds(25), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var rows = await CommittedAsync(table, cancellationToken);
            var letters = await CommittedAsync(table + "_dlq", cancellationToken);
            throw new CrashFailedException(
                $"{table} not drained after {DrainLimit.TotalSeconds} s: {rows} rows of {Stream.Ledger.Records + ForeignRowsOf(table)}, {letters} dead letters of {Stream.Ledger.Bad}",
                Stream.Ledger.Records + ForeignRowsOf(table) - rows + Stream.Ledger.Bad - letters);
        }
    }

    /// <summary>Drains, and lets the referee count.</summary>
    /// <exception cref="CrashFailedException">The table and the ledger differ.</exception>
    public async Task CheckAsync(FrazilProcess frazil, CancellationToken cancellationToken, string? table = null)
    {
        table ??= Table;
        await DrainAsync(frazil, cancellationToken, table);
        var ledger = Stream.Ledger;
        var sums = new JsonArray([.. Stream.SumColumns.Select(static name => (JsonNode)name)]);
        var seen = await AskAsync(
            new() { ["op"] = "count", ["table"] = table, ["sums"] = sums, ["expected"] = ledger.Records }, cancellationToken);
        var (rows, ids, positions) = (Number(seen, "rows"), Number(seen, "ids"), Number(seen, "positions"));
        var problems = new List<string>();
        Compare(problems, "rows", ledger.Records, rows);
        Compare(problems, "distinct ids", ledger.Records, ids);
        Compare(problems, "distinct positions", ledger.Records, positions);
        Compare(
            problems, "the sum of ids", ledger.IdSum, long.Parse(seen.GetProperty("id_sum").GetString()!, CultureInfo.InvariantCulture));
        Compare(problems, "foreign rows", ForeignRowsOf(table), Number(seen, "foreign"));
        ComparePartitions(problems, seen);
        CompareSums(problems, seen);
        await CheckLettersAsync(table, problems, cancellationToken);
        await VerifyAsync(table, problems, cancellationToken);
        if (problems.Count > 0)
        {
            throw new CrashFailedException(
                $"{table}: {string.Join("; ", problems)}; {seen.GetRawText()}", Math.Max(0, ledger.Records - ids), Math.Max(0, rows - ids));
        }
    }

    /// <summary>Asks the referee; the scene's catalog is filled in.</summary>
    public Task<JsonElement> AskAsync(JsonObject request, CancellationToken cancellationToken)
    {
        request["db"] = CatalogFile;
        request["table"] ??= Table;
        return recounter.AskAsync(request, cancellationToken);
    }

    /// <summary>Kills what still runs, and notes what it wrote.</summary>
    public async Task BuryAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        if (!frazil.HasExited)
        {
            await frazil.KillAsync(cancellationToken);
        }
        await frazil.ExitAsync(cancellationToken);
        Note(frazil.Text);
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        if (catalog is not null)
        {
            await catalog.DisposeAsync();
        }
    }

    /// <summary>Data files in the table's folder that are in no part of the table as it is now.</summary>
    public async Task<int> CountOrphansAsync(CancellationToken cancellationToken)
    {
        var live = Number(await AskAsync(new() { ["op"] = "count", ["sums"] = new JsonArray() }, cancellationToken), "files");
        return Directory.EnumerateFiles(Path.Combine(Stage.Folder, "warehouse"), "*.parquet", SearchOption.AllDirectories)
            .Count(path => path.Contains($"/{Table.Split('.')[1]}/", StringComparison.Ordinal)) - (int)live;
    }

    /// <summary>What <c>frazil verify --deep</c> says, where a foreign engine did not add rows that Kafka knows nothing of.</summary>
    private async Task VerifyAsync(string table, List<string> problems, CancellationToken cancellationToken)
    {
        if (ForeignRowsOf(table) > 0 || Stream.Ledger.Records == 0)
        {
            return;
        }
        var verifier = new TableVerifier(
            await OpenCatalogAsync(cancellationToken), new() { BootstrapServers = Stage.Bootstrap, GroupId = Topic });
        var seen = await verifier.VerifyAsync(TableIdentifier.Parse(table), deep: true, null, cancellationToken);
        problems.AddRange(
            seen.Findings.Concat(seen.Partitions.SelectMany(static partition => partition.Findings))
                .Select(static one => $"verify --deep: {one.Text}"));
    }

    private async Task CheckLettersAsync(string table, List<string> problems, CancellationToken cancellationToken)
    {
        if (Stream.Ledger.Bad > 0)
        {
            var letters = await AskAsync(
                new() { ["op"] = "count", ["table"] = table + "_dlq", ["sums"] = new JsonArray() }, cancellationToken);
            Compare(problems, "dead letters", Stream.Ledger.Bad, Number(letters, "rows"));
            Compare(problems, "distinct dead letters", Stream.Ledger.Bad, Number(letters, "positions"));
        }
    }

    private async Task<bool> IsDrainedAsync(string table, CancellationToken cancellationToken)
        => await CommittedAsync(table, cancellationToken) >= Stream.Ledger.Records + ForeignRowsOf(table)
            && (Stream.Ledger.Bad == 0 || await CommittedAsync(table + "_dlq", cancellationToken) >= Stream.Ledger.Bad);

    /// <summary>Rows of the table's newest snapshot, by its summary.</summary>
    public async Task<long> CommittedAsync(string table, CancellationToken cancellationToken)
    {
        try
        {
            var loaded = await (await OpenCatalogAsync(cancellationToken)).LoadTableAsync(TableIdentifier.Parse(table), cancellationToken);
            var snapshot = loaded.Metadata.Snapshots.FirstOrDefault(one => one.SnapshotId == loaded.Metadata.CurrentSnapshotId);
            return long.Parse(snapshot?.Summary.GetValueOrDefault("total-records") ?? "0", CultureInfo.InvariantCulture);
        }
        catch (NoSuchTableException)
        {
            return 0;
        }
    }

    private bool IsCatalogLocked()
    {
        using var connection = new SqliteConnection($"Data Source={CatalogFile};Pooling=False;Default Timeout=2");
        try
        {
            connection.Open();
            using var transaction = connection.BeginTransaction(); // takes the write lock, and waits for it as long as the time-out says
            return false;
        }
        catch (SqliteException busy) when (busy.SqliteErrorCode == SqliteBusy)
        {
            return true;
        }
    }

    private async Task<ICatalog> OpenCatalogAsync(CancellationToken cancellationToken)
        => catalog ??= await WarehouseCatalog.OpenAsync(
            new CatalogOptions { Uri = $"sqlite:{CatalogFile}", Warehouse = Path.Combine(Stage.Folder, "warehouse") }, cancellationToken);

    private void ComparePartitions(List<string> problems, JsonElement seen)
    {
        var counts = seen.GetProperty("partitions").EnumerateObject().ToDictionary(
            static one => int.Parse(one.Name, CultureInfo.InvariantCulture), static one => one.Value.GetInt64());
        foreach (var partition in Stream.Ledger.Partitions.Keys.Union(counts.Keys))
        {
            Compare(
                problems, $"rows of partition {partition}", Stream.Ledger.Partitions.GetValueOrDefault(partition),
                counts.GetValueOrDefault(partition));
        }
    }

    private void CompareSums(List<string> problems, JsonElement seen)
    {
        foreach (var (column, sum) in Stream.Ledger.Sums)
        {
            var actual = seen.GetProperty("sums").TryGetProperty(column, out var text)
                ? decimal.Parse(text.GetString()!, CultureInfo.InvariantCulture)
                : 0;
            if (sum != actual)
            {
                problems.Add($"the sum of {column} is {actual}, the ledger's {sum}");
            }
        }
    }

    private static void Compare(List<string> problems, string what, long expected, long actual)
    {
        if (expected != actual)
        {
            problems.Add($"{what}: {actual}, the ledger's {expected}");
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(JsonElement answer, string name) => answer.GetProperty(name).GetInt64();

    private long ForeignRowsOf(string table) => table == Table ? ForeignRows : 0;

    private FrazilConfig Configure(string dataDir) => new()
    {
        BootstrapServers = Stage.Bootstrap,
        Topic = Plan.Traits.SharesEntry ? $"^{Topic}" : Topic,
        Table = Plan.Traits.SharesEntry ? "shop.{topic}" : Table,
        GroupId = Topic,
        DataDir = dataDir,
        FlushIntervalSeconds = 0.2,
        More = MoreConfig,
        TableLines = ["""columns = { amount = "decimal(10,2)" }"""],
        KafkaProperties = new Dictionary<string, string> { ["session.timeout.ms"] = "3000", ["heartbeat.interval.ms"] = "500" },
    };

    private Dictionary<string, string> EnvironmentOf(Round? round)
    {
        var environment = new Dictionary<string, string>();
        if (round is null)
        {
            return environment;
        }
        var faults = round.Kind switch
        {
            RoundKind.DiskFull when !Stage.CanFill => "store.create.before=error;flush.file-written=error",
            RoundKind.Replay or RoundKind.Compact => "", // they are the other process's, not the ingest's
            _ => round.Faults,
        };
        if (faults.Length > 0)
        {
            environment["FRAZIL_FAULTS"] = faults;
            environment["FRAZIL_FAULTS_SEED"] = (Plan.Index + 1).ToString(CultureInfo.InvariantCulture);
            if (round.Kind != RoundKind.Recovery)
            {
                environment["FRAZIL_FAULTS_WHEN"] = ArmFile;
            }
        }
        if (round.Kind == RoundKind.Clock)
        {
            File.Delete(ClockFile);
            environment["FRAZIL_FAULTS_CLOCK"] = ClockFile;
        }
        return environment;
    }
}
