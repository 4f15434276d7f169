using System.Globalization;

namespace Frazil.Config;

/// <summary>Everything a Frazil process can be told, frozen. Made by <see cref="FrazilOptionsBuilder"/>, or read from a frazil.toml by
/// <see cref="FrazilConfigFile"/>. The defaults below are the only home of defaults; docs/configuration.md is checked against
/// them.</summary>
public sealed record FrazilOptions
{
    /// <summary>Folder of the transaction log, key index and file cache. Created when missing.</summary>
    public string DataDir { get; init; } = "frazil-data";
    public KafkaOptions Kafka { get; init; } = new();
    public SchemaRegistryOptions? SchemaRegistry { get; init; }
    public CatalogOptions Catalog { get; init; } = new();
    public IReadOnlyList<TableOptions> Tables { get; init; } = [];
    public HotBufferOptions HotBuffer { get; init; } = new();
    public MaintenanceOptions Maintenance { get; init; } = new();
    public SqlOptions Sql { get; init; } = new();
    public ServerOptions Server { get; init; } = new();
}

public sealed record KafkaOptions
{
    public string BootstrapServers { get; init; } = "localhost:9092";
    /// <summary>Prefix of the consumer groups; each entry of the tables consumes as <c>group_id.NAME</c>, its name as it stands.</summary>
    public string GroupId { get; init; } = "frazil";
    public StartFrom StartFrom { get; init; } = StartFrom.Earliest;
    /// <summary>librdkafka properties, given to every client as they are.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>Where to begin in a topic for which the table records no progress. Partitions that a topic gets later begin at their first record.</summary>
public readonly record struct StartFrom
{
    private StartFrom(string kind, DateTimeOffset? instant) => (Kind, Instant) = (kind, instant);
    /// <summary><c>earliest</c>, <c>latest</c> or <c>timestamp</c>.</summary>
    public string Kind { get; }
    /// <summary>With <c>timestamp</c>: the first record at or after this instant.</summary>
    public DateTimeOffset? Instant { get; }
    public static StartFrom Earliest { get; } = new("earliest", null);
    public static StartFrom Latest { get; } = new("latest", null);
    public static StartFrom At(DateTimeOffset instant) => new("timestamp", instant);

    /// <summary>Reads <c>earliest</c>, <c>latest</c> or an ISO 8601 timestamp with a zone.</summary>
    /// <exception cref="FormatException">It is none of these; worded for users.</exception>
    public static StartFrom Parse(string text) => text switch
    {
        "earliest" => Earliest,
        "latest" => Latest,
        _ when text.Length > 0 && char.IsAsciiDigit(text[0]) && ParseInstant(text) is { } instant => At(instant),
        _ => throw new FormatException(
            "must be \"earliest\", \"latest\" or an ISO timestamp with a zone, such as \"2026-01-31T00:00:00Z\""),
    };

    /// <summary>As <see cref="Parse"/> takes it.</summary>
    public override string ToString()
        => Instant is { } instant ? instant.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture) : Kind ?? "earliest";

    /// <summary>A timestamp without a zone would mean another instant on another machine, so it is not taken.</summary>
    private static DateTimeOffset? ParseInstant(string text)
    {
        const DateTimeStyles Styles = DateTimeStyles.RoundtripKind;
        var named = DateTime.TryParse(text, CultureInfo.InvariantCulture, Styles, out var local) && local.Kind != DateTimeKind.Unspecified;
        return named && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var instant) ? instant : null;
    }
}

public sealed record SchemaRegistryOptions
{
    public required string Url { get; init; }
}

