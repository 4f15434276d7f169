using Map = System.Collections.Generic.IReadOnlyDictionary<string, string>;
using RootKey = Frazil.Config.ConfigKey<Frazil.Config.FrazilOptions>;

namespace Frazil.Config;

/// <summary>Every key of frazil.toml outside [[tables]], in the order of the documentation. Defaults are not here but in
/// <see cref="FrazilOptions"/>; a key without an entry does not exist.</summary>
internal static class ConfigKeys
{
    public static IReadOnlyList<RootKey> All { get; } =
    [
        Text("data_dir", o => o.DataDir, (o, v) => o with { DataDir = v }, "a folder",
            "Transaction log, key index and file cache. Created when missing."),

        Text("kafka.bootstrap_servers", o => o.Kafka.BootstrapServers, (o, v) => o with { Kafka = o.Kafka with { BootstrapServers = v } },
            "`host:port`, several with commas", "Brokers to ask first; the rest of the cluster is found from them."),
        Text("kafka.group_id", o => o.Kafka.GroupId, (o, v) => o with { Kafka = o.Kafka with { GroupId = v } },
            "1 to 200 characters",
            "Prefix of the consumer groups; each `[[tables]]` entry consumes as `group_id.NAME`, its name as it stands."),
        new()
        {
            Path = "kafka.start_from",
            Kind = ConfigKind.Text,
            Read = o => o.Kafka.StartFrom.ToString(),
            Apply = (o, v) => o with { Kafka = o.Kafka with { StartFrom = StartFrom.Parse((string)v) } },
            Allowed = "`earliest`, `latest` or an ISO timestamp with a zone",
            Meaning = "Where to begin in a topic for which the table records no progress. Partitions that a topic gets later begin at their first record.",
            AcceptsTimestamp = true,
        },
        Properties("kafka.properties", o => o.Kafka.Properties, (o, v) => o with { Kafka = o.Kafka with { Properties = v } },
            "librdkafka properties", "Given to every Kafka client as they are: TLS, SASL, tuning. Those that exactly-once rests on belong to Frazil and are refused."),

        new()
        {
            Path = "schema_registry.url",
            Kind = ConfigKind.Text,
            Read = o => o.SchemaRegistry?.Url,
            Apply = (o, v) => o with { SchemaRegistry = new SchemaRegistryOptions { Url = (string)v } },
            Allowed = "an http or https URL",
            Meaning = "Schema registry of the formats that need one (none of those supported yet).",
        },

        Text("catalog.type", o => o.Catalog.Type, (o, v) => o with { Catalog = o.Catalog with { Type = v } },
            "`sql` (`rest` and `filesystem` are not supported yet)",
            "Kind of Iceberg catalog. `sql` is the layout of Iceberg's JDBC catalog."),
        Text("catalog.name", o => o.Catalog.Name, (o, v) => o with { Catalog = o.Catalog with { Name = v } },
            "1 to 255 characters", "The name under which a SQL catalog files its tables; other engines must use the same."),
        Text("catalog.uri", o => o.Catalog.Uri, (o, v) => o with { Catalog = o.Catalog with { Uri = v } },
            "`sqlite:PATH` (Postgres is not supported yet)",
            "Where the catalog is. The SQLite file and its folder are created when missing."),
        Text("catalog.warehouse", o => o.Catalog.Warehouse, (o, v) => o with { Catalog = o.Catalog with { Warehouse = v } },
            "a local folder or `file:` URI (`s3://`, `gs://`, `abfss://` are not supported yet)",
            "Where tables keep their data and metadata files."),
        Properties("catalog.properties", o => o.Catalog.Properties, (o, v) => o with { Catalog = o.Catalog with { Properties = v } },
            "Iceberg catalog properties", "Under Iceberg's own names: `s3.endpoint`, `s3.region`, `credential`, …"),

        Integer("hot_buffer.flush_size_mb", 1, 65_536, o => o.HotBuffer.FlushSizeMb,
            (o, v) => o with { HotBuffer = o.HotBuffer with { FlushSizeMb = v } },
            "Megabytes (2^20) of hot rows of one table at which a flush starts. At most `max_memory_mb`."),
        Number("hot_buffer.flush_interval_seconds", 0.1, 86_400, o => o.HotBuffer.FlushIntervalSeconds,
            (o, v) => o with { HotBuffer = o.HotBuffer with { FlushIntervalSeconds = v } },
            "Seconds after which rows are flushed even when few. Where a process has several tables, the first flush after a rest comes earlier for most of them, so that they do not all flush at one moment."),
        Number("hot_buffer.ttl_seconds", 0, 86_400, o => o.HotBuffer.TtlSeconds,
            (o, v) => o with { HotBuffer = o.HotBuffer with { TtlSeconds = v } },
            "Seconds that committed batches stay in memory for lookups."),
        Integer("hot_buffer.max_memory_mb", 16, 4_194_304, o => o.HotBuffer.MaxMemoryMb,
            (o, v) => o with { HotBuffer = o.HotBuffer with { MaxMemoryMb = v } },
            "Megabytes (2^20) of hot rows of all tables. Half is theirs in equal shares, half is lent to whoever needs it; a table that has its share, and finds nothing left, pauses until a flush has freed some."),
        Number("hot_buffer.fail_after_seconds", 0, 31_536_000, o => o.HotBuffer.FailAfterSeconds,
            (o, v) => o with { HotBuffer = o.HotBuffer with { FailAfterSeconds = v } },
            "Seconds for which writing or committing may fail, and is tried again, or give no answer, before the table itself fails; other tables go on. 0: for ever."),

        .. Maintenance(),

        Text("sql.isolation", o => o.Sql.Isolation == SqlIsolation.Process ? "process" : "in_process",
            (o, v) => o with { Sql = o.Sql with { Isolation = ParseIsolation(v) } }, "`process` or `in_process`",
            "Where statements of users run: `process`: each in a process of its own, with limits, which is killed at its deadline (Linux; elsewhere `in_process`, with a warning); `in_process`: in the process that ingests, which a statement can end."),
        Integer("sql.max_workers", 0, 256, o => o.Sql.MaxWorkers, (o, v) => o with { Sql = o.Sql with { MaxWorkers = v } },
            "Processes that run a statement at a time; more statements wait. 0: two for each processor, but 4 at least and 8 at most."),
        Integer("sql.worker_memory_mb", 64, 1_048_576, o => o.Sql.WorkerMemoryMb, (o, v) => o with { Sql = o.Sql with { WorkerMemoryMb = v } },
            "Megabytes (2^20) for the statement of one such process; what needs more spills or fails. Beside them the process may take 768 MB for itself."),

        Text("server.http", o => o.Server.Http, (o, v) => o with { Server = o.Server with { Http = v } },
            "`host:port`; port 0 picks a free one; empty turns it off", "Address of HTTP: SQL, tables, metrics, console."),
        Text("server.postgres", o => o.Server.Postgres, (o, v) => o with { Server = o.Server with { Postgres = v } },
            "`host:port`; empty turns it off", "Address of the Postgres wire protocol. Not served yet."),
        new()
        {
            Path = "server.token",
            Kind = ConfigKind.Text,
            Read = o => o.Server.Token,
            Apply = (o, v) => o with { Server = o.Server with { Token = (string)v } },
            Allowed = "printable ASCII without blanks; better `env:NAME` or `file:/path`",
            Meaning = "Bearer token that requests must carry (all but `/healthz` and `/readyz`).",
            IsSecret = true,
        },
        Flag("server.allow_insecure_remote", o => o.Server.AllowInsecureRemote,
            (o, v) => o with { Server = o.Server with { AllowInsecureRemote = v } },
            "Says in words that listening beyond loopback without a token is meant."),
    ];

