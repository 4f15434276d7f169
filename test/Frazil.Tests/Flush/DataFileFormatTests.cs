using Frazil.Columnar;
using Frazil.Config;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Iceberg;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Flush;

/// <summary>What table properties say of data files: codec, level, size and place.</summary>
public sealed class DataFileFormatTests : IDisposable
{
    private static readonly ColumnFields OneLong = new([new ColumnField("n", ColumnType.Int64, 1)]);

    private readonly ArrowValues memory = new();

    public void Dispose() => memory.Dispose();

    private static Schema Simple { get; } = new(0, [new(1, "id", false, IcebergType.Long)]);

    private static TableMetadata Table(params (string Name, string Value)[] properties)
        => FilterCases.Metadata(Simple) with { Location = "file:///w/shop/t", Properties = properties.ToDictionary(static pair => pair.Name, static pair => pair.Value) };

    [Theory]
    [InlineData("zstd", ParquetCodec.Zstd)]
    [InlineData("SNAPPY", ParquetCodec.Snappy)]
    [InlineData("gzip", ParquetCodec.Gzip)]
    [InlineData("lz4", ParquetCodec.Lz4Raw)]
    [InlineData("uncompressed", ParquetCodec.Uncompressed)]
    [InlineData("brotli", ParquetCodec.Zstd)]
    public void The_codec_is_the_tables_or_zstd_where_that_cannot_be_written(string value, ParquetCodec codec)
        => Assert.Equal(codec, DataFileFormat.OptionsOf(Table(("write.parquet.compression-codec", value))).Codec);

    [Theory]
    [InlineData("19", 19)]
    [InlineData("-5", 1)]
    [InlineData("high", 1)]
    public void The_level_is_the_tables_as_far_as_zstd_has_it(string value, int level)
        => Assert.Equal(level, DataFileFormat.OptionsOf(Table(("write.parquet.compression-level", value))).ZstdLevel);

