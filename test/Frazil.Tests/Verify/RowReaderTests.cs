using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Iceberg;
using Frazil.Verify;
using Xunit;

namespace Frazil.Tests.Verify;

/// <summary>Positions of rows in files as other engines write them, in a store without paths.</summary>
public sealed class RowReaderTests : IDisposable
{
    private const string Ids = ", FIELD_IDS {kafka_topic: 4, kafka_partition: 2, kafka_offset: 3}";

    private readonly ScratchFolder folder = new();
    private readonly BucketFileIO bucket = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("", "INTEGER", "BIGINT")]
    [InlineData(Ids, "INTEGER", "BIGINT")]
    [InlineData(Ids, "BIGINT", "INTEGER")]
    public async Task Rows_are_laid_to_their_topic_and_partition_and_counted_once_each(string ids, string partitionType, string offsetType)
    {
        var sql = $"SELECT 't' || i % 2 AS kafka_topic, (i % 3)::{partitionType} AS kafka_partition, (i // 6)::{offsetType} AS kafka_offset FROM range(60000) r(i)";
        var file = await WriteAsync("all", sql, ids);
        var twice = await WriteAsync("twice", $"SELECT * FROM ({sql}) WHERE kafka_offset = 7 AND kafka_topic = 't1'", ids);
        var (read, last) = (0, 0L);

        var held = await ReadAsync([file, twice], rows => (read, last) = (read + 1, rows));

        Assert.Equal(6, held.Offsets.Count);
        Assert.Equal(60_003, last);
        Assert.True(read > 1);
        Assert.All(held.Offsets, pair =>
        {
            var isTwice = pair.Key.Topic == "t1";
            Assert.Equal([new(0, 9_999)], pair.Value.Held.Ranges);
            OffsetRange[] repeated = isTwice ? [new(7, 7)] : [];
            Assert.Equal(repeated, pair.Value.Repeated.Ranges);
            Assert.Equal(isTwice ? 10_001 : 10_000, pair.Value.Rows);
        });
    }

    [Fact]
    public async Task Rows_without_a_position_count_nowhere_and_a_file_without_the_columns_has_no_others()
    {
        var some = await WriteAsync(
            "some", "SELECT 't' AS kafka_topic, nullif(i % 2, 1)::INTEGER AS kafka_partition, nullif(i, 4) AS kafka_offset FROM range(10) r(i)", Ids);
        var none = await WriteAsync("none", "SELECT 1 AS other", ", FIELD_IDS {other: 1}");

        var held = await ReadAsync([some, none]);

        Assert.Equal([new TopicPartition("t", 0)], held.Offsets.Keys);
        Assert.Equal([new(0, 0), new(2, 2), new(6, 6), new(8, 8)], held.Offsets.Values.Single().Held.Ranges);
        Assert.Equal(7, held.Unplaced);
        Assert.Empty(held.Unreadable);
    }

    [Fact]
    public async Task A_file_that_breaks_off_counts_for_nothing_and_is_named_and_the_others_are_read()
    {
        var whole = await WriteAsync("whole", "SELECT 't' AS kafka_topic, 0 AS kafka_partition, i AS kafka_offset FROM range(50000) r(i)", Ids);
        var content = Write(50_000, 20_000);
        content.AsSpan(content.Length / 2, 64).Fill(0xEE); // row groups before it are sound, and every page has a checksum
        var harmed = await StoreAsync("harmed", content);
        var gone = whole with { Path = "bucket://lake/t/gone.parquet" };
        var text = await WriteAsync("text", "SELECT 't' AS kafka_topic, 'x' AS kafka_partition, 1 AS kafka_offset", Ids);

        var held = await ReadAsync([whole, harmed, gone, text]);

        Assert.Equal([new(0, 49_999)], Assert.Single(held.Offsets).Value.Held.Ranges);
        Assert.Equal(new[] { harmed.Path, gone.Path, text.Path }.Order(StringComparer.Ordinal), held.Unreadable.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("is no Kafka position", held.Unreadable[text.Path], StringComparison.Ordinal);
    }

    private async Task<HeldRows> ReadAsync(DataFile[] files, Action<long>? onRead = null)
    {
        var schema = new Schema(0,
        [
            new(1, "other", false, IcebergType.Int), new(2, "kafka_partition", false, IcebergType.Int),
            new(3, "kafka_offset", false, IcebergType.Long), new(4, "kafka_topic", false, IcebergType.String),
        ]);
        var metadata = TableMetadataBuilder.Create(
            schema, PartitionSpec.Unpartitioned, SortOrder.Unsorted, "bucket://lake/t", new Dictionary<string, string>(), TimeProvider.System);
        var table = new LoadedTable(new(NamespaceName.Parse("shop"), "t"), metadata, "", bucket);
        return await new RowReader(table).ReadAsync([.. files.Select(static file => new ReadFile(file, null))], onRead ?? (static _ => { }), Token);
    }

    private static byte[] Write(int first, int rows)
    {
        var schema = new ColumnFields(
            [new("kafka_topic", ColumnType.Utf8, 4), new("kafka_partition", ColumnType.Int32, 2), new("kafka_offset", ColumnType.Int64, 3)]);
        using var memory = new ArrowValues();
        using var buffers = new ParquetBuffers();
        using var output = new MemoryStream();
        using var writer = new ParquetFileWriter(output, schema, buffers, new() { RowGroupRows = 500, Codec = ParquetCodec.Uncompressed });
        writer.Write([memory.Slice(
            schema, [.. Enumerable.Repeat((object?)"t", rows)], [.. Enumerable.Repeat((object?)0, rows)], [.. Enumerable.Range(first, rows).Select(static i => (object?)(long)i)])]);
        writer.Finish();
        return output.ToArray();
    }

    private async Task<DataFile> WriteAsync(string name, string sql, string options)
    {
        var path = Path.Combine(folder.Path, $"{name}.parquet");
        using (var duck = DuckDbInstance.Open(new Dictionary<string, string>()))
        using (var connection = duck.Connect())
        {
            connection.Execute($"COPY ({sql}) TO '{path}' (FORMAT parquet{options})");
        }
        return await StoreAsync(name, await File.ReadAllBytesAsync(path, Token));
    }

    private async Task<DataFile> StoreAsync(string name, byte[] content)
    {
        var location = $"bucket://lake/t/{name}.parquet";
        await bucket.CreateAsync(location, content, Token);
        return new() { Path = location, SpecId = 0, Partition = PartitionTuple.Empty, RecordCount = 1, FileSizeBytes = content.Length };
    }
}
