using System.Globalization;
using System.Text.RegularExpressions;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;

namespace Frazil.Config;

/// <summary>Every check of a complete set of options: ranges, syntax, and what must hold between keys. File and builder go through the
/// same ones.</summary>
internal sealed partial class OptionsValidator(ConfigErrors errors)
{
    public void Validate(FrazilOptions options)
    {
        foreach (var key in ConfigKeys.All)
        {
            if (key.Read(options) is { } value && RangeProblem(key, value) is { } problem)
            {
                errors.Add(key.Path, value, problem, $"Allowed: {key.Allowed}");
            }
        }
        CheckText("data_dir", options.DataDir, int.MaxValue);
        ValidateKafka(options.Kafka);
        ValidateSchemaRegistry(options.SchemaRegistry);
        ValidateCatalog(options.Catalog);
        ValidateHotBuffer(options.HotBuffer);
        ValidateMaintenance(options.Maintenance);
        ValidateServer(options.Server);
        new TableValidator(errors).Validate(options.Tables);
        new TablePropertyValidator(errors, options.Catalog.Type == "rest" ? null : options.Catalog.Warehouse).Validate(options.Tables);
    }

    /// <summary>What is wrong with a number, or null.</summary>
    public static string? RangeProblem<TOwner>(ConfigKey<TOwner> key, object value)
    {
        double? number = value switch { long integer => integer, double real => real, _ => null };
        // Written so that NaN is out of range.
        return number is null || (number >= key.Minimum && number <= key.Maximum) ? null : "is out of range";
    }

    private void ValidateKafka(KafkaOptions kafka)
    {
        if (CheckText("kafka.bootstrap_servers", kafka.BootstrapServers, int.MaxValue))
        {
            foreach (var broker in kafka.BootstrapServers.Split(',', StringSplitOptions.TrimEntries))
            {
                if (!Broker().IsMatch(broker) || !PortIsValid(broker))
                {
                    errors.Add(
                        "kafka.bootstrap_servers", kafka.BootstrapServers, $"\"{broker}\" is not host:port",
                        "Write host:port, several with commas");
                }
            }
        }
        CheckText("kafka.group_id", kafka.GroupId, 200);
        foreach (var (name, _) in kafka.Properties)
        {
            if (ReservedProperties.Reason(name) is { } reason)
            {
                errors.AddShown($"kafka.properties.{name}", null, $"belongs to Frazil: {reason}", "Remove it");
            }
        }
    }

    private static bool PortIsValid(string broker)
    {
        var port = broker[(broker.LastIndexOf(':') + 1)..];
        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535;
    }

