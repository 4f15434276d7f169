using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Query;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Cold;

public sealed class SnapshotFilesTests
{
    [Fact]
    public async Task Sql_refuses_a_snapshot_with_files_of_a_kind_that_it_cannot_read_and_names_one()
    {
        using var scratch = new ScratchFolder();
        var (cancel, name) = (TestContext.Current.CancellationToken, TableIdentifier.Parse("shop.events"));
        var options = new FrazilOptions
        {
            DataDir = scratch.Path,
            Catalog = new() { Type = "sql", Uri = $"sqlite:{scratch.Path}/catalog.db", Warehouse = scratch.Path },
        };
        await using (var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, cancel))
        {
            await catalog.CreateNamespaceAsync(name.Namespace, cancellationToken: cancel);
            var table = await catalog.CreateTableAsync(name, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]), cancellationToken: cancel);
            var staged = await new AppendFiles(new ManifestCache(table.FileIO), TimeProvider.System)
                .Add(new DataFile { Path = $"{table.Metadata.Location}/data/a.orc", Format = FileFormat.Orc, SpecId = 0, RecordCount = 1, FileSizeBytes = 4 })
                .StageAsync(table.Metadata, cancel);
            await catalog.CommitTableAsync(name, staged.Requirements, staged.Updates, cancel);
        }
        await using var sql = await SqlSession.OpenCatalogAsync(options, cancellationToken: cancel);
        var refused = await Assert.ThrowsAsync<SqlException>(() => sql.QueryAsync(new("SELECT count(*) FROM shop.events"), cancel));
        Assert.Contains("shop.events has a file of Data in Orc", refused.Message, StringComparison.Ordinal);
        Assert.Contains("/data/a.orc", refused.Message, StringComparison.Ordinal);
    }
}
