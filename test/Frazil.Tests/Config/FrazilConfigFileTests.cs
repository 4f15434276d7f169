using Frazil.Config;
using Xunit;

namespace Frazil.Tests.Config;

public sealed class FrazilConfigFileTests
{
    private const string Table = """

        [[tables]]
        name = "shop.user_events"
        topics = ["user_events"]
        """;

    private static readonly Dictionary<string, string> NoEnvironment = [];

    [Fact]
    public void An_empty_file_gives_the_defaults()
    {
        var options = Parse("").Options;
        Assert.Equal(new KafkaOptions().BootstrapServers, options.Kafka.BootstrapServers);
        Assert.Equal(new HotBufferOptions(), options.HotBuffer);
        Assert.Empty(options.Tables);
    }

    [Fact]
    public void The_sample_of_the_design_is_read_whole()
    {
        var options = Parse("""
            data_dir = "d"
            [kafka]
            bootstrap_servers = "a:1,b:2"
            group_id = "g"
            start_from = 2026-01-31T10:00:00+02:00
            [kafka.properties]
            security.protocol = "SASL_SSL"
            "sasl.mechanism" = "PLAIN"
            fetch.wait.max.ms = 5
            [catalog]
            type = "sql"
            uri = "sqlite:d/catalog.db"
            warehouse = "file:///tmp/warehouse"
            [[tables]]
            name = "shop.user_events"
            topics = ["user_events", "more"]
            format = "json"
            mode = "append"
            columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)", device = "struct<os: string, tags: list<map<string, long>>>" }
            partition_by = ["day(event_timestamp)", "bucket(16, user_id)", "country"]
            preserve_kafka_partitions = false
            on_bad_record = "fail"
            kafka_columns = ["kafka_offset", "kafka_key"]
            properties = { "write.target-file-size-bytes" = 1000 }
            [hot_buffer]
            flush_size_mb = 10
            flush_interval_seconds = 2
            max_memory_mb = 64
            [server]
            http = "0.0.0.0:8080"
            token = "abc"
            """).Options;
        Assert.Equal("a:1,b:2", options.Kafka.BootstrapServers);
        Assert.Equal(DateTimeOffset.Parse("2026-01-31T08:00:00Z"), options.Kafka.StartFrom.Instant);
        Assert.Equal("SASL_SSL", options.Kafka.Properties["security.protocol"]);
        Assert.Equal("5", options.Kafka.Properties["fetch.wait.max.ms"]);
        var table = Assert.Single(options.Tables);
        Assert.Equal(["event_timestamp", "amount", "device"], table.Columns.Keys);
        Assert.Equal(OnBadRecord.Fail, table.OnBadRecord);
        Assert.Equal(["user_events", "more"], table.Topics);
        Assert.Equal("1000", table.Properties["write.target-file-size-bytes"]);
        Assert.Equal(2.0, options.HotBuffer.FlushIntervalSeconds);
        Assert.Equal("abc", options.Server.Token);
    }