    private void ValidateSchemaRegistry(SchemaRegistryOptions? registry)
    {
        if (registry is not null && !(Uri.TryCreate(registry.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            errors.Add("schema_registry.url", registry.Url, "is not an http or https URL", "Write it as \"http://host:8081\"");
        }
    }

    private void ValidateCatalog(CatalogOptions catalog)
    {
        CheckText("catalog.name", catalog.Name, 255);
        switch (catalog.Type)
        {
            case "sql":
                ValidateCatalogUri(catalog.Uri);
                ValidateWarehouse(catalog.Warehouse);
                break;
            case "filesystem":
                ValidateWarehouse(catalog.Warehouse);
                if (catalog.Uri.Length > 0 && catalog.Uri != new CatalogOptions().Uri)
                {
                    errors.AddShown("catalog.uri", ConfigText.Quote(MaskPassword(catalog.Uri)),
                        "is not read where catalog.type is \"filesystem\": catalog.warehouse says where tables are", "Remove it");
                }
                break;
            case "rest":
                ValidateRest(catalog);
                break;
            default:
                errors.Add("catalog.type", catalog.Type, "is not a kind of catalog", "Use \"sql\", \"rest\" or \"filesystem\"");
                break;
        }
    }

    private void ValidateRest(CatalogOptions catalog)
    {
        const string Fix = "Write the address of the server, such as \"http://localhost:8181\"; what comes after it in requests, /v1/…, is left out";
        if (catalog.Uri == new CatalogOptions().Uri)
        {
            errors.Add("catalog.uri", null, "is missing", Fix);
        }
        else if (!Uri.TryCreate(catalog.Uri, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Query.Length > 0)
        {
            errors.AddShown("catalog.uri", ConfigText.Quote(MaskPassword(catalog.Uri)), "is not an http or https URL without a query", Fix);
        }
        else if (uri.UserInfo.Length > 0)
        {
            errors.AddShown("catalog.uri", ConfigText.Quote(MaskPassword(catalog.Uri)), "holds a user or a password, which would not be sent",
                "Set credential, token or rest.auth.basic.username and rest.auth.basic.password under [catalog.properties]");
        }
        foreach (var (name, problem) in RestCatalogOptions.Problems(catalog.Properties))
        {
            errors.AddShown($"catalog.properties.{name}", null, problem, "See docs/catalogs.md");
        }
    }

    private void ValidateCatalogUri(string uri)
    {
        const string Fix = "Write \"sqlite:PATH\", such as \"sqlite:frazil-data/catalog.db\"";
        if (uri.StartsWith("postgres", StringComparison.OrdinalIgnoreCase) || uri.StartsWith("jdbc:", StringComparison.OrdinalIgnoreCase))
        {
            errors.AddShown("catalog.uri", ConfigText.Quote(MaskPassword(uri)), "is not supported yet: only SQLite is", Fix);
        }
        else if (!uri.StartsWith("sqlite:", StringComparison.Ordinal))
        {
            errors.AddShown("catalog.uri", ConfigText.Quote(MaskPassword(uri)), "is not a SQLite URI", Fix);
        }
        else if (uri["sqlite:".Length..].TrimStart('/').Length == 0)
        {
            errors.Add("catalog.uri", uri, "names no file", Fix);
        }
        else if (uri.Contains(":memory:", StringComparison.Ordinal))
        {
            errors.Add("catalog.uri", uri, "would be lost with the process, and the tables' progress with it", Fix);
        }
    }

    private void ValidateWarehouse(string warehouse)
    {
        if (!CheckText("catalog.warehouse", warehouse, int.MaxValue) || Scheme().Match(warehouse) is not { Success: true } match)
        {
            return;
        }
        var scheme = match.Groups["scheme"].Value;
        if (scheme is "s3" or "s3a" or "gs" or "abfss" or "abfs" or "wasb" or "wasbs" or "hdfs")
        {
            errors.Add("catalog.warehouse", warehouse, $"is not supported yet: {scheme}://", "Use a local folder or a file: URI");
        }
        else if (scheme != "file")
        {
            errors.Add("catalog.warehouse", warehouse, $"has the unknown scheme {scheme}:", "Use a local folder or a file: URI");
        }
    }

    private void ValidateHotBuffer(HotBufferOptions hot)
    {
        if (hot.FlushSizeMb > hot.MaxMemoryMb && !errors.Has("hot_buffer.flush_size_mb") && !errors.Has("hot_buffer.max_memory_mb"))
        {
            errors.Add("hot_buffer.flush_size_mb", (long)hot.FlushSizeMb,
                $"is more than hot_buffer.max_memory_mb = {hot.MaxMemoryMb}, so fetching would pause before a flush could start",
                $"Lower it to {hot.MaxMemoryMb} or less, or raise hot_buffer.max_memory_mb");
        }
    }

    private void ValidateMaintenance(MaintenanceOptions maintenance)
    {
        const string Threshold = "maintenance.compact_threshold_mb";
        if (maintenance.CompactThresholdMb > maintenance.CompactTargetMb && !errors.Has(Threshold)
            && !errors.Has("maintenance.compact_target_mb"))
        {
            errors.Add(Threshold, (long)maintenance.CompactThresholdMb,
                $"is more than maintenance.compact_target_mb = {maintenance.CompactTargetMb}, so what compaction wrote would be compacted again",
                $"Lower it to {maintenance.CompactTargetMb} or less");
        }
    }

    private void ValidateServer(ServerOptions server)
    {
        if (server.Token is { } token && (token.Length == 0 || token.Any(letter => letter is <= ' ' or > '~')))
        {
            errors.AddShown(
                "server.token", ConfigText.Mask, "must be printable ASCII without blanks, at least one character", "Remove it for none");
        }
        ValidateListener("server.http", server.Http, server);
        ValidateListener("server.postgres", server.Postgres, server);
    }

    private void ValidateListener(string key, string text, ServerOptions server)
    {
        if (text.Length == 0)
        {
            return;
        }
        try
        {
            if (!ListenAddress.Parse(text).IsLoopback && server.Token is null && !server.AllowInsecureRemote)
            {
                errors.Add(key, text, "listens beyond this machine without a token: whoever reaches the port could read every table",
                    "Set server.token, or listen on 127.0.0.1, or say server.allow_insecure_remote = true");
            }
        }
        catch (FormatException exception)
        {
            errors.Add(key, text, exception.Message, "");
        }
    }

    private bool CheckText(string key, string text, int longest)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            errors.Add(key, text, "is empty", "Write a value, or remove the key for its default");
            return false;
        }
        if (text.Length > longest)
        {
            errors.Add(key, text, $"is {text.Length} characters long", $"Use at most {longest}");
            return false;
        }
        return true;
    }

    /// <summary>A URI may carry a password before its host.</summary>
    private static string MaskPassword(string uri) => UserInfo().Replace(uri, $"$1{ConfigText.Mask}@");

    [GeneratedRegex(@"^([A-Za-z_]+://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Broker();

    [GeneratedRegex(@"^(?<scheme>[A-Za-z][A-Za-z0-9+.-]+):")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"(://[^:/@]*:)[^@/]*@")]
    private static partial Regex UserInfo();
}
