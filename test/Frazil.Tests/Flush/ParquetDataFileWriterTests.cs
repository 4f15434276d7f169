using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Columnar.Statistics;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Flush;

public sealed class ParquetDataFileWriterTests : IAsyncDisposable
{
    private static readonly ColumnFields OneLong = new([new ColumnField("n", ColumnType.Int64, 1)]);
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-flush-").FullName;
    private readonly ArrowValues memory = new();
    private readonly ParquetDataFileWriter writer = new();

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_file_holds_the_rows_and_its_metrics_describe_them(int seed)
    {
        var random = new RandomColumns(seed);
        var fields = new ColumnFields(
            random.Fields(6).Append(new ColumnField("last", ColumnType.Int32, 9999)));
        var columns = fields.Select(field => random.Values(field.Type, 3000)).ToArray();
        var request = Request(fields, memory.Slice(fields, columns)) with
        {
            KeyValueMetadata = new Dictionary<string, string> { ["kafka.topic"] = "o'k" },
        };

        var written = await writer.WriteAsync(request);

        Assert.Equal(3000, written.RecordCount);
        Assert.Equal(new FileInfo(request.Location).Length, written.FileSizeBytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(request.Location))), written.Sha256);
        AssertRows(request.Location, fields, columns, seed);
        for (var column = 0; column < fields.Count; column++)
        {
            AssertMetrics(
                fields[column].Type, fields[column].FieldId, columns[column], written.Columns, $"seed {seed} column {fields[column]}");
        }
    }

    private static void AssertRows(string path, ColumnFields fields, List<object?>[] columns, int seed)
    {
        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        using var result = connection.Query($"SELECT * FROM read_parquet({SqlText.Literal(path)})");
        var rows = result.ReadRows();
        Assert.Equal(columns[0].Count, rows.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < fields.Count; column++)
            {
                var expected = RandomColumns.Expected(fields[column].Type, fields[column].Type, columns[column][row]);
                Assert.True(expected == RandomColumns.Canonical(rows[row][column]), $"seed {seed}, row {row}, {fields[column]}");
            }
        }
    }

    private static void AssertMetrics(
        ColumnType type, int fieldId, List<object?> values, IReadOnlyDictionary<int, ColumnMetrics> metrics, string context,
        bool isRepeated = false)
    {
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                for (var child = 0; child < type.Fields.Count; child++)
                {
                    var at = child;
                    List<object?> members = [.. values.Select(value => value is object?[] members ? members[at] : null)];
                    AssertMetrics(type.Fields[child].Type, type.Fields[child].FieldId, members, metrics, context, isRepeated);
                }
                return;
            case ColumnKind.List:
                List<object?> elements = [.. values.SelectMany(value => (object?[]?)value ?? [])];
                AssertMetrics(type.Fields[0].Type, type.Fields[0].FieldId, elements, metrics, context, isRepeated: true);
                return;
            case ColumnKind.Map:
                var pairs = values.SelectMany(value => (KeyValuePair<object, object?>[]?)value ?? []).ToList();
                AssertMetrics(
                    type.Fields[0].Type, type.Fields[0].FieldId, [.. pairs.Select(pair => (object?)pair.Key)], metrics, context,
                    isRepeated: true);
                AssertMetrics(
                    type.Fields[1].Type, type.Fields[1].FieldId, [.. pairs.Select(pair => pair.Value)], metrics, context, isRepeated: true);
                return;
        }
        var (size, statistics) = metrics[fieldId];
        var present = values.Where(value => value is not null).Select(value => Sortable(type, value!))
            .Where(pair => pair.Encoded is not null).ToList();
        long? nans = type.Kind is ColumnKind.Float32 or ColumnKind.Float64 ? values.Count(value => value is double.NaN or float.NaN) : null;
        Assert.True(size > 0, context);
        Assert.True(values.Count == statistics.ValueCount, context);
        Assert.True(values.Count(value => value is null) == statistics.NullCount, context);
        Assert.True(nans == statistics.NanCount, context);
        Assert.True(Hex(isRepeated ? null : present.MinBy(pair => pair.Key).Encoded) == Hex(statistics.Lower), $"{context} lower");
        Assert.True(Hex(isRepeated ? null : present.MaxBy(pair => pair.Key).Encoded) == Hex(statistics.Upper), $"{context} upper");
    }

    private static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexString(bytes);

    /// <summary>A key that sorts as Iceberg compares, and the single-value form; null for NaN. Written plainly, to check the fast one
    /// against.</summary>
    private static (BigInteger Key, byte[]? Encoded) Sortable(ColumnType type, object value) => value switch
    {
        bool flag => (flag ? 1 : 0, [flag ? (byte)1 : (byte)0]),
        int number => (number, BitConverter.GetBytes(number)),
        long number => (number, BitConverter.GetBytes(number)),
        float number => (FloatKey(number), float.IsNaN(number) ? null : BitConverter.GetBytes(number)),
        double number => (FloatKey(number), double.IsNaN(number) ? null : BitConverter.GetBytes(number)),
        BigInteger number => (number, number.ToByteArray(isUnsigned: false, isBigEndian: true)),
        string text => (BytesKey(Encoding.UTF8.GetBytes(text)), Encoding.UTF8.GetBytes(text)),
        Guid guid => (BytesKey(guid.ToByteArray(bigEndian: true)), guid.ToByteArray(bigEndian: true)),
        byte[] bytes => (BytesKey(bytes), bytes),
        _ => throw new NotSupportedException(type.ToString()),
    };

    private static BigInteger FloatKey(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        return bits < 0 ? -(BigInteger)(bits & long.MaxValue) - 1 : bits;
    }

    // A fixed number of digits, of which a shorter text has fewer and sorts first.
    private static BigInteger BytesKey(byte[] bytes) => bytes.Concat(new byte[300]).Take(300)
        .Aggregate(BigInteger.Zero, (sum, next) => (sum << 8) | next) * 1000 + bytes.Length;

    [Fact]
    public async Task An_existing_file_is_not_touched()
    {
        var request = Request(OneLong, memory.Slice(OneLong, [1L]));
        await File.WriteAllTextAsync(request.Location, "mine");
        await Assert.ThrowsAsync<ObjectExistsException>(() => writer.WriteAsync(request));
        Assert.Equal("mine", await File.ReadAllTextAsync(request.Location));
    }

    [Fact]
    public async Task A_failed_write_leaves_no_file()
    {
        var text = new ColumnFields([new ColumnField("n", ColumnType.Utf8, 1)]);
        var request = Request(OneLong, memory.Slice(text, ["x"]));
        var failure = await Assert.ThrowsAsync<DataFileException>(() => writer.WriteAsync(request));
        Assert.Contains("cannot be read as int64", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder));
    }

    [Fact]
    public async Task A_cancelled_write_leaves_no_file()
    {
        var slice = memory.Slice(OneLong, [.. Enumerable.Range(0, 100_000).Select(n => (object?)(long)n)]);
        var request = Request(OneLong, [.. Enumerable.Repeat(slice, 500)]);
        using var cancel = new CancellationTokenSource();
        var writing = writer.WriteAsync(request, cancel.Token);
        while (!Directory.EnumerateFiles(folder).Any())
        {
            await Task.Yield();
        }
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Empty(Directory.EnumerateFiles(folder));
    }

    [Fact]
    public async Task No_rows_and_no_columns_are_refused()
    {
        await Assert.ThrowsAsync<DataFileException>(() => writer.WriteAsync(Request(OneLong, memory.Slice(OneLong, new List<object?>()))));
        await Assert.ThrowsAsync<DataFileException>(() => writer.WriteAsync(Request(ColumnFields.Empty, memory.Slice(OneLong, [1L]))));
    }

    [Fact]
    public async Task Row_groups_begin_at_the_split_offsets_and_keep_the_order()
    {
        var slice = memory.Slice(OneLong, [.. Enumerable.Range(0, 10_000).Select(n => (object?)(long)n)]);
        var request = Request(OneLong, slice) with { Options = new DataFileOptions(RowGroupRows: 2048) };
        var written = await writer.WriteAsync(request);
        Assert.Equal(5, written.SplitOffsets.Count);
        Assert.Equal(4, written.SplitOffsets[0]);
        Assert.Equal(written.SplitOffsets.Order(), written.SplitOffsets);
        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        using var result = connection.Query(
            $"SELECT count(*) FROM read_parquet({SqlText.Literal(request.Location)}, file_row_number = true) WHERE n = file_row_number");
        Assert.Equal(10_000L, result.ReadRows()[0][0]);
    }

    [Fact]
    public async Task Field_ids_and_metadata_are_in_the_file()
    {
        var fields = new ColumnFields(
        [
            new ColumnField("a\"b'c", ColumnType.Int32, 7),
            new ColumnField("s", ColumnType.Struct(new ColumnField("x", ColumnType.Utf8, 9), new ColumnField("X", ColumnType.Utf8, 10)), 8),
            new ColumnField("l", ColumnType.List(new ColumnField("element", ColumnType.Int64, 12)), 11),
            new ColumnField("S", ColumnType.Int32, 13),
            new ColumnField("", ColumnType.Int32, 14),
            new ColumnField("empty", ColumnType.Struct(), 15),
        ]);
        var slice = memory.Slice(fields, [1], [new object?[] { "v", "w" }], [new object?[] { 5L }], [2], [3], [Array.Empty<object?>()]);
        var request = Request(fields, slice) with
        {
            KeyValueMetadata = new Dictionary<string, string> { ["kafka.topic"] = "o'k", ["kafka.offset.start"] = "0" },
        };
        var written = await writer.WriteAsync(request);
        Assert.Equal([7, 9, 10, 12, 13, 14], written.Columns.Keys.Order());
        await using var file = File.OpenRead(request.Location);
        var footer = ParquetFooter.Read(file);
        Assert.Equal([7, 9, 10, 12, 13, 14], footer.ColumnSizes.Keys.Order());
        Assert.Equal(["o'k", "0"], [footer.KeyValueMetadata["kafka.topic"], footer.KeyValueMetadata["kafka.offset.start"]]);
    }

    [Fact]
    public async Task Bounds_of_negative_zero_and_of_nothing_but_NaN_are_Icebergs()
    {
        var fields = new ColumnFields([new ColumnField("z", ColumnType.Float64, 1), new ColumnField("nan", ColumnType.Float64, 2)]);
        var written = await writer.WriteAsync(Request(fields, memory.Slice(fields, [0d, -0d], [double.NaN, double.NaN])));
        Assert.Equal((-0d, 0d), (Double(written.Columns[1].Statistics.Lower), Double(written.Columns[1].Statistics.Upper)));
        Assert.True(double.IsNegative(Double(written.Columns[1].Statistics.Lower)));
        Assert.Equal(new FieldStatistics(2, 2, 0, 2, null, null), written.Columns[2].Statistics);

        static double Double(byte[]? bytes) => BinaryPrimitives.ReadDoubleLittleEndian(bytes);
    }

    [Fact]
    public async Task Rows_larger_than_a_row_group_may_be_are_written_within_the_memory_limit()
    {
        await using var small = new ParquetDataFileWriter(concurrentFiles: 1);
        var fields = new ColumnFields([new ColumnField("t", ColumnType.Utf8, 1)]);
        var slice = memory.Slice(fields, [.. Enumerable.Range(0, 20).Select(n => (object?)new string((char)('a' + n), 50_000))]);
        var written = await small.WriteAsync(Request(fields, [.. Enumerable.Repeat(slice, 1000)]));
        Assert.Equal(20_000, written.RecordCount);
        Assert.True(written.SplitOffsets.Count > 5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(200)]
    public async Task A_file_that_is_cut_off_is_seen(int bytesLost)
    {
        var request = Request(OneLong, memory.Slice(OneLong, [1L]));
        var written = await writer.WriteAsync(request);
        var bytes = await File.ReadAllBytesAsync(request.Location);
        using var cut = new MemoryStream(bytes[..(int)Math.Max(0, written.FileSizeBytes - bytesLost - 1)]);
        Assert.Throws<InvalidDataException>(() => ParquetFooter.Read(cut));
    }

    private DataFileRequest Request(ColumnFields schema, params BatchSlice[] slices) =>
        new() { Store = new LocalFileIO(), Location = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet"), Schema = schema, Slices = slices };
}
