using System.CommandLine;
using Frazil.Config;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil init</c>: writes a commented frazil.toml.</summary>
internal static class InitVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var brokers = new Option<string>("--brokers")
        {
            Description = "kafka.bootstrap_servers",
            DefaultValueFactory = _ => "localhost:9092",
            HelpName = "HOST:PORT",
        };
        var topic = new Option<string>("--topic")
        {
            Description = "The topic of the first table",
            DefaultValueFactory = _ => "user_events",
            HelpName = "TOPIC",
        };
        var table = new Option<string?>("--table") { Description = "The table's name. Default: shop.TOPIC", HelpName = "NAMESPACE.TABLE" };
        var force = new Option<bool>("--force") { Description = "Overwrite the file if there is one" };
        var verb = new Verb("init", "Write a frazil.toml with every setting explained. Refuses to overwrite one.")
        {
            Examples = """
                frazil init
                frazil init --brokers broker:9092 --topic orders --table sales.orders -c orders.toml
                """,
        };
        Array.ForEach<Option>([brokers, topic, table, force], verb.Add);
        verb.SetAction(result =>
        {
            var path = result.GetValue(common.ConfigFile) ?? "frazil.toml";
            var topicName = result.GetValue(topic)!;
            var text = Template(result.GetValue(brokers)!, topicName, result.GetValue(table) ?? DefaultTable(topicName));
            return Write(path, text, result.GetValue(force), terminal);
        });
        return verb;
    }

    /// <summary>The file's text. What is commented out is the default.</summary>
    internal static string Template(string brokers, string topic, string table) => $"""
        # Frazil: Kafka topics to live Iceberg tables. Every key: docs/configuration.md
        # What is commented out shows the default. Relative paths are relative to the current directory.
        # Any key can come from the environment: FRAZIL_KAFKA__BOOTSTRAP_SERVERS=broker:9092

        # data_dir = "frazil-data"

        [kafka]
        bootstrap_servers = {ConfigText.Quote(brokers)}
        # group_id = "frazil"                  # each table consumes as group_id.table_name
        # start_from = "earliest"              # earliest | latest | "2026-01-31T00:00:00Z": only where the table has no progress

        # [kafka.properties]                   # any librdkafka property: TLS, SASL, tuning
        # security.protocol = "SASL_SSL"
        # sasl.mechanism = "PLAIN"
        # sasl.username = "me"
        # sasl.password = "env:KAFKA_PASSWORD" # or "file:/run/secrets/kafka"

        [catalog]
        # type = "sql"                         # sql | rest | filesystem: docs/catalogs.md
        # name = "frazil"
        # uri = "sqlite:frazil-data/catalog.db"
        # warehouse = "frazil-data/warehouse"

        [[tables]]
        name = {ConfigText.Quote(table)}
        topics = [{ConfigText.Quote(topic)}]
        # format = "json"
        # mode = "append"
        # Declare what should not be inferred: timestamps and decimals arrive as text or numbers in JSON.
        # columns = {'{'} event_timestamp = "timestamptz", amount = "decimal(10,2)" {'}'}
        # partition_by = ["day(event_timestamp)"]   # identity, bucket(N, c), truncate(W, c), year, month, day, hour, void
        # evolve_schema = true                 # new fields become columns; false: records with unknown fields are bad
        # preserve_kafka_partitions = true
        # on_bad_record = "dlq"                # dlq: to the table NAME_dlq | fail: the table stops
        # on_rollback = "stop"                 # another engine set the table back: stop | read_again | go_on
        # kafka_columns = ["kafka_partition", "kafka_offset", "kafka_timestamp"]

        [hot_buffer]
        # flush_size_mb = 100                  # a flush starts at this size ...
        # flush_interval_seconds = 60          # ... or after this time: how soon other engines see rows
        # ttl_seconds = 60
        # max_memory_mb = 1024                 # fetching pauses here
        # fail_after_seconds = 3600            # how long commits may fail before the table gives up

        [server]
        # http = "127.0.0.1:7070"              # SQL, tables, metrics, console
        # token = "env:FRAZIL_TOKEN"           # needed to listen beyond this machine

        """;

    private static string DefaultTable(string topic)
    {
        var name = string.Concat(topic.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_'));
        return $"shop.{(char.IsAsciiDigit(name[0]) || name[0] == '-' ? $"t{name}" : name)}";
    }

    private static int Write(string path, string text, bool force, Terminal terminal)
    {
        FrazilConfigFile.Parse(text, Path.GetFileName(path), new Dictionary<string, string>());
        try
        {
            using var file = new FileStream(path, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write);
            file.Write(System.Text.Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n")));
        }
        catch (IOException) when (!force && File.Exists(path))
        {
            throw new VerbException($"{path} exists already. Use --force to overwrite it, or -c to write another file");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VerbException($"{path} cannot be written: {exception.Message}", inner: exception);
        }
        terminal.Error.WriteLine($"wrote {path}. Next: frazil check -c {path}, then frazil run -c {path}");
        return ExitCode.Done;
    }
}