    [Theory]
    [InlineData(ParquetCodec.Zstd)]
    [InlineData(ParquetCodec.Snappy)]
    [InlineData(ParquetCodec.Gzip)]
    [InlineData(ParquetCodec.Lz4Raw)]
    [InlineData(ParquetCodec.Uncompressed)]
    public async Task A_file_of_every_codec_holds_its_rows(ParquetCodec codec)
    {
        var folder = Directory.CreateTempSubdirectory("frazil-codec-");
        try
        {
            await using var writer = new ParquetDataFileWriter();
            var file = await writer.WriteAsync(
                new() { Store = new LocalFileIO(), Location = $"{folder.FullName}/f.parquet", Schema = OneLong, Slices = [Rows(1000)], Options = new() { Codec = codec } },
                TestContext.Current.CancellationToken);
            Assert.Equal(1000, file.RecordCount);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>What every reader knows, unless the table wants it smaller.</summary>
    [Theory]
    [InlineData("basic", ParquetEncodings.Basic)]
    [InlineData("Delta", ParquetEncodings.Delta)]
    [InlineData("v2", ParquetEncodings.Basic)]
    public void The_encodings_are_the_tables(string value, ParquetEncodings encodings)
    {
        Assert.Equal(encodings, DataFileFormat.OptionsOf(Table((ParquetProperties.EncodingsProperty, value))).Encodings);
        Assert.Equal(ParquetEncodings.Basic, DataFileFormat.OptionsOf(Table()).Encodings);
    }

    [Fact]
    public void Row_groups_pages_and_dictionaries_are_as_large_as_the_table_wants_as_far_as_memory_goes()
    {
        var usual = DataFileFormat.OptionsOf(Table());
        var set = DataFileFormat.OptionsOf(Table(
            ("write.parquet.row-group-size-bytes", "1000"), ("write.parquet.page-size-bytes", "500"), ("write.parquet.page-row-limit", "7"),
            ("write.parquet.dict-size-bytes", "300"), ("write.parquet.bloom-filter-max-bytes", "64")));

        Assert.Equal((2000, 500, 7, 300, 64), (set.RowGroupBytes, set.PageBytes, set.PageRows, set.DictionaryBytes, set.BloomFilterBytes));
        Assert.True(set.RowGroupRows > usual.RowGroupRows);
        Assert.Equal(256L << 20, DataFileFormat.OptionsOf(Table(("write.parquet.row-group-size-bytes", "999999999999"))).RowGroupBytes);
        var odd = DataFileFormat.OptionsOf(Table(("write.parquet.row-group-size-bytes", "-1"), ("write.parquet.page-size-bytes", "big")));
        Assert.Equal((usual.RowGroupBytes, usual.PageBytes, usual.RowGroupRows), (odd.RowGroupBytes, odd.PageBytes, odd.RowGroupRows));
    }

    [Fact]
    public void Bloom_filters_are_over_what_the_table_names_and_over_its_identifiers_unless_it_says_no()
    {
        var place = new StructType([new(3, "city", false, IcebergType.String), new(4, "zip", false, IcebergType.Int)]);
        var schema = new Schema(
            0, [new(1, "id", true, IcebergType.Long), new(2, "place", false, place), new(5, "tenant", true, IcebergType.Int)], [1, 5]);
        var table = Table(
            ("write.parquet.bloom-filter-enabled.column.place.city", "true"), ("write.parquet.bloom-filter-fpp.column.place.city", "0.2"),
            ("write.parquet.bloom-filter-enabled.column.place.zip", "yes"), ("write.parquet.bloom-filter-enabled.column.place", "true"),
            ("write.parquet.bloom-filter-enabled.column.tenant", "false"), ("write.parquet.bloom-filter-enabled.column.dropped", "true"),
            ("write.parquet.bloom-filter-fpp.column.id", "7")) with { Schemas = [schema], CurrentSchemaId = 0 };

        Assert.Equal(
            new Dictionary<int, double> { [1] = 0.01, [3] = 0.2 }, DataFileFormat.OptionsOf(table).BloomFilters.OrderBy(static pair => pair.Key));
    }

    [Theory]
    [InlineData("536870912", 1)]
    [InlineData("1000", 4)]
    [InlineData("1", 1000)]
    public void Rows_are_cut_into_files_of_about_the_target_size_in_order(string target, int files)
    {
        var pieces = DataFileFormat.PiecesOf([Rows(500), Rows(500)], Table(("write.target-file-size-bytes", target))).ToList();

        Assert.Equal(files, pieces.Count);
        Assert.Equal(1000, pieces.Sum(static piece => piece.Sum(static slice => slice.Count)));
        Assert.Equal(
            [.. Enumerable.Range(0, 500).Concat(Enumerable.Range(0, 500)).Select(static i => (long)i)],
            pieces.SelectMany(static piece => piece.SelectMany(ValuesOf)));
    }

    [Fact]
    public void Files_go_where_the_properties_say_with_the_folders_that_Java_makes()
    {
        Assert.Equal("file:///w/shop/t/data/day=1/kafka_partition=0/f.parquet", DataFileLocations.Of(Table(), "day=1/kafka_partition=0", "f.parquet"));
        Assert.Equal("file:///d/f.parquet", DataFileLocations.Of(Table(("write.data.path", "file:///d/")), "", "f.parquet"));
        Assert.Equal("file:///w/shop/t/data/f.parquet", DataFileLocations.Of(Table(("write.data.path", "s3://d")), "", "f.parquet"));
        // Java's own test: the hash of "a".
        Assert.Equal(
            "file:///w/shop/t/data/0101/0110/1001/10110010/a", DataFileLocations.Of(Table(("write.object-storage.enabled", "true")), "", "a"));
        Assert.Matches(
            "^file:///d/[01]{4}/[01]{4}/[01]{4}/[01]{8}/shop/t/day=1/f$",
            DataFileLocations.Of(Table(("write.object-storage.enabled", "true"), ("write.data.path", "file:///d")), "day=1", "f"));
        Assert.Matches(
            "^file:///w/shop/t/data/[01]{4}/[01]{4}/[01]{4}/[01]{8}-f$",
            DataFileLocations.Of(Table(("write.object-storage.enabled", "true"), ("write.object-storage.partitioned-paths", "false")), "day=1", "f"));
    }

    private BatchSlice Rows(int count) => memory.Slice(OneLong, [.. Enumerable.Range(0, count).Select(static i => (object?)(long)i)]);

    private static unsafe long[] ValuesOf(BatchSlice slice)
        => new ReadOnlySpan<long>((long*)slice.Columns[0].Values + slice.Start, (int)slice.Count).ToArray();
}
