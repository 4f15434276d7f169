using System.Globalization;
using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>One table fed by one topic: the folder, the configuration, and what the two referees say about the table in the end.</summary>
internal sealed class Scene
{
    private readonly SharedBroker shared;

    private Scene(SharedBroker shared, string folder, FrazilConfig config)
    {
        this.shared = shared;
        Folder = folder;
        Config = config;
        ConfigFile = config.Write(folder);
    }

    public string Folder { get; }

    public FrazilConfig Config { get; }

    public string ConfigFile { get; }

    public string CatalogFile => Path.Combine(Folder, "catalog.db");

    /// <summary>What the referees are told of the catalog: a database file, or PyIceberg's properties of a REST catalog.</summary>
    public string CatalogForReferees => Config.CatalogType == "sql" ? CatalogFile : JsonSerializer.Serialize(
        new Dictionary<string, string>(Config.CatalogProperties) { ["uri"] = Config.CatalogUri, ["warehouse"] = Config.Warehouse });

    public static async Task<Scene> SetAsync(SharedBroker shared, string topic, Func<string, FrazilConfig>? configure = null)
    {
        var bootstrap = await shared.BootstrapAsync();
        var config = configure?.Invoke(bootstrap) ?? Usual(bootstrap, topic);
        return new Scene(shared, shared.NewFolder(topic), config);
    }

    /// <summary>Short sessions, because a broker waits for a killed member's session to end before it hands its partitions over.</summary>
    public static FrazilConfig Usual(string bootstrap, string topic, double flushSeconds = 1, IReadOnlyList<string>? tableLines = null)
        => new()
        {
            BootstrapServers = bootstrap,
            Topic = topic,
            GroupId = $"group-{topic}",
            FlushIntervalSeconds = flushSeconds,
            TableLines = tableLines ?? ["""columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)" }"""],
            KafkaProperties = new Dictionary<string, string> { ["session.timeout.ms"] = "3000", ["heartbeat.interval.ms"] = "500" },
        };

    public FrazilProcess Start() => FrazilProcess.Start(Folder, Config.HttpPort, "run", "-c", ConfigFile);

    /// <summary>Starts a run and waits until it serves.</summary>
    public async Task<FrazilProcess> StartReadyAsync(CancellationToken cancellationToken)
    {
        var frazil = Start();
        await frazil.ReadyAsync(cancellationToken);
        return frazil;
    }

    /// <summary>Waits until SQL sees so many rows of the table.</summary>
    public async Task UntilRowsAsync(FrazilProcess frazil, long rows, CancellationToken cancellationToken)
        => await UntilRowsAsync(frazil, Config.Table, rows, cancellationToken);

    public static async Task UntilRowsAsync(FrazilProcess frazil, string table, long rows, CancellationToken cancellationToken)
    {
        var seen = -1L;
        try
        {
            await frazil.UntilAsync(async () => (seen = await frazil.CountAsync($"select count(*) from {table}", cancellationToken)) >= rows,
                TimeSpan.FromMilliseconds(100), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{seen} of {rows} rows in {table} when time was up; frazil wrote:\n{frazil.Text}");
        }
    }

    /// <summary>One whole life of a process: it reads until SQL sees so many rows, and stops cleanly.</summary>
    public async Task RunUntilAsync(long rows, CancellationToken cancellationToken)
    {
        await using var frazil = await StartReadyAsync(cancellationToken);
        await UntilRowsAsync(frazil, rows, cancellationToken);
        await StopCleanlyAsync(frazil, cancellationToken);
    }

    /// <summary>Begins to produce at a steady rate, until told to stop.</summary>
    public RunningLoad StartLoad(CancellationToken cancellationToken)
        => new(Config.BootstrapServers, Config.Topic, rate: 8_000, cancellationToken);

    public static async Task StopCleanlyAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var code = await frazil.StopAsync(cancellationToken);
        Assert.True(code == 0, $"frazil run ended with {code} after SIGTERM:\n{frazil.Text}");
    }

