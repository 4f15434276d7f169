using System.Globalization;
using System.Text;

namespace Frazil.Rig;

/// <summary>A frazil.toml for tests and measurements, written into a folder of its own.</summary>
public sealed record FrazilConfig
{
    public required string BootstrapServers { get; init; }
    /// <summary>A name, or a pattern that begins with ^.</summary>
    public required string Topic { get; init; }
    /// <summary>Further topics of the same table.</summary>
    public IReadOnlyList<string> MoreTopics { get; init; } = [];
    public string Table { get; init; } = "shop.user_events";
    public string GroupId { get; init; } = "frazil";
    public string StartFrom { get; init; } = "earliest";
    public int HttpPort { get; init; } = FrazilProcess.FreePort();
    public double FlushIntervalSeconds { get; init; } = 1;
    public int FlushSizeMb { get; init; } = 64;
    public int MaxMemoryMb { get; init; } = 1024;
    public double TtlSeconds { get; init; } = 1;
    public int FailAfterSeconds { get; init; } = 3600;
    public string DataDir { get; init; } = "data";
    public string CatalogType { get; init; } = "sql";
    public string CatalogUri { get; init; } = "sqlite:catalog.db";
    public IReadOnlyDictionary<string, string> CatalogProperties { get; init; } = new Dictionary<string, string>();
    public string Warehouse { get; init; } = "warehouse";
    /// <summary>Further lines of the table's section.</summary>
    public IReadOnlyList<string> TableLines { get; init; } = ["""columns = { event_timestamp = "timestamptz", amount = "decimal(10,2)" }"""];
    /// <summary>librdkafka properties.</summary>
    public IReadOnlyDictionary<string, string> KafkaProperties { get; init; } = new Dictionary<string, string>();
    /// <summary>Further sections, as they are.</summary>
    public string More { get; init; } = "";

    /// <summary>Writes it.</summary>
    /// <returns>The file's path.</returns>
    public string Write(string folder, string name = "frazil.toml")
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, ToString());
        return path;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            data_dir = "{DataDir}"

            [kafka]
            bootstrap_servers = "{BootstrapServers}"
            group_id = "{GroupId}"
            start_from = "{StartFrom}"
            """);
        if (KafkaProperties.Count > 0)
        {
            text.AppendLine("\n[kafka.properties]");
            foreach (var (key, value) in KafkaProperties)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"\"{key}\" = \"{value}\"");
            }
        }
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            [catalog]
            type = "{CatalogType}"
            uri = "{CatalogUri}"
            warehouse = "{Warehouse}"
            """);
        if (CatalogProperties.Count > 0)
        {
            text.AppendLine("\n[catalog.properties]");
            foreach (var (key, value) in CatalogProperties)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"\"{key}\" = \"{value}\"");
            }
        }
        text.AppendLine(CultureInfo.InvariantCulture, $"""

            [[tables]]
            name = "{Table}"
            {(Topic.StartsWith('^') ? $"topic_pattern = '{Topic}'" : $"topics = [{string.Join(", ", MoreTopics.Prepend(Topic).Select(topic => $"\"{topic}\""))}]")}
            {string.Join('\n', TableLines)}

            [hot_buffer]
            flush_size_mb = {FlushSizeMb}
            flush_interval_seconds = {FlushIntervalSeconds}
            ttl_seconds = {TtlSeconds}
            fail_after_seconds = {FailAfterSeconds}
            max_memory_mb = {MaxMemoryMb}

            [server]
            http = "127.0.0.1:{HttpPort}"
            postgres = ""

            {More}
            """);
        return text.ToString();
    }
}
