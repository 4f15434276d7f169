using System.Text;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Parquet;

/// <summary>The reader over files of random schemas and values, ours and DuckDB's, value by value; and over broken ones.</summary>
public sealed class ParquetFileReaderTests : IDisposable
{
    private readonly ArrowValues memory = new();
    private readonly ParquetBuffers buffers = new();
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-reader-").FullName;

    public void Dispose()
    {
        buffers.Dispose();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_our_writer_wrote_is_read_value_by_value(int seed)
    {
        var random = new RandomParquet(seed, memory);
        using var output = new MemoryStream();
        var summary = random.Write(output, buffers);

        var reader = Open(output.ToArray());
        Assert.Equal(random.Schema, reader.Schema);
        Assert.Equal(summary.SplitOffsets, reader.RowGroups.Select(static group => group.Start));
        Assert.Equal("é\"", reader.Metadata["seed"]);
        AssertRows(Expected(random), ReadValues.All(output.ToArray()), $"seed {seed}");
    }

    /// <summary>With a page index only some pages are read, without one all; the rows are the same.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Some_rows_of_some_columns_are_what_they_are_among_all(int seed)
    {
        var random = new RandomParquet(seed, memory);
        using var output = new MemoryStream();
        random.Write(output, buffers);
        var expected = Expected(random);
        var reader = Open(output.ToArray());
        var choice = new Random(seed);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            var group = choice.Next(reader.RowGroups.Count);
            var (start, inGroup) = (reader.RowGroups[group].FirstRow, reader.RowGroups[group].Rows);
            var first = choice.Next(inGroup + 1);
            var rows = choice.Next(inGroup - first + 1);
            var columns = Enumerable.Range(0, random.Schema.Count).Where(_ => choice.Next(2) == 0).ToList();
            using var read = ReadValues.Wait(reader.ReadAsync(
                group, first, rows, columns.Select(column => random.Schema[column].FieldId).ToHashSet(), TestContext.Current.CancellationToken));
            Assert.Equal((start + first, rows), (read.FirstRow, read.Count));
            var wanted = expected.Skip((int)start + first).Take(rows).Select(row => columns.Select(column => row[column]).ToArray()).ToList();
            AssertRows(wanted, [.. ReadValues.Rows(read)], $"seed {seed}, group {group}, rows {first} + {rows}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_DuckDB_wrote_is_read_value_by_value(int seed)
    {
        string[] codecs = ["uncompressed", "snappy", "gzip", "zstd", "lz4", "lz4_raw", "brotli"];
        var random = new RandomParquet(seed, memory, maxRows: 5000);
        var (ours, theirs) = (Path.Combine(folder, "ours.parquet"), Path.Combine(folder, "theirs.parquet"));
        using (var output = File.Create(ours))
        {
            random.Write(output, buffers);
        }
        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        var codec = codecs[seed % codecs.Length];
        connection.Execute(
            $"COPY (SELECT * FROM read_parquet({SqlText.Literal(ours)})) TO {SqlText.Literal(theirs)} "
            + $"(FORMAT parquet, CODEC '{codec}', PARQUET_VERSION {(seed % 2 == 0 ? "v1" : "v2")}, ROW_GROUP_SIZE 2048)");
        // DuckDB's dictionaries take the two zeros for one.
        var expected = Expected(random).ConvertAll(static row => Array.ConvertAll(row, Unsigned));
        var found = ReadValues.All(File.ReadAllBytes(theirs)).ConvertAll(static row => Array.ConvertAll(row, Unsigned));
        AssertRows(expected, found, $"seed {seed}, {codec}");

        static string Unsigned(string text) => text.Replace("8000000000000000", "0000000000000000", StringComparison.Ordinal)
            .Replace("80000000", "00000000", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ParquetEncodings.Basic)]
    [InlineData(ParquetEncodings.Delta)]
    public void Nanoseconds_are_written_and_read_whole(ParquetEncodings encodings)
    {
        var schema = new ColumnFields([new("at", ColumnType.TimestampNs, 1), new("utc", ColumnType.TimestampTzNs, 2)]);
        object?[] values =
        [
            .. Enumerable.Range(0, 5000).Select(static row => row % 7 == 0 ? (object?)null : 1_700_000_000_123_456_789L + row),
            long.MinValue, -1L, long.MaxValue,
        ];
        var path = Path.Combine(folder, "nanos.parquet");
        using (var output = File.Create(path))
        using (var writer = new ParquetFileWriter(output, schema, buffers, new() { Encodings = encodings }))
        {
            writer.Write([memory.Slice(schema, [.. values], [.. values])]);
            writer.Finish();
        }
        var reader = Open(File.ReadAllBytes(path));
        Assert.Equal(schema, reader.Schema);
        using var rows = ReadValues.Wait(reader.ReadAsync(0, cancellationToken: TestContext.Current.CancellationToken));
        Assert.All(rows.Columns, column => Assert.Equal(values, Enumerable.Range(0, rows.Count).Select(row => Nanoseconds(column, row))));

        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        const string Usual = "at > TIMESTAMP '2000-01-01' AND at < TIMESTAMP '2100-01-01'";
        using var found = connection.Query(
            $"SELECT typeof(at), count(*), sum(epoch_ns(at)::HUGEINT)::VARCHAR FROM read_parquet({SqlText.Literal(path)}) WHERE {Usual} GROUP BY 1");
        var sum = Assert.Single(found.ReadRows());
        var usual = values.OfType<long>().Where(static nanos => nanos is > 0 and < long.MaxValue).Select(static nanos => (Int128)nanos).ToList();
        Assert.Equal(["TIMESTAMP_NS", (long)usual.Count, usual.Aggregate(static (one, other) => one + other).ToString(null, null)], sum);

        static unsafe object? Nanoseconds(ColumnView column, int row) => column.IsNull(row) ? null : ((long*)column.Values)[row];
    }

    [Fact]
    public void A_value_that_a_Bloom_filter_excludes_is_not_there_and_one_that_is_there_is_never_excluded()
    {
        var schema = new ColumnFields([new("id", ColumnType.Int64, 7), new("s", ColumnType.Utf8, 8), new("without", ColumnType.Int64, 9)]);
        object?[] ids = [.. Enumerable.Range(0, 1000).Select(row => (object?)(row * 2L))];
        object?[] texts = [.. ids.Select(static id => (object?)$"t{id}")];
        using var output = new MemoryStream();
        using (var writer = new ParquetFileWriter(output, schema, buffers, new() { BloomFilters = new Dictionary<int, double> { [7] = 0.001, [8] = 0.001 } }))
        {
            writer.Write([memory.Slice(schema, [.. ids], [.. texts], [.. ids])]);
            writer.Finish();
        }
        var reader = Open(output.ToArray());
        var wrong = 0;
        for (var id = 0L; id < 2000; id++)
        {
            var (number, text) = (MayContain(7, BitConverter.GetBytes(id)), MayContain(8, Encoding.UTF8.GetBytes($"t{id}")));
            Assert.True(id % 2 != 0 || (number && text));
            Assert.True(MayContain(9, BitConverter.GetBytes(id)));
            wrong += id % 2 != 0 && (number || text) ? 1 : 0;
        }
        Assert.InRange(wrong, 0, 20);

        bool MayContain(int field, byte[] value) => ReadValues.Wait(reader.MayContainAsync(0, field, value, TestContext.Current.CancellationToken));
    }

    /// <summary>A table's rows by the hundred, of which a few are wanted: what an offset index is for.</summary>
    [Fact]
    public void Of_a_few_rows_only_the_pages_that_they_are_in_are_fetched()
    {
        var schema = new ColumnFields([new("n", ColumnType.Int64, 1), new("s", ColumnType.Utf8, 2)]);
        var random = new Random(2);
        object?[] numbers = [.. Enumerable.Range(0, 20_000).Select(_ => (object?)random.NextInt64())];
        object?[] texts = [.. numbers.Select(static number => (object?)$"{number}")];
        var (few, all) = (BytesRead(hasIndex: true), BytesRead(hasIndex: false));
        Assert.InRange(few, 1, all / 8);

        long BytesRead(bool hasIndex)
        {
            using var output = new MemoryStream();
            using (var writer = new ParquetFileWriter(output, schema, buffers, new() { PageRows = 500, HasPageIndex = hasIndex }))
            {
                writer.Write([memory.Slice(schema, [.. numbers], [.. texts])]);
                writer.Finish();
            }
            var source = new CountingSource(output.ToArray());
            var reader = ReadValues.Wait(ParquetFileReader.OpenAsync(source, cancellationToken: TestContext.Current.CancellationToken));
            var opened = source.BytesRead;
            using var read = ReadValues.Wait(reader.ReadAsync(0, 7300, 300, null, TestContext.Current.CancellationToken));
            Assert.Equal(numbers.Skip(7300).Take(300).Select(static number => $"{number}"), ReadValues.Rows(read).Select(static row => row[1]));
            return source.BytesRead - opened;
        }
    }

    [Fact]
    public void A_changed_byte_of_a_page_is_noticed_by_its_checksum()
    {
        var schema = new ColumnFields([new("n", ColumnType.Int64, 1)]);
        using var output = new MemoryStream();
        using (var writer = new ParquetFileWriter(output, schema, buffers, new() { Codec = ParquetCodec.Uncompressed }))
        {
            writer.Write([memory.Slice(schema, [.. Enumerable.Range(0, 100).Select(static n => (object?)(n * 1_000_003L))])]);
            writer.Finish();
        }
        var bytes = output.ToArray();
        bytes[200] ^= 1;
        Assert.Contains("checksum", Assert.Throws<InvalidDataException>(() => ReadValues.All(bytes)).Message, StringComparison.Ordinal);
        Assert.Equal(100, ReadValues.All(bytes, new() { VerifyChecksums = false }).Count);
    }

    private static ParquetFileReader Open(byte[] file) => ReadValues.Wait(ParquetFileReader.OpenAsync(new ParquetMemorySource(file)));

    private static List<string[]> Expected(RandomParquet random) => [.. Enumerable.Range(0, random.Rows).Select(row => random.Schema.Select(
        (field, column) => RandomColumns.Expected(field.Type, field.Type, random.Columns[column][row])).ToArray())];

    private static void AssertRows(List<string[]> expected, List<string[]> found, string context)
    {
        Assert.True(expected.Count == found.Count, $"{context}: {found.Count} rows for {expected.Count}");
        for (var row = 0; row < expected.Count; row++)
        {
            for (var column = 0; column < expected[row].Length; column++)
            {
                Assert.True(expected[row][column] == found[row][column], $"{context}, row {row}, column {column}: {found[row][column]} for {expected[row][column]}");
            }
        }
    }

    private sealed class CountingSource(byte[] bytes) : IParquetSource
    {
        private readonly ParquetMemorySource source = new(bytes);

        public long BytesRead { get; private set; }

        public long Length => source.Length;

        public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            BytesRead += target.Length;
            return source.ReadAsync(offset, target, cancellationToken);
        }
    }
}