    private static SqlIsolation ParseIsolation(string text) => text switch
    {
        "process" => SqlIsolation.Process,
        "in_process" => SqlIsolation.InProcess,
        _ => throw new FormatException("must be \"process\" or \"in_process\""),
    };

    private static IEnumerable<RootKey> Maintenance()
    {
        const int Year = 31_536_000;
        const int Tebibyte = 1_048_576;
        const int Century = 36_500;
        yield return Maintain("compact_interval_seconds", Year, o => o.CompactIntervalSeconds,
            (o, v) => o with { CompactIntervalSeconds = v },
            "Seconds between looks for small files to compact.");
        yield return Maintain("compact_threshold_mb", Tebibyte, o => o.CompactThresholdMb, (o, v) => o with { CompactThresholdMb = v },
            "Files smaller than this (2^20 bytes) are compacted. At most `compact_target_mb`.");
        yield return Maintain("compact_target_mb", Tebibyte, o => o.CompactTargetMb, (o, v) => o with { CompactTargetMb = v },
            "Size (2^20 bytes) that compaction aims at.");
        yield return Maintain("snapshot_retention_days", Century, o => o.SnapshotRetentionDays,
            (o, v) => o with { SnapshotRetentionDays = v },
            "Days that snapshots are kept.");
        yield return Maintain("snapshot_check_interval_seconds", Year, o => o.SnapshotCheckIntervalSeconds,
            (o, v) => o with { SnapshotCheckIntervalSeconds = v }, "Seconds between looks for snapshots to expire.");
        yield return Maintain("orphan_retention_days", Century, o => o.OrphanRetentionDays, (o, v) => o with { OrphanRetentionDays = v },
            "Days that a file which no snapshot names is kept.");
        yield return Maintain("orphan_check_interval_seconds", Year, o => o.OrphanCheckIntervalSeconds,
            (o, v) => o with { OrphanCheckIntervalSeconds = v }, "Seconds between looks for such files.");
        yield return Maintain("stats_update_interval_seconds", Year, o => o.StatsUpdateIntervalSeconds,
            (o, v) => o with { StatsUpdateIntervalSeconds = v }, "Seconds between updates of table statistics.");
    }