    /// <summary>Both referees read the table: it holds exactly the ledger's records, each Kafka position once, and both read the same
    /// values.</summary>
    /// <param name="gaps">True where the topic itself shows gaps: transactions, bad records.</param>
    public async Task<JsonElement> AssertExactlyAsync(Ledger ledger, bool gaps, CancellationToken cancellationToken)
    {
        var answer = await Referee.QueryAsync(CatalogForReferees, Config.Table, """
            select count(*), coalesce(sum(user_id), 0), coalesce(sum(amount), 0), count(distinct (kafka_partition, kafka_offset)),
                   (select coalesce(sum(top - low + 1), 0) from (select max(kafka_offset) top, min(kafka_offset) low from t group by kafka_partition)),
                   (select count(*) from (select min(kafka_offset) low from t group by kafka_partition) where low <> 0)
            from t
            """, cancellationToken);
        var row = answer.GetProperty("rows")[0].EnumerateArray().Select(value => value.GetString()!).ToArray();
        var (rows, positions) = (long.Parse(row[0], CultureInfo.InvariantCulture), long.Parse(row[3], CultureInfo.InvariantCulture));
        Assert.Equal(rows, positions); // no Kafka position twice
        Assert.Equal(ledger.Records, rows);
        Assert.Equal(ledger.UserId.ToString(CultureInfo.InvariantCulture), row[1]);
        Assert.Equal(ledger.Amount, decimal.Parse(row[2], CultureInfo.InvariantCulture));
        if (!gaps)
        {
            Assert.Equal(row[0], row[4]); // every offset between the first and the last of each partition
            Assert.Equal("0", row[5]); // and the first is 0
        }
        await AssertEnginesAgreeAsync(cancellationToken);
        return answer;
    }

    /// <summary>Asks the real binary whether the table holds every record exactly once.</summary>
    public Task<Verification> VerifyAsync(bool deep, CancellationToken cancellationToken)
        => Verification.RunAsync(Folder, ConfigFile, Config.Table, deep, cancellationToken);

    /// <summary>The table's properties as committed; empty while there is no table.</summary>
    public Task<IReadOnlyDictionary<string, string>> PropertiesAsync(CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog => await catalog.TableExistsAsync(Identifier, cancellationToken)
            ? (await catalog.LoadTableAsync(Identifier, cancellationToken)).Metadata.Properties : new Dictionary<string, string>());

    public Task<string> MetadataLocationAsync(CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog => (await catalog.LoadTableAsync(Identifier, cancellationToken)).MetadataLocation);

    /// <summary>Changes the table behind Frazil's back, as another engine would.</summary>
    public Task ChangeAsync(
        Func<LoadedTable, TableMetadata, ValueTask<IReadOnlyList<TableUpdate>>> change, CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog =>
        {
            var table = await catalog.LoadTableAsync(Identifier, cancellationToken);
            return await catalog.CommitTableAsync(Identifier, [], await change(table, table.Metadata), cancellationToken);
        });

    /// <summary>Makes the catalog point at an older version of the table again.</summary>
    public Task RestoreAsync(string metadataLocation, CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog =>
        {
            await catalog.DropTableAsync(Identifier, cancellationToken: cancellationToken);
            return await catalog.RegisterTableAsync(Identifier, metadataLocation, cancellationToken);
        });

    public Task DropTableAsync(string table, CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog =>
        {
            await catalog.DropTableAsync(TableIdentifier.Parse(table), cancellationToken: cancellationToken);
            return true;
        });

    public Task<string> FirstFilePathAsync(Func<LoadedTable, Task<DataFile>> choose, CancellationToken cancellationToken)
        => WithCatalogAsync(async catalog =>
        {
            var table = await catalog.LoadTableAsync(Identifier, cancellationToken);
            return table.FileIO.LocalPathFor((await choose(table)).Path)!;
        });

    private TableIdentifier Identifier => TableIdentifier.Parse(Config.Table);

    private async Task<T> WithCatalogAsync<T>(Func<ICatalog, Task<T>> use)
    {
        var isFile = Config.CatalogType == "sql";
        await using var catalog = await WarehouseCatalog.OpenAsync(new()
        {
            Type = Config.CatalogType,
            Uri = isFile ? $"sqlite:{CatalogFile}" : Config.CatalogUri,
            Warehouse = isFile ? Path.Combine(Folder, Config.Warehouse) : Config.Warehouse,
            Properties = Config.CatalogProperties,
        });
        return await use(catalog);
    }

    private async Task AssertEnginesAgreeAsync(CancellationToken cancellationToken)
    {
        var one = await Referee.ReadAsync("pyiceberg", CatalogForReferees, Config.Table, cancellationToken);
        var other = Config.CatalogType == "sql"
            ? await Referee.ReadAsync("duckdb", CatalogFile, Config.Table, cancellationToken)
            : await Referee.ReadFileAsync("duckdb", await MetadataLocationAsync(cancellationToken), cancellationToken);
        Assert.Equal(one.GetProperty("row_count").GetInt64(), other.GetProperty("row_count").GetInt64());
        Assert.Equal(one.GetProperty("columns").GetRawText(), other.GetProperty("columns").GetRawText());
        Assert.Equal(one.GetProperty("row_checksum").GetString(), other.GetProperty("row_checksum").GetString());
    }
}
