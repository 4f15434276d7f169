using System.Collections;
using System.Collections.Frozen;

namespace Frazil.Config;

/// <summary>
/// Collects options, checks them all at once, and freezes them. Each part is an immutable record that is replaced as a whole:
/// <c>builder.HotBuffer = builder.HotBuffer with { FlushIntervalSeconds = 5 }</c>. Not thread-safe; one builder may build several times.
/// </summary>
public sealed class FrazilOptionsBuilder
{
    /// <summary>Starts from the defaults.</summary>
    public FrazilOptionsBuilder()
        : this(new FrazilOptions())
    {
    }

    /// <summary>Starts from other options, such as those of a file.</summary>
    public FrazilOptionsBuilder(FrazilOptions options)
    {
        DataDir = options.DataDir;
        Kafka = options.Kafka;
        SchemaRegistry = options.SchemaRegistry;
        Catalog = options.Catalog;
        Tables = [.. options.Tables];
        HotBuffer = options.HotBuffer;
        Maintenance = options.Maintenance;
        Sql = options.Sql;
        Server = options.Server;
    }

    public string DataDir { get; set; }
    public KafkaOptions Kafka { get; set; }
    public SchemaRegistryOptions? SchemaRegistry { get; set; }
    public CatalogOptions Catalog { get; set; }
    public IList<TableOptions> Tables { get; init; }
    public HotBufferOptions HotBuffer { get; set; }
    public MaintenanceOptions Maintenance { get; set; }
    public SqlOptions Sql { get; set; }
    public ServerOptions Server { get; set; }

    /// <summary>Sets the brokers, <c>host:port</c> with commas between.</summary>
    public FrazilOptionsBuilder FromKafka(string bootstrapServers)
    {
        Kafka = Kafka with { BootstrapServers = bootstrapServers };
        return this;
    }

    /// <summary>Keeps everything under one local folder: catalog, warehouse and transaction log.</summary>
    public FrazilOptionsBuilder InFolder(string folder)
    {
        DataDir = folder;
        Catalog = Catalog with
        {
            Type = "sql",
            Uri = $"sqlite:{Path.Combine(folder, "catalog.db")}",
            Warehouse = Path.Combine(folder, "warehouse"),
        };
        return this;
    }

    /// <summary>Adds a table fed by one topic.</summary>
    /// <param name="name"><c>namespace.table</c>.</param>
    /// <param name="topic">The topic's name.</param>
    /// <param name="configure">Further settings: <c>table => table with { … }</c>.</param>
    public FrazilOptionsBuilder AddTable(string name, string topic, Func<TableOptions, TableOptions>? configure = null)
    {
        var table = new TableOptions { Name = name, Topics = [topic] };
        Tables.Add(configure is null ? table : configure(table));
        return this;
    }

    /// <summary>Checks everything and freezes it. Values <c>env:NAME</c> and <c>file:/path</c> of properties and of the token are
    /// resolved.</summary>
    /// <exception cref="ConfigException">With every error.</exception>
    public FrazilOptions Build()
    {
        var errors = new ConfigErrors();
        var options = Freeze(Collect(), ReadEnvironment(), errors);
        errors.ThrowIfAny();
        return options;
    }

    /// <summary>The process's environment as a dictionary.</summary>
    internal static IReadOnlyDictionary<string, string> ReadEnvironment()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        }
        return variables;
    }

    /// <summary>Resolves secrets, validates, and copies every collection so that no caller can change what was checked.</summary>
    internal static FrazilOptions Freeze(FrazilOptions raw, IReadOnlyDictionary<string, string> environment, ConfigErrors errors)
    {
        var resolver = new SecretResolver(environment, errors);
        var options = raw with
        {
            Kafka = raw.Kafka with { Properties = resolver.Resolve("kafka.properties", raw.Kafka.Properties) },
            Catalog = raw.Catalog with
            {
                Uri = resolver.Resolve("catalog.uri", raw.Catalog.Uri) ?? raw.Catalog.Uri,
                Properties = resolver.Resolve("catalog.properties", raw.Catalog.Properties),
            },
            Server = raw.Server with { Token = resolver.Resolve("server.token", raw.Server.Token) },
            Tables = [.. raw.Tables.Select(Freeze)],
        };
        new OptionsValidator(errors).Validate(options);
        return options;
    }

    private FrazilOptions Collect() => new()
    {
        DataDir = DataDir,
        Kafka = Kafka,
        SchemaRegistry = SchemaRegistry,
        Catalog = Catalog,
        Tables = [.. Tables],
        HotBuffer = HotBuffer,
        Maintenance = Maintenance,
        Sql = Sql,
        Server = Server,
    };

    private static TableOptions Freeze(TableOptions table) => table with
    {
        Topics = [.. table.Topics],
        Key = [.. table.Key],
        Columns = OrderedCopy(table.Columns),
        PartitionBy = [.. table.PartitionBy],
        KafkaColumns = [.. table.KafkaColumns],
        Properties = table.Properties.ToFrozenDictionary(StringComparer.Ordinal),
    };

    /// <summary>Declared columns keep the order in which they were written: the table is created with it.</summary>
    private static OrderedDictionary<string, string> OrderedCopy(IReadOnlyDictionary<string, string> columns)
    {
        var copy = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, type) in columns)
        {
            copy.Add(name, type);
        }
        return copy;
    }

    private sealed class SecretResolver(IReadOnlyDictionary<string, string> environment, ConfigErrors errors)
    {
        public FrozenDictionary<string, string> Resolve(string key, IReadOnlyDictionary<string, string> properties)
            => properties.ToFrozenDictionary(
                pair => pair.Key, pair => Resolve($"{key}.{pair.Key}", pair.Value) ?? "", StringComparer.Ordinal);

        public string? Resolve(string key, string? value)
        {
            try
            {
                return value is null ? null : Secrets.Resolve(value, environment);
            }
            catch (FormatException exception)
            {
                errors.Add(key, value, exception.Message, "Set it, or name another place");
                return value;
            }
        }
    }
}
