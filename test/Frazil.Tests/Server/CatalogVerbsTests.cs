using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;
using Xunit;

namespace Frazil.Tests.Server;

/// <summary><c>tables</c>, <c>snapshots</c> and <c>files</c> over a catalog that the Iceberg library wrote.</summary>
public sealed class CatalogVerbsTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-verbs-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string ConfigFile => Path.Combine(folder, "frazil.toml");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(
            ConfigFile, $"[catalog]\nuri = 'sqlite:{folder}/catalog.db'\nwarehouse = '{folder}/warehouse'\n", Cancel);
        var files = new LocalFileIO();
        await using var catalog = await SqlCatalog.OpenAsync(
            $"sqlite:{folder}/catalog.db", $"{folder}/warehouse", files, cancellationToken: Cancel);
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"), null, Cancel);
        var schema = new Schema(
            0,
            [new NestedField(1, "kafka_partition", false, IcebergType.Int), new NestedField(2, "kafka_offset", false, IcebergType.Long)]);
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("shop.events"), schema, cancellationToken: Cancel);
        await CommitFileAsync(catalog, table, files);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Tables_lists_rows_files_and_place()
    {
        var table = Assert.Single((await ListAsync("tables")).EnumerateArray());
        Assert.Equal(("shop.events", 40L, 1L, 1234L),
            (table.GetProperty("table").GetString(), table.GetProperty("rows").GetInt64(), table.GetProperty("files").GetInt64(),
                table.GetProperty("size").GetInt64()));
        Assert.StartsWith(folder, table.GetProperty("location").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maintain_says_for_each_table_what_it_did_and_knows_the_catalogs_tables()
    {
        var report = Assert.Single((await ListAsync("maintain", "expire", "--dry-run", "--table", "shop.events")).EnumerateArray());
        Assert.Equal(("expire", "shop.events", true, 0, 1),
            (report.GetProperty("job").GetString(), report.GetProperty("table").GetString(), report.GetProperty("dry_run").GetBoolean(),
                report.GetProperty("snapshots_removed").GetInt32(), report.GetProperty("snapshots_left").GetInt32()));
        Assert.Equal("sweep", Assert.Single((await ListAsync("maintain", "sweep", "--table", "shop.events")).EnumerateArray()).GetProperty("job").GetString());
    }

    [Fact]
    public async Task Snapshots_marks_the_current_one()
    {
        var snapshot = Assert.Single((await ListAsync("snapshots", "shop.events")).EnumerateArray());
        Assert.Equal(("*", "append", 40L, "f-1"),
            (snapshot.GetProperty("current").GetString(), snapshot.GetProperty("operation").GetString(),
            snapshot.GetProperty("added_rows").GetInt64(), snapshot.GetProperty("flush_id").GetString()));
    }

    [Fact]
    public async Task Files_tells_the_Kafka_positions_in_each()
    {
        var file = Assert.Single((await ListAsync("files", "shop.events")).EnumerateArray());
        Assert.Equal((3L, 100L, 139L),
            (file.GetProperty("kafka_partition").GetInt64(), file.GetProperty("first_offset").GetInt64(),
                file.GetProperty("last_offset").GetInt64()));
        Assert.Contains("1.21 KB", (await RunAsync("files")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_or_catalog_that_is_not_there_is_told_with_what_there_is()
    {
        var (code, _, errors) = await RunAsync("files", "shop.event");
        Assert.Equal(1, code);
        Assert.Contains("did you mean shop.events?", errors, StringComparison.Ordinal);
        Assert.Contains("has no snapshot 1", (await RunAsync("files", "--snapshot", "1")).Errors, StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, "catalog.db"));
        (code, _, errors) = await RunAsync("tables");
        Assert.Equal(1, code);
        Assert.Contains("there is no catalog at", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "catalog.db")));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KB")]
    [InlineData(123_456_789, "117.7 MB")]
    public void Sizes_are_short_for_people(long count, string text) => Assert.Equal(text, new Bytes(count).ToString());

    private static async Task CommitFileAsync(SqlCatalog catalog, LoadedTable table, LocalFileIO files)
    {
        var ids = table.Metadata.CurrentSchema;
        var (partition, offset) = (ids.FindField("kafka_partition")!.Id, ids.FindField("kafka_offset")!.Id);
        var append = new AppendFiles(new ManifestCache(files), TimeProvider.System).SetSummary("frazil.flush-id", "f-1").Add(new DataFile
        {
            Path = $"{table.Metadata.DataLocation}/kafka_partition=3/f-1-0.parquet",
            SpecId = table.Metadata.DefaultSpecId,
            RecordCount = 40,
            FileSizeBytes = 1234,
            LowerBounds = new FieldMap<byte[]>([new(partition, Bytes(IcebergType.Int, 3)), new(offset, Bytes(IcebergType.Long, 100L))]),
            UpperBounds = new FieldMap<byte[]>([new(partition, Bytes(IcebergType.Int, 3)), new(offset, Bytes(IcebergType.Long, 139L))]),
        });
        var staged = await append.StageAsync(table.Metadata, Cancel);
        await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates, Cancel);

        static byte[] Bytes(PrimitiveType type, IcebergValue value) => SingleValue.Serialize(type, value);
    }

    [Theory]
    [InlineData("columns = {}", true, "can be written")]
    [InlineData("partition_by = ['bucket(4, kafka_offset)', 'day(nosuch)']", false, "partition_by", "nosuch", "kafka_timestamp")]
    public async Task Check_holds_a_table_that_exists_against_the_configuration(string line, bool fits, params string[] told)
    {
        var kafka = fits ? """kafka_columns = ["kafka_partition", "kafka_offset"]""" : "";
        await File.AppendAllTextAsync(ConfigFile, $"""
            [kafka]
            bootstrap_servers = "127.0.0.1:1"
            [server]
            http = ""
            [[tables]]
            name = "shop.events"
            topics = ["t"]
            {line}
            {kafka}
            """, Cancel);
        var (_, output, _) = await RunAsync("check", "--json", "--timeout", "0.1");
        var check = JsonDocument.Parse(output).RootElement.GetProperty("checks").EnumerateArray()
            .Single(static check => check.GetProperty("name").GetString() == "table shop.events");
        Assert.Equal(fits, check.GetProperty("ok").GetBoolean());
        Assert.All(told, text => Assert.Contains(text, check.GetProperty("detail").GetString(), StringComparison.Ordinal));
    }

    private async Task<JsonElement> ListAsync(params string[] args)
    {
        var (code, output, errors) = await RunAsync([.. args, "--json"]);
        Assert.Equal((0, ""), (code, errors));
        return JsonDocument.Parse(output).RootElement;
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await FrazilCommand.RunAsync([.. args, "-c", ConfigFile], new Terminal { Output = output, Error = errors }, Cancel);
        return (code, output.ToString(), errors.ToString());
    }
}
