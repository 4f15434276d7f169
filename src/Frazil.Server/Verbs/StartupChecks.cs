using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Kafka.Native;

namespace Frazil.Server.Verbs;

/// <summary>Tries, in the order in which <c>run</c> would fail: libraries, broker, topics, catalog, warehouse, data folder, port.</summary>
internal sealed class StartupChecks(FrazilOptions options, TimeSpan brokerTimeout)
{
    public async IAsyncEnumerable<Check> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (options.Tables.Count == 0)
        {
            yield return new Check("tables", false, "none is configured", "Add [[tables]] with a name and topics");
        }
        var kafkaLibrary = Try("librdkafka", () => RdKafkaLibrary.Version, Reinstall(NativeLibraries.RdKafka));
        yield return kafkaLibrary;
        yield return Try("libduckdb", () => DuckDbInstance.LibraryVersion, Reinstall(NativeLibraries.DuckDb));
        if (kafkaLibrary.Ok)
        {
            foreach (var check in await CheckBrokerAsync(cancellationToken))
            {
                yield return check;
            }
        }
        foreach (var check in await CheckCatalogAsync(cancellationToken))
        {
            yield return check;
        }
        yield return CheckFolder("data folder", options.DataDir, "data_dir");
        yield return await CheckPortAsync(cancellationToken);
    }

    private static string Reinstall(string library) => $"Install Frazil anew, or name a file of your own in {NativeLibraries.VariableOf(library)}";

    private static Check Try(string name, Func<string> probe, string fix)
    {
        try
        {
            return new Check(name, true, probe());
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException or TypeInitializationException
            or InvalidOperationException or NotSupportedException)
        {
            return new Check(name, false, (exception.InnerException ?? exception).Message, fix);
        }
    }

    private async Task<List<Check>> CheckBrokerAsync(CancellationToken cancellationToken)
    {
        var name = $"broker {options.Kafka.BootstrapServers}";
        var topics = options.Tables.SelectMany(table => table.Topics).Distinct(StringComparer.Ordinal).ToList();
        var patterns = options.Tables.Select(table => table.TopicPattern).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        try
        {
            await using var admin = new KafkaAdmin(options.Kafka.BootstrapServers, options.Kafka.Properties);
            var report = await admin.CheckAsync(topics, brokerTimeout, cancellationToken);
            if (report.Error is { } error)
            {
                return [
                    new Check(
                        name, false, $"{error.Reason} ({error.Name})",
                        error.Fix.Length > 0 ? error.Fix : "Look at kafka.bootstrap_servers and kafka.properties")];
            }
            List<Check> checks = [new Check(name, true, $"answers; {report.Brokers.Count} broker(s) in the cluster")];
            checks.AddRange(report.Topics.Select(Describe));
            if (patterns.Count > 0)
            {
                checks.AddRange(MatchPatterns(patterns, await admin.ListTopicsAsync(brokerTimeout, cancellationToken)));
            }
            return checks;
        }
        catch (KafkaException exception)
        {
            return [new Check(name, false, exception.Error.Reason, exception.Error.Fix.Length > 0 ? exception.Error.Fix : "Look at kafka.properties")];
        }
    }

    private static Check Describe(TopicDescription topic)
        => topic.Error is null
            ? new Check($"topic {topic.Name}", true, $"{topic.Partitions} partition(s)")
            : new Check(
                $"topic {topic.Name}", false, $"{topic.Error.Reason} ({topic.Error.Name})",
                "Create it, or correct topics; `run` would wait for it");

    private static IEnumerable<Check> MatchPatterns(List<string> patterns, IReadOnlyList<TopicDescription> topics)
    {
        foreach (var pattern in patterns)
        {
            var selected = TopicPattern.Parse(pattern);
            var matches = topics.Count(topic => selected.Selects(topic.Name));
            yield return matches > 0
                ? new Check($"topics {pattern}", true, $"{matches} match")
                : new Check(
                    $"topics {pattern}", false, "no topic matches", "Create one, or correct topic_pattern; `run` would wait for one");
        }
    }

    /// <summary>The catalog, each configured table that is in it already, and the warehouse.</summary>
    private async Task<List<Check>> CheckCatalogAsync(CancellationToken cancellationToken)
    {
        var warehouse = CheckFolder("warehouse", LocalPath(options.Catalog.Warehouse), "catalog.warehouse");
        if (options.Catalog.Type == "filesystem")
        {
            return [.. await CheckOpenAsync($"catalog {options.Catalog.Warehouse}", "Look at catalog.warehouse", cancellationToken), warehouse];
        }
        var name = $"catalog {options.Catalog.Uri}";
        if (options.Catalog.Type == "rest")
        {
            return await CheckOpenAsync(
                name, "Look at catalog.uri, catalog.warehouse and [catalog.properties]: docs/catalogs.md has an example for each server",
                cancellationToken);
        }
        var path = CatalogReader.FileOf(options.Catalog.Uri);
        if (!File.Exists(path))
        {
            var folder = CheckFolder(name, Path.GetDirectoryName(path)!, "catalog.uri");
            return [folder.Ok ? folder with { Detail = "is not there yet; `run` will create it" } : folder, warehouse];
        }
        return [.. await CheckOpenAsync(name, "Look at catalog.uri, and who may read and write that file", cancellationToken), warehouse];
    }

    private async Task<List<Check>> CheckOpenAsync(string name, string fix, CancellationToken cancellationToken)
    {
        try
        {
            await using var catalog = await CatalogReader.OpenAsync(options.Catalog, cancellationToken);
            var tables = await catalog.LoadAsync(null, cancellationToken);
            var there = tables.ToDictionary(static table => table.Identifier.ToString(), static table => table.Metadata);
            return [
                new Check(name, true, $"opens; {tables.Count} table(s)"),
                .. there.Select(pair => (Metadata: pair.Value, Table: TableNames.Find(options.Tables, pair.Key, TopicsOf(pair.Value))))
                    .Where(static one => one.Table is not null).Select(static one => CheckTable(one.Metadata, one.Table!)),
                .. CheckServersWarehouse(catalog.Catalog)];
        }
        catch (Exception exception) when (exception is IcebergException or FrazilStartException or IOException or UnauthorizedAccessException)
        {
            return [new Check(name, false, exception.Message, fix)];
        }
    }

    /// <summary>Where a server keeps its tables is its own affair; a folder that it names is to be had here too.</summary>
    private IEnumerable<Check> CheckServersWarehouse(ICatalog catalog)
    {
        if (options.Catalog.Type == "rest" && WarehouseCatalog.LocalFoldersOf(catalog, options.Catalog) is [var folder, ..])
        {
            yield return CheckFolder("warehouse", folder, "the server's warehouse");
        }
    }

    private static List<string> TopicsOf(TableMetadata metadata)
        => [.. metadata.Properties.Keys.Where(static key => key.StartsWith(TableProgress.PropertyPrefix, StringComparison.Ordinal))
            .Select(static key => key[TableProgress.PropertyPrefix.Length..])];

    private static Check CheckTable(TableMetadata metadata, TableOptions table)
        => TableCompatibility.Problems(metadata, table) is { Count: > 0 } problems
            ? new Check($"table {table.Name}", false, $"exists but cannot be written as configured: {string.Join("; ", problems)}", TableCompatibility.Fix)
            : new Check($"table {table.Name}", true, "exists; can be written as configured");

    /// <summary>Writes a file and deletes it, in the folder or, where that is not there yet, in the nearest one above it.</summary>
    private static Check CheckFolder(string name, string path, string key)
    {
        var full = Path.GetFullPath(path);
        var existing = full;
        while (!Directory.Exists(existing))
        {
            if (File.Exists(existing))
            {
                return new Check(name, false, $"{existing} is a file", $"Set {key} to a folder");
            }
            existing = Path.GetDirectoryName(existing) ?? Path.GetPathRoot(full)!;
        }
        try
        {
            var probe = Path.Combine(existing, $".frazil-check-{Guid.NewGuid():N}");
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
                return new Check(name, true, existing == full ? $"{full} is writable" : $"{full} can be created");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Check(
                name, false, $"{existing} is not writable: {exception.Message}",
                $"Set {key} to a folder that this user may write, or change its permissions");
        }
    }

    private async Task<Check> CheckPortAsync(CancellationToken cancellationToken)
    {
        if (options.Server.Http.Length == 0)
        {
            return new Check("http", true, "turned off");
        }
        var name = $"http {options.Server.Http}";
        var listen = ListenAddress.Parse(options.Server.Http);
        using var client = ServerClient.For(options.Server);
        if (client is not null && await client.IsThereAsync(cancellationToken))
        {
            return new Check(name, true, "a Frazil runs there already");
        }
        try
        {
            using var listener = new TcpListener(
                listen.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(listen.Host), listen.Port);
            listener.Start();
            return new Check(name, true, "is free");
        }
        catch (SocketException exception)
        {
            return new Check(name, false, exception.Message, "Choose another server.http, or stop what listens there");
        }
    }

    private static string LocalPath(string warehouse)
        => warehouse.StartsWith("file:", StringComparison.Ordinal) && Uri.TryCreate(warehouse, UriKind.Absolute, out var uri)
            ? uri.LocalPath
            : warehouse;
}