    [Fact]
    public void Every_error_is_listed_at_once_with_key_value_line_and_fix()
    {
        var refused = Assert.Throws<ConfigException>(() => Parse("""
            boostrap_servers = "x:1"
            [kafka]
            group_id = 7
            start_from = "yesterday"
            [kafka.properties]
            group.id = "mine"
            [hot_buffer]
            flush_size_mb = 0
            flush_intervall_seconds = 5
            [catalog]
            type = "filesystem"
            uri = "sqlite:x.db"
            warehouse = "s3://bucket/x"
            [server]
            http = "0.0.0.0:7070"
            [[tables]]
            name = "events"
            topics = "user_events"
            format = "avro"
            mode = "upsert"
            partition_by = ["dya(ts)"]
            columns = { a = "bigint" }
            """));
        var errors = refused.Errors.ToDictionary(error => error.Key);
        Assert.Equal(15, errors.Count);
        Assert.Contains("kafka.bootstrap_servers", errors["boostrap_servers"].Fix, StringComparison.Ordinal);
        Assert.Equal("frazil.toml:1", errors["boostrap_servers"].Origin);
        Assert.Equal(("7", "is an integer but must be a string"), (errors["kafka.group_id"].Value, errors["kafka.group_id"].Problem));
        Assert.Contains("ISO timestamp", errors["kafka.start_from"].Problem, StringComparison.Ordinal);
        Assert.Contains("belongs to Frazil", errors["kafka.properties.group.id"].Problem, StringComparison.Ordinal);
        Assert.Equal("Allowed: 1 to 65536", errors["hot_buffer.flush_size_mb"].Fix);
        Assert.Contains("hot_buffer.flush_interval_seconds", errors["hot_buffer.flush_intervall_seconds"].Fix, StringComparison.Ordinal);
        Assert.Contains("is not read", errors["catalog.uri"].Problem, StringComparison.Ordinal);
        Assert.Contains("not supported yet", errors["catalog.warehouse"].Problem, StringComparison.Ordinal);
        Assert.Contains("allow_insecure_remote", errors["server.http"].Fix, StringComparison.Ordinal);
        Assert.Contains("namespace", errors["tables[0].name"].Fix, StringComparison.Ordinal);
        Assert.Equal("Write topics = [\"user_events\"]", errors["tables[0].topics"].Fix);
        Assert.Contains("not supported yet", errors["tables[0].format"].Problem, StringComparison.Ordinal);
        Assert.Contains("not supported yet", errors["tables[0].mode"].Problem, StringComparison.Ordinal);
        Assert.Contains("did you mean day", errors["tables[0].partition_by"].Problem, StringComparison.Ordinal);
        Assert.Contains("did you mean long", errors["tables[0].columns.a"].Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { s = \"string\" }\npartition_by = [\"day(s)\"]",
        "tables[0].partition_by", "cannot be used")]
    [InlineData(
        "[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { t = \"timestamptz\" }\npartition_by = [\"day(t)\", \"hour(t)\"]",
        "tables[0].partition_by", "cannot be used")]
    [InlineData(
        "[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { f = \"list<fixed(3)>\" }",
        "tables[0].columns.f", "cannot be written yet")]
    [InlineData(
        "[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { d = \"list<list<list<list<list<list<map<string, list<list<list<list<list<list<int>>>>>>>>>>>>>\" }",
        "tables[0].columns.d", "more than 12 lists or maps in each other")]
    [InlineData(
        "[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { id = \"long\", ID = \"long\" }",
        "tables[0].columns.ID", "differs from column id only in case")]
    [InlineData("[hot_buffer]\nflush_size_mb = 200\nmax_memory_mb = 100", "hot_buffer.flush_size_mb", "max_memory_mb")]
    [InlineData("[maintenance]\ncompact_threshold_mb = 600", "maintenance.compact_threshold_mb", "compact_target_mb")]
    [InlineData("[hot_buffer]\nflush_interval_seconds = nan", "hot_buffer.flush_interval_seconds", "out of range")]
    [InlineData("[hot_buffer]\nflush_size_mb = 99999999999", "hot_buffer.flush_size_mb", "out of range")]
    [InlineData("[hot_buffer]\nflush_size_mb = 1.5", "hot_buffer.flush_size_mb", "a float but must be an integer")]
    [InlineData("[kafka]\nbootstrap_servers = \"localhost\"", "kafka.bootstrap_servers", "not host:port")]
    [InlineData("[kafka]\nbootstrap_servers = \"localhost:99999\"", "kafka.bootstrap_servers", "not host:port")]
    [InlineData("kafka = 5", "kafka", "must be a table")]
    [InlineData("[tables]\nname = \"a.b\"", "tables", "array of tables")]
    [InlineData("[server]\nhttp = \"7070\"", "server.http", "no port")]
    [InlineData("[server]\nhttp = \":7070\"", "server.http", "no host")]
    [InlineData("[server]\nhttp = \"::1:7070\"", "server.http", "brackets")]
    [InlineData("[server]\nhttp = \"example.org:7070\"", "server.http", "IP address")]
    [InlineData("[catalog]\nuri = \"postgres://u:secret@h/db\"", "catalog.uri", "not supported yet")]
    [InlineData("[catalog]\nuri = \"sqlite::memory:\"", "catalog.uri", "lost")]
    [InlineData("[catalog]\nuri = \"catalog.db\"", "catalog.uri", "SQLite")]
    [InlineData("[catalog]\ntype = \"hive\"", "catalog.type", "not a kind of catalog")]
    [InlineData("[catalog]\ntype = \"rest\"", "catalog.uri", "is missing")]
    [InlineData("[catalog]\ntype = \"rest\"\nuri = \"localhost:8181\"", "catalog.uri", "not an http or https URL")]
    [InlineData("[catalog]\ntype = \"rest\"\nuri = \"http://me:secret@host\"", "catalog.uri", "a password, which would not be sent")]
    [InlineData("[catalog]\ntype = \"rest\"\nuri = \"http://host\"\n[catalog.properties]\n\"rest.client.max-retries\" = \"x\"", "catalog.properties.rest.client.max-retries", "whole number")]
    [InlineData("[catalog]\ntype = \"rest\"\nuri = \"http://host\"\n[catalog.properties]\nrest.auth.type = \"google\"", "catalog.properties.rest.auth.type", "one of none, basic, oauth2, sigv4")]
    [InlineData("[schema_registry]\nurl = \"registry:8081\"", "schema_registry.url", "http")]
    [InlineData("[kafka.properties]\na.b = 1\n\"a.b\" = 2", "kafka.properties.a.b", "twice")]
    [InlineData("[kafka.properties]\na = [1]", "kafka.properties", "a table of properties")]
    [InlineData("[[tables]]\ntopics = [\"t\"]", "tables[0].name", "missing")]
    [InlineData("[[tables]]\nname = \"a.b\"", "tables[0].topics", "missing")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ntopic_pattern = \"^t\"", "tables[0].topic_pattern", "beside topics")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopic_pattern = \"t\"", "tables[0].topic_pattern", "begin with ^")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopic_pattern = \"^(\"", "tables[0].topic_pattern", "regular expression")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"no spaces\"]", "tables[0].topics", "Kafka")]
    [InlineData("[[tables]]\nname = \"a.{field}\"\ntopics = [\"t\"]", "tables[0].name", "placeholder")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\nkey = [\"id\"]", "tables[0].key", "append")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\nkafka_columns = [\"kafka_ofset\"]", "tables[0].kafka_columns", "not a Kafka column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { kafka_offset = \"long\" }", "tables[0].columns.kafka_offset", "Frazil fills")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { d = { os = \"string\" } }", "tables[0].columns", "a table of strings")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\nproperties = { \"frazil.offsets.t\" = \"{}\" }", "tables[0].properties.frazil.offsets.t", "belongs to Frazil")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\n[[tables]]\nname = \"A.B\"\ntopics = [\"t\"]", "tables[1].name", "tables[0]")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\n[[tables]]\nname = \"a.b_dlq\"\ntopics = [\"t\"]", "tables[1].name", "dead letters")]
    [InlineData("[[tables]]\nname = \"{topic}\"\ntopic_pattern = \"^t\"", "tables[0].name", "is not namespace.table, whatever the topic is")]
    [InlineData("[[tables]]\nname = \"{topic}.b\"\ntopics = [\"1st\"]", "tables[0].name", "would become 1st.b")]
    [InlineData("[[tables]]\nname = \"a.{topic}\"\ntopics = [\"x.y\", \"x_y\"]", "tables[0].name", "two of its topics")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { \"a.b\" = \"int\", a = \"struct<b: int>\" }", "tables[0].columns.a", "a field a.b, which has the dotted name of another column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { a = \"struct<b: int>\", \"a.b\" = \"int\" }", "tables[0].columns.a.b", "has the dotted name of another column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { l = \"list<int>\", \"l.element\" = \"int\" }", "tables[0].columns.l.element", "has the dotted name of another column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { \"m.key\" = \"int\", m = \"map<string, int>\" }", "tables[0].columns.m", "a field m.key, which has the dotted name of another column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { s = \"struct<k: int, K: int>\" }", "tables[0].columns.s", "a field s.K, which differs from column s.k only in case")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { s = \"list<map<string, struct<k: int, K: int>>>\" }", "tables[0].columns.s", "differs from column s.element.value.k only in case")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { Kafka_Offset = \"long\" }", "tables[0].columns.Kafka_Offset", "differs from column kafka_offset only in case")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { ts_day = \"int\", ts = \"timestamptz\" }\npartition_by = [\"day(ts)\"]", "tables[0].columns.ts_day", "is the name of a partition field")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { city_bucket = \"int\" }\npartition_by = [\"bucket(4, city)\"]", "tables[0].columns.city_bucket", "is the name of a partition field")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { ts = \"timestamptz\" }\npartition_by = [\"day(ts) as kafka_offset\"]", "tables[0].partition_by", "has the name of a column")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { m = \"map<int, string>\" }", "tables[0].columns.m", "the keys of a map in JSON are strings")]
    [InlineData("[[tables]]\nname = \"a.b\"\ntopics = [\"t\"]\ncolumns = { m = \"list<struct<x: map<uuid, string>>>\" }", "tables[0].columns.m", "holds map<uuid, string>")]
    [InlineData("[[tables]]\nname = \"temp.b\"\ntopics = [\"t\"]", "tables[0].name", "temp.b could never be queried")]
    [InlineData("[[tables]]\nname = \"system.b\"\ntopics = [\"t\"]", "tables[0].name", "system.b could never be queried")]
    [InlineData("[[tables]]\nname = \"Memory.b\"\ntopics = [\"t\"]", "tables[0].name", "Memory.b could never be queried")]
    [InlineData("[[tables]]\nname = \"information_schema.b\"\ntopics = [\"t\"]", "tables[0].name", "information_schema.b could never be queried")]
    [InlineData("[[tables]]\nname = \"pg_catalog.b\"\ntopics = [\"t\"]", "tables[0].name", "pg_catalog.b could never be queried")]
    [InlineData("[[tables]]\nname = \"{topic}.b\"\ntopics = [\"ok\", \"temp\"]", "tables[0].name", "temp.b could never be queried")]
    public void Each_mistake_is_told_by_its_key(string toml, string key, string words)
    {
        var refused = Assert.Throws<ConfigException>(() => Parse(toml));
        var error = Assert.Single(refused.Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(words, $"{error.Problem} {error.Fix}", StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_syntax_error_names_line_and_column()
    {
        var refused = Assert.Throws<ConfigException>(() => Parse("[kafka]\ngroup_id = frazil"));
        Assert.Equal("frazil.toml:2:12", Assert.Single(refused.Errors).Origin);
    }

    [Fact]
    public void A_missing_file_is_told_by_its_path()
        => Assert.Contains(
            "frazil init", Assert.Throws<ConfigException>(() => FrazilConfigFile.Load("no/such/frazil.toml", NoEnvironment)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Environment_overrides_every_kind_of_key()
    {
        var config = Parse("""
            [kafka]
            bootstrap_servers = "file:1"
            [kafka.properties]
            sasl.password = "old"
            """ + Table, new()
        {
            ["FRAZIL_DATA_DIR"] = "elsewhere",
            ["FRAZIL_KAFKA__BOOTSTRAP_SERVERS"] = "env:1",
            ["FRAZIL_KAFKA__PROPERTIES__SASL_PASSWORD"] = "new",
            ["FRAZIL_KAFKA__PROPERTIES__SECURITY_PROTOCOL"] = "SASL_SSL",
            ["FRAZIL_KAFKA__PROPERTIES__SSL_CA_LOCATION"] = "/ca",
            ["FRAZIL_CATALOG__PROPERTIES__s3.access-key-id"] = "id",
            ["FRAZIL_HOT_BUFFER__FLUSH_SIZE_MB"] = "7",
            ["FRAZIL_HOT_BUFFER__FLUSH_INTERVAL_SECONDS"] = "0.5",
            ["FRAZIL_SERVER__HTTP"] = "",
            ["FRAZIL_TABLES__0__EVOLVE_SCHEMA"] = "false",
            ["FRAZIL_TABLES__0__PARTITION_BY"] = "bucket(16, user_id), day(ts)",
            ["FRAZIL_TABLES__1__NAME"] = "shop.orders",
            ["FRAZIL_TABLES__1__TOPICS"] = """["orders"]""",
            ["FRAZIL_TABLES__1__COLUMNS"] = """{ amount = "decimal(10,2)" }""",
            ["FRAZIL_KIT"] = "none of ours",
        });
        var options = config.Options;
        Assert.Equal("elsewhere", options.DataDir);
        Assert.Equal("env:1", options.Kafka.BootstrapServers);
        Assert.Equal("new", options.Kafka.Properties["sasl.password"]);
        Assert.Equal("SASL_SSL", options.Kafka.Properties["security.protocol"]);
        Assert.Equal("/ca", options.Kafka.Properties["ssl.ca.location"]);
        Assert.Equal("id", options.Catalog.Properties["s3.access-key-id"]);
        Assert.Equal((7, 0.5), (options.HotBuffer.FlushSizeMb, options.HotBuffer.FlushIntervalSeconds));
        Assert.Equal("", options.Server.Http);
        Assert.False(options.Tables[0].EvolveSchema);
        Assert.Equal(["bucket(16, user_id)", "day(ts)"], options.Tables[0].PartitionBy);
        Assert.Equal(("shop.orders", "decimal(10,2)"), (options.Tables[1].Name, options.Tables[1].Columns["amount"]));
        Assert.Equal("environment FRAZIL_DATA_DIR", config.Settings.Single(setting => setting.Key == "data_dir").Origin);
    }

    [Fact]
    public void A_wrong_variable_is_an_error_that_names_it()
    {
        var refused = Assert.Throws<ConfigException>(() => Parse("", new()
        {
            ["FRAZIL_KAFKA__BOOTSTRAP_SERVER"] = "x:1",
            ["FRAZIL_HOT_BUFFER__FLUSH_SIZE_MB"] = "many",
            ["FRAZIL_TABLES__3__NAME"] = "a.b",
        }));
        var errors = refused.Errors.ToDictionary(error => error.Key);
        Assert.Contains("FRAZIL_KAFKA__BOOTSTRAP_SERVERS?", errors["FRAZIL_KAFKA__BOOTSTRAP_SERVER"].Fix, StringComparison.Ordinal);
        Assert.Equal("environment FRAZIL_HOT_BUFFER__FLUSH_SIZE_MB", errors["hot_buffer.flush_size_mb"].Origin);
        Assert.Equal("\"many\"", errors["hot_buffer.flush_size_mb"].Value);
        Assert.Contains("there are 0", errors["FRAZIL_TABLES__3__NAME"].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_come_from_the_environment_and_from_files_and_are_never_shown()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "from-file\n");
        var config = Parse($"""
            [kafka.properties]
            "sasl.password" = "env:PASSWORD"
            "ssl.key.password" = "written-out"
            [server]
            token = "file:{file}"
            """, new() { ["PASSWORD"] = "from-environment" });
        File.Delete(file);
        Assert.Equal("from-environment", config.Options.Kafka.Properties["sasl.password"]);
        Assert.Equal("from-file", config.Options.Server.Token);
        var shown = config.Settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        Assert.Equal("\"env:PASSWORD\"", shown["kafka.properties.sasl.password"]);
        Assert.Equal("\"********\"", shown["kafka.properties.ssl.key.password"]);
        Assert.Equal($"\"file:{file}\"", shown["server.token"]);
    }

    [Fact]
    public void What_says_to_a_catalog_who_we_are_is_never_shown()
    {
        var config = Parse("""
            [catalog]
            type = "rest"
            uri = "https://polaris:8181/api/catalog"
            warehouse = "lake"
            [catalog.properties]
            credential = "root:hunter2"
            token = "hunter2"
            scope = "PRINCIPAL_ROLE:ALL"
            header.Authorization = "Basic hunter2"
            header.X-Any = "hunter2"
            header.X-Iceberg-Access-Delegation = "vended-credentials"
            rest.auth.basic.password = "hunter2"
            rest.secret-access-key = "hunter2"
            s3.session-token = "hunter2"
            """);
        Assert.DoesNotContain(config.Settings, setting => setting.Value.Contains("hunter2", StringComparison.Ordinal));
        var shown = config.Settings.ToDictionary(setting => setting.Key, setting => setting.Value);
        Assert.Equal("\"PRINCIPAL_ROLE:ALL\"", shown["catalog.properties.scope"]);
        Assert.Equal("\"vended-credentials\"", shown["catalog.properties.header.X-Iceberg-Access-Delegation"]);
        Assert.Equal("hunter2", config.Options.Catalog.Properties["token"]);
        var refused = Assert.Throws<ConfigException>(() => Parse("[catalog]\ntype = \"rest\"\nuri = \"http://host\"\n[catalog.properties]\nheader.X = \"hunter2\\u0007\""));
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_cannot_be_had_is_an_error()
    {
        var refused = Assert.Throws<ConfigException>(() => Parse("""
            [kafka.properties]
            "sasl.password" = "env:NOT_SET"
            [server]
            token = "file:/no/such/file"
            """));
        Assert.Equal(["kafka.properties.sasl.password", "server.token"], refused.Errors.Select(error => error.Key));
        Assert.Contains("NOT_SET is not set", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Passwords_inside_of_values_are_not_shown_either()
    {
        var shown = Parse("""
            [kafka.properties]
            "sasl.oauthbearer.config" = "clientId=x clientSecret=hunter2"
            "sasl.oauthbearer.token.endpoint.url" = "https://me:hunter2@login/token"
            [schema_registry]
            url = "http://user:hunter2@registry:8081?token=hunter2&x=1"
            """).Settings;
        Assert.DoesNotContain(shown, setting => setting.Value.Contains("hunter2", StringComparison.Ordinal));
        Assert.Contains(shown, static setting => setting.Value == "\"http://user:********@registry:8081?token=********&x=1\"");
        var refused = Assert.Throws<ConfigException>(() => Parse("[catalog]\nwarehouse = \"ftp://me:hunter2@host/x\"" + Table));
        Assert.DoesNotContain("hunter2", refused.Message, StringComparison.Ordinal);
        Assert.Contains("me:********@host", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_file_that_never_ends_is_an_error_and_one_of_a_pipe_is_read()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        var refused = Assert.Throws<ConfigException>(() => Parse("[server]\ntoken = \"file:/dev/zero\""));
        Assert.Contains("more than 65536 bytes", refused.Message, StringComparison.Ordinal);
        var pipe = Path.Combine(Path.GetTempPath(), $"frazil-{Guid.NewGuid():N}");
        using (var made = System.Diagnostics.Process.Start("mkfifo", pipe)!)
        {
            made.WaitForExit();
        }
        var silent = Assert.Throws<ConfigException>(() => Parse($"[server]\ntoken = \"file:{pipe}\""));
        Assert.Contains("a pipe that nobody writes into", silent.Message, StringComparison.Ordinal);
        File.WriteAllText(pipe, "from-pipe\n"); // ends the reader that was left waiting
        File.Delete(pipe);
    }

    [Fact]
    public void Effective_settings_name_file_line_and_default()
    {
        var settings = Parse("[kafka]\ngroup_id = \"g\"" + Table).Settings.ToDictionary(setting => setting.Key);
        Assert.Equal(new EffectiveSetting("kafka.group_id", "\"g\"", "frazil.toml:2"), settings["kafka.group_id"]);
        Assert.Equal("default", settings["kafka.bootstrap_servers"].Origin);
        Assert.Equal("frazil.toml:4", settings["tables[0].name"].Origin);
        Assert.Equal("\"json\"", settings["tables[0].format"].Value);
    }

    private static EffectiveConfig Parse(string toml, Dictionary<string, string>? environment = null)
        => FrazilConfigFile.Parse(toml, environment: environment ?? NoEnvironment);
}