    private static RootKey Maintain(
        string name, int maximum, Func<MaintenanceOptions, int> read, Func<MaintenanceOptions, int, MaintenanceOptions> apply,
        string meaning)
        => Integer($"maintenance.{name}", 1, maximum, o => read(o.Maintenance),
            (o, v) => o with { Maintenance = apply(o.Maintenance, v) }, meaning);

    private static RootKey Text(
        string path, Func<FrazilOptions, string?> read, Func<FrazilOptions, string, FrazilOptions> apply, string allowed,
        string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.Text,
            Read = read,
            Apply = (o, v) => apply(o, (string)v),
            Allowed = allowed,
            Meaning = meaning,
        };

    private static RootKey Properties(
        string path, Func<FrazilOptions, Map> read, Func<FrazilOptions, Map, FrazilOptions> apply, string allowed, string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.Properties,
            Read = read,
            Apply = (o, v) => apply(o, (Map)v),
            Allowed = allowed,
            Meaning = meaning,
        };

    private static RootKey Flag(string path, Func<FrazilOptions, bool> read, Func<FrazilOptions, bool, FrazilOptions> apply, string meaning)
        => new()
        {
            Path = path,
            Kind = ConfigKind.Flag,
            Read = o => read(o),
            Apply = (o, v) => apply(o, (bool)v),
            Allowed = "`true` or `false`",
            Meaning = meaning,
        };

    private static RootKey Integer(
        string path, int minimum, int maximum, Func<FrazilOptions, int> read, Func<FrazilOptions, int, FrazilOptions> apply,
        string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.Integer,
            Read = o => (long)read(o),
            Apply = (o, v) => apply(o, (int)Math.Clamp((long)v, int.MinValue, int.MaxValue)),
            Allowed = ConfigRanges.Describe(minimum, maximum),
            Minimum = minimum,
            Maximum = maximum,
            Meaning = meaning,
        };

    private static RootKey Number(
        string path, double minimum, double maximum, Func<FrazilOptions, double> read, Func<FrazilOptions, double, FrazilOptions> apply,
        string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.Number,
            Read = o => read(o),
            Apply = (o, v) => apply(o, (double)v),
            Allowed = ConfigRanges.Describe(minimum, maximum),
            Minimum = minimum,
            Maximum = maximum,
            Meaning = meaning,
        };
}

internal static class ConfigRanges
{
    public static string Describe(double minimum, double maximum) => $"{ConfigText.Format(minimum)} to {ConfigText.Format(maximum)}";
}
