using System.IO.Hashing;
using System.Text;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Parquet;

/// <summary>What lets a reader skip: column index, offset index, Bloom filters, against the rows themselves.</summary>
public sealed class PageIndexTests : IDisposable
{
    private const int PageRows = 100;
    private readonly ArrowValues memory = new();
    private readonly ParquetBuffers buffers = new();

    public void Dispose()
    {
        buffers.Dispose();
        memory.Dispose();
    }

    [Fact]
    public void Each_page_is_where_the_index_says_and_holds_what_it_says()
    {
        var random = new Random(3);
        List<object?> values = [.. Enumerable.Range(0, 1050).Select(row => row is >= 200 and < 300 || random.Next(3) == 0
            ? null : (object?)random.NextInt64(-1000, 1000))];
        var file = Write(ColumnType.Int64, values);
        var (chunk, columns, offsets) = Indexes(file);

        var pages = List(offsets, 1);
        Assert.Equal(11, pages.Count);
        for (var page = 0; page < pages.Count; page++)
        {
            var location = (Dictionary<int, object>)pages[page];
            var first = (int)(long)location[3];
            Assert.Equal(page * PageRows, first);
            var rows = values.Skip(first).Take(PageRows).ToList();
            var header = new CompactThrift(file, (int)(long)location[1]);
            var fields = header.Struct();
            Assert.Equal(header.At + (long)fields[3], (long)location[1] + (long)location[2]);
            Assert.Equal(rows.Count, (long)((Dictionary<int, object>)fields[5])[1]);
            Assert.Equal((int)Crc32.HashToUInt32(file.AsSpan(header.At, (int)(long)fields[3])), (long)fields[4]);

            var present = rows.OfType<long>().ToList();
            Assert.Equal(present.Count == 0, List(columns, 1)[page]);
            Assert.Equal(present.Count == 0 ? [] : BitConverter.GetBytes(present.Min()), (byte[])List(columns, 2)[page]);
            Assert.Equal(present.Count == 0 ? [] : BitConverter.GetBytes(present.Max()), (byte[])List(columns, 3)[page]);
            Assert.Equal((long)(rows.Count - present.Count), List(columns, 5)[page]);
        }
        Assert.Equal(0L, columns[4]);
        Assert.Equal("n", CompactThrift.Text(List(chunk, 3)[0]));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(-1, 2)]
    public void The_order_of_the_pages_is_said(int step, long order)
    {
        var (_, columns, _) = Indexes(Write(ColumnType.Int64, [.. Enumerable.Range(0, 1000).Select(row => (object?)(long)(row * step))]));
        Assert.Equal(order, columns[4]);
    }

    [Fact]
    public void Long_texts_have_short_bounds_that_still_hold_them()
    {
        List<object?> values = [.. Enumerable.Range(0, 500).Select(row => (object?)(new string('é', 50) + new string((char)('a' + row % 26), row)))];
        values[7] = new string('z', 90);
        var (chunk, columns, _) = Indexes(Write(ColumnType.Utf8, values));
        for (var page = 0; page < 5; page++)
        {
            var texts = values.Skip(page * PageRows).Take(PageRows).Select(text => Encoding.UTF8.GetBytes((string)text!)).ToList();
            var (lower, upper) = ((byte[])List(columns, 2)[page], (byte[])List(columns, 3)[page]);
            Assert.All(texts, text => Assert.True(text.AsSpan().SequenceCompareTo(lower) >= 0 && text.AsSpan().SequenceCompareTo(upper) <= 0));
            Assert.True(lower.Length <= 64);
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(lower);
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(upper);
        }
        // The least is cut; the greatest, all of two-byte characters, stays whole, as no shorter text is above it.
        var statistics = (Dictionary<int, object>)chunk[12];
        Assert.Equal(new string('z', 64), CompactThrift.Text(statistics[6]));
        Assert.Equal([true, false], [statistics[7], statistics[8]]);

        (chunk, _, _) = Indexes(Write(ColumnType.Utf8, [new string('z', 90), "a"]));
        statistics = (Dictionary<int, object>)chunk[12];
        Assert.Equal(new string('z', 63) + "{", CompactThrift.Text(statistics[5]));
        Assert.Equal([false, true], [statistics[7], statistics[8]]);
    }

