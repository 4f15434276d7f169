using Frazil.Config;
using Xunit;

namespace Frazil.Tests.Config;

/// <summary>Iceberg table properties in the configuration are honoured, or refused before anything starts.</summary>
public sealed class TablePropertyTests
{
    [Theory]
    [InlineData("format-version", "1")]
    [InlineData("format-version", "3")]
    [InlineData("write.format.default", "orc")]
    [InlineData("write.parquet.compression-codec", "brotli")]
    [InlineData("write.parquet.compression-level", "23")]
    [InlineData("write.parquet.row-group-size-bytes", "0")]
    [InlineData("write.parquet.row-group-check-min-record-count", "100")]
    [InlineData("write.parquet.page-size-bytes", "1MB")]
    [InlineData("write.parquet.bloom-filter-max-bytes", "31")]
    [InlineData("write.parquet.bloom-filter-enabled.column.id", "yes")]
    [InlineData("write.parquet.bloom-filter-fpp.column.id", "1")]
    [InlineData("frazil.parquet.encodings", "v2")]
    [InlineData("write.metadata.compression-codec", "zstd")]
    [InlineData("write.metadata.metrics.default", "truncate(0)")]
    [InlineData("write.metadata.delete-after-commit.enabled", "yes")]
    [InlineData("write.target-file-size-bytes", "-1")]
    [InlineData("write.data.path", "/somewhere/else")]
    [InlineData("write.data.path", "/tables/warehouse-2/data")]
    [InlineData("write.data.path", "s3://bucket/data")]
    [InlineData("write.data.path", "relative")]
    [InlineData("write.metadata.path", "file:///somewhere/else")]
    [InlineData("write.location-provider.impl", "com.example.Provider")]
    [InlineData("write.wap.enabled", "true")]
    [InlineData("write.traget-file-size-bytes", "1000")]
    [InlineData("commit.retry.num-retires", "4")]
    [InlineData("encryption.key-id", "k")]
    public void A_property_that_would_be_passed_over_is_refused_by_name(string name, string value)
    {
        var refused = Assert.Throws<ConfigException>(() => Build(name, value));

        Assert.Contains($"tables[0].properties.{name}", refused.Errors.Select(static error => error.Key));
    }

    [Theory]
    [InlineData("format-version", "2")]
    [InlineData("write.format.default", "PARQUET")]
    [InlineData("write.parquet.compression-codec", "snappy")]
    [InlineData("write.parquet.compression-level", "22")]
    [InlineData("write.parquet.row-group-size-bytes", "1000000")]
    [InlineData("write.parquet.page-size-bytes", "65536")]
    [InlineData("write.parquet.page-row-limit", "20000")]
    [InlineData("write.parquet.dict-size-bytes", "2097152")]
    [InlineData("write.parquet.bloom-filter-max-bytes", "1048576")]
    [InlineData("write.parquet.bloom-filter-enabled.column.place.city", "TRUE")]
    [InlineData("write.parquet.bloom-filter-fpp.column.place.city", "0.001")]
    [InlineData("frazil.parquet.encodings", "delta")]
    [InlineData("write.metadata.metrics.column.note", "none")]
    [InlineData("write.metadata.compression-codec", "GZIP")]
    [InlineData("write.data.path", "/tables/warehouse/elsewhere")]
    [InlineData("write.data.path", "file:///tables/warehouse/elsewhere")]
    [InlineData("write.object-storage.enabled", "true")]
    [InlineData("write.delete.mode", "merge-on-read")]
    [InlineData("write.distribution-mode", "hash")]
    [InlineData("read.split.target-size", "1")]
    [InlineData("history.expire.max-snapshot-age-ms", "1000")]
    [InlineData("gc.enabled", "false")]
    [InlineData("owner", "me")]
    public void A_property_that_is_honoured_or_for_others_is_taken(string name, string value)
        => Assert.Equal(value, Build(name, value).Tables[0].Properties[name]);

    private static FrazilOptions Build(string name, string value)
    {
        var builder = new FrazilOptionsBuilder().FromKafka("localhost:9092").AddTable(
            "shop.events", "events", table => table with { Properties = new Dictionary<string, string> { [name] = value } });
        builder.Catalog = builder.Catalog with { Warehouse = "/tables/warehouse" };
        return builder.Build();
    }
}