public sealed record CatalogOptions
{
    /// <summary><c>sql</c>, <c>rest</c> or <c>filesystem</c>.</summary>
    public string Type { get; init; } = "sql";
    /// <summary>The name under which Iceberg's JDBC catalog layout files the tables of one catalog.</summary>
    public string Name { get; init; } = "frazil";
    public string Uri { get; init; } = "sqlite:frazil-data/catalog.db";
    public string Warehouse { get; init; } = "frazil-data/warehouse";
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

public sealed record TableOptions
{
    /// <summary><c>namespace.table</c>; may hold <c>{topic}</c>.</summary>
    public required string Name { get; init; }
    public IReadOnlyList<string> Topics { get; init; } = [];
    /// <summary>A regular expression beginning with ^; instead of <see cref="Topics"/>.</summary>
    public string? TopicPattern { get; init; }
    public string Format { get; init; } = "json";
    public string Mode { get; init; } = "append";
    public IReadOnlyList<string> Key { get; init; } = [];
    /// <summary>Declared column types by column name, in Iceberg's notation (<c>timestamptz</c>, <c>decimal(10,2)</c>,
    /// <c>struct&lt;a: int, b: list&lt;string&gt;&gt;</c>).</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();
    /// <summary>True: fields that no column holds yet become columns. False: a record with an unknown field is bad.</summary>
    public bool EvolveSchema { get; init; } = true;
    public IReadOnlyList<string> PartitionBy { get; init; } = [];
    public bool PreserveKafkaPartitions { get; init; } = true;
    public OnBadRecord OnBadRecord { get; init; } = OnBadRecord.Dlq;
    public OnRollback OnRollback { get; init; } = OnRollback.Stop;
    /// <summary>Kafka position columns to add; of kafka_partition, kafka_offset, kafka_timestamp, kafka_topic, kafka_key,
    /// kafka_headers.</summary>
    public IReadOnlyList<string> KafkaColumns { get; init; } = ["kafka_partition", "kafka_offset", "kafka_timestamp"];
    /// <summary>Iceberg table properties set when the table is created.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

public enum OnBadRecord
{
    /// <summary>To the dead-letter table <c>NAME_dlq</c>, with bytes, position and reason; ingest goes on.</summary>
    Dlq,
    /// <summary>The table's pipeline stops with the reason; nothing is skipped.</summary>
    Fail,
}

public enum OnRollback
{
    /// <summary>The table's pipeline stops with the reason.</summary>
    Stop,
    /// <summary>Progress is put back to what the table's rows reach to; records after it are read again.</summary>
    ReadAgain,
    /// <summary>Ingest goes on where progress is; rows that the rollback took out stay out.</summary>
    GoOn,
}

public sealed record HotBufferOptions
{
    /// <summary>Megabytes (2^20) of hot rows of one table at which a flush starts.</summary>
    public int FlushSizeMb { get; init; } = 100;
    /// <summary>Seconds after which rows are flushed even when few.</summary>
    public double FlushIntervalSeconds { get; init; } = 60;
    /// <summary>Seconds that committed batches stay in memory for lookups.</summary>
    public double TtlSeconds { get; init; } = 60;
    /// <summary>Seconds for which a step towards the commit may fail before its table fails; 0 for ever.</summary>
    public double FailAfterSeconds { get; init; } = 3600;
    /// <summary>Megabytes (2^20) of hot rows of all tables: half is theirs in equal shares, half goes to whoever needs it. A table that has its
    /// share, and finds nothing left, pauses.</summary>
    public int MaxMemoryMb { get; init; } = 1024;
}

public sealed record MaintenanceOptions
{
    public int CompactIntervalSeconds { get; init; } = 3600;
    public int CompactThresholdMb { get; init; } = 100;
    public int CompactTargetMb { get; init; } = 512;
    public int SnapshotRetentionDays { get; init; } = 7;
    public int SnapshotCheckIntervalSeconds { get; init; } = 3600;
    public int OrphanRetentionDays { get; init; } = 3;
    public int OrphanCheckIntervalSeconds { get; init; } = 86400;
    public int StatsUpdateIntervalSeconds { get; init; } = 3600;
}

public sealed record SqlOptions
{
    public SqlIsolation Isolation { get; init; } = SqlIsolation.Process;
    /// <summary>0: as many as fit the machine.</summary>
    public int MaxWorkers { get; init; }
    public int WorkerMemoryMb { get; init; } = 512;
    /// <summary>What starts a worker: a program, an absolute path, and what comes before its last argument, <c>sql-worker</c>. Not a key. Null: the
    /// program that runs, where it says that it can be one (<c>SqlWorker.RunIfAsked</c>), as <c>frazil run</c> does; else
    /// statements run in the process whatever <see cref="Isolation"/> says, and a warning says so.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }
}

public enum SqlIsolation
{
    /// <summary>Statements run in the process of the engine: a fault of DuckDB's ends it.</summary>
    InProcess,
    /// <summary>Each statement runs in a process of its own, which may be killed. Linux only; elsewhere as <see cref="InProcess"/>, with a warning.</summary>
    Process,
}

public sealed record ServerOptions
{
    /// <summary>Address of HTTP: host:port; port 0 picks a free one; empty turns it off.</summary>
    public string Http { get; init; } = "127.0.0.1:7070";
    public string Postgres { get; init; } = "127.0.0.1:5433";
    /// <summary>Bearer token that requests must carry; null for none (loopback only).</summary>
    public string? Token { get; init; }
    /// <summary>Says in words that listening beyond loopback without a token is meant.</summary>
    public bool AllowInsecureRemote { get; init; }
}