    [Fact]
    public void A_page_of_nothing_but_NaN_leaves_the_column_without_an_index_and_NaNs_are_counted()
    {
        List<object?> some = [.. Enumerable.Range(0, 300).Select(row => (object?)(row % 3 == 0 ? double.NaN : row))];
        var (_, columns, _) = Indexes(Write(ColumnType.Float64, some));
        Assert.Equal([34L, 33L, 33L], List(columns, 8));

        List<object?> all = [.. some.Select((value, row) => row >= 200 ? double.NaN : value)];
        var file = Write(ColumnType.Float64, all);
        Assert.False(FirstColumn(file).ContainsKey(6));
        Assert.True(FirstColumn(file).ContainsKey(4));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5000)]
    public void A_Bloom_filter_has_every_value_and_hardly_any_other(int distinct)
    {
        List<object?> values = [.. Enumerable.Range(0, 5000).Select(row => (object?)$"value {row % distinct}")];
        var file = Write(ColumnType.Utf8, values);
        var chunk = (Dictionary<int, object>)FirstColumn(file)[3];
        var header = new CompactThrift(file, (int)(long)chunk[14]);
        var bytes = (int)(long)header.Struct()[1];
        Assert.Equal(header.At + bytes, (long)chunk[14] + (long)chunk[15]);
        var bits = file.AsSpan(header.At, bytes).ToArray();

        Assert.All(Enumerable.Range(0, distinct), number => Assert.True(Contains(bits, $"value {number}")));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(number => Contains(bits, $"other {number}")), 0, 300);
    }

    /// <summary>Every second number between the bounds of each row group is there; the Bloom filter alone can tell.</summary>
    [Fact]
    public void DuckDB_leaves_out_row_groups_by_their_Bloom_filters_and_none_that_has_the_value()
    {
        const int Rows = 5000;
        var schema = new ColumnFields([new("n", ColumnType.Int64, 1), new("s", ColumnType.Utf8, 2), new("without", ColumnType.Int64, 3)]);
        object?[] numbers = [.. Enumerable.Range(0, Rows).Select(row => (object?)((row * 7919L % Rows * 2) - Rows))];
        object?[] texts = [.. numbers.Select(number => (object?)$"é{number}")];
        var options = new ParquetOptions { RowGroupRows = 500, BloomFilters = new Dictionary<int, double> { [1] = 0.001, [2] = 0.001 } };
        var path = Path.GetTempFileName();
        try
        {
            using (var output = File.Create(path))
            {
                using var writer = new ParquetFileWriter(output, schema, buffers, options);
                writer.Write([memory.Slice(schema, [.. numbers], [.. texts], [.. numbers])]);
                writer.Finish();
            }
            using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
            using var connection = duck.Connect();
            for (var probe = 0; probe < 40; probe++)
            {
                var (number, isThere) = (probe * 101L - 1500, (probe * 101L - 1500 + Rows) % 2 == 0);
                Assert.Equal(isThere ? 1 : 0, Possible("n", $"{number}"), 0.5);
                Assert.Equal(isThere ? 1 : 0, Possible("s", $"'é{number}'"), 0.5);
                Assert.Equal(10, Possible("without", $"{number}"));
            }

            long Possible(string column, string value)
            {
                using var result = connection.Query(
                    $"SELECT count(*) FILTER (NOT bloom_filter_excludes) FROM parquet_bloom_probe({SqlText.Literal(path)}, '{column}', {value})");
                return (long)result.ReadRows()[0][0]!;
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>By the words of the format, not by our code.</summary>
    private static bool Contains(byte[] bits, string value)
    {
        uint[] salt = [0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU, 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U];
        var hash = XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(value));
        var block = (int)((hash >> 32) * (ulong)(bits.Length / 32) >> 32);
        return Enumerable.Range(0, 8).All(word =>
            (BitConverter.ToUInt32(bits, block * 32 + word * 4) & (1U << (int)(unchecked((uint)hash * salt[word]) >> 27))) != 0);
    }

    private byte[] Write(ColumnType type, List<object?> values)
    {
        var schema = new ColumnFields([new("n", type, 1)]);
        using var output = new MemoryStream();
        var options = new ParquetOptions { PageRows = PageRows, BloomFilters = new Dictionary<int, double> { [1] = 0.01 } };
        using var writer = new ParquetFileWriter(output, schema, buffers, options);
        writer.Write([memory.Slice(schema, values)]);
        writer.Finish();
        return output.ToArray();
    }

    private static Dictionary<int, object> FirstColumn(byte[] file)
        => (Dictionary<int, object>)List((Dictionary<int, object>)List(CompactThrift.Footer(file), 4)[0], 1)[0];

    private static (Dictionary<int, object> Chunk, Dictionary<int, object> Columns, Dictionary<int, object> Offsets) Indexes(byte[] file)
    {
        var column = FirstColumn(file);
        return ((Dictionary<int, object>)column[3], new CompactThrift(file, (int)(long)column[6]).Struct(),
            new CompactThrift(file, (int)(long)column[4]).Struct());
    }

    private static List<object> List(Dictionary<int, object> fields, int field) => (List<object>)fields[field];
}
