using System.Security.Cryptography;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Columnar.Statistics;
using Frazil.Flush;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Parquet;

public sealed class ParquetFileWriterTests : IDisposable
{
    private static readonly ColumnFields OneLong = new([new("n", ColumnType.Int64, 1)]);
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-parquet-").FullName;
    private readonly ArrowValues memory = new();
    private readonly ParquetBuffers buffers = new();

    public void Dispose()
    {
        buffers.Dispose();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Another_reader_finds_every_value_whatever_the_schema_the_slices_and_the_options(int seed)
    {
        var random = new RandomParquet(seed, memory);
        var path = Path.Combine(folder, "random.parquet");
        ParquetFileSummary summary;
        using (var file = File.Create(path))
        {
            summary = random.Write(file, buffers);
        }
        Assert.Equal(random.Rows, summary.RecordCount);
        Assert.Equal(new FileInfo(path).Length, summary.FileSizeBytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), summary.Sha256);
        var rows = Read($"SELECT * FROM read_parquet({SqlText.Literal(path)})");
        Assert.Equal(random.Rows, rows.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < random.Schema.Count; column++)
            {
                var type = random.Schema[column].Type;
                Assert.True(
                    RandomColumns.Expected(type, type, random.Columns[column][row]) == RandomColumns.Canonical(rows[row][column]),
                    $"seed {seed}, row {row}, {random.Schema[column]}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_statistics_of_the_pass_are_those_of_the_columns(int seed)
    {
        var random = new RandomParquet(seed, memory);
        var summary = random.Write(Stream.Null, buffers);
        var expected = ColumnStatistics.Measure(random.Schema, random.Slices);
        Assert.Equal(expected.Keys.Order(), summary.Columns.Keys.Order());
        foreach (var (field, statistics) in expected)
        {
            var found = summary.Columns[field].Statistics;
            Assert.True(
                Text(statistics) == Text(found), $"seed {seed}, field {field}: {Text(statistics)} is not {Text(found)}");
        }

        static string Text(FieldStatistics of)
            => $"{of.ValueCount} {of.NullCount} {of.NanCount} {Hex(of.Lower)} {Hex(of.Upper)}";
        static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexString(bytes);
    }

    [Fact]
    public void The_same_rows_give_the_same_bytes_also_with_used_buffers()
    {
        var (first, second, fresh) = (new MemoryStream(), new MemoryStream(), new MemoryStream());
        new RandomParquet(5, memory).Write(first, buffers);
        new RandomParquet(6, memory).Write(Stream.Null, buffers);
        new RandomParquet(5, memory).Write(second, buffers);
        using var others = new ParquetBuffers();
        new RandomParquet(5, memory).Write(fresh, others);
        Assert.Equal(first.ToArray(), second.ToArray());
        Assert.Equal(first.ToArray(), fresh.ToArray());
    }

    [Fact]
    public void A_row_group_is_written_while_the_next_rows_do_not_exist_yet()
    {
        using var output = new MemoryStream();
        using var writer = new ParquetFileWriter(output, OneLong, buffers);
        using (var early = new ArrowValues())
        {
            writer.Write([early.Slice(OneLong, [1L, null, 3L])]);
        }
        writer.Write([memory.Slice(OneLong, [4L])]);
        var summary = writer.Finish();
        Assert.Equal(2, summary.SplitOffsets.Count);
        Assert.Equal([1L, null, 3L, 4L], ReadLongs(output));
    }

    [Fact]
    public void A_required_column_is_required_in_the_file_and_refuses_a_null()
    {
        var required = new ColumnFields([
            new("n", ColumnType.Int64, 1, Nullable: false),
            new("s", ColumnType.Struct(new ColumnField("x", ColumnType.Int32, 3, Nullable: false)), 2)]);
        using var output = new MemoryStream();
        using var writer = new ParquetFileWriter(output, required, buffers);
        writer.Write([memory.Slice(required, [1L, 2L], [new object?[] { 7 }, null])]);
        writer.Finish();
        Assert.Equal([1L, 2L], ReadLongs(output));

        using var refusing = new ParquetFileWriter(new MemoryStream(), required, buffers);
        var failure = Assert.Throws<ParquetRowsException>(
            () => refusing.Write([memory.Slice(required, [1L, null], [new object?[] { 7 }, null])]));
        Assert.Contains("'n' (field 1)", failure.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => refusing.Finish());
    }

    [Fact]
    public void Missing_fields_are_null_and_narrow_numbers_widen()
    {
        var stored = new ColumnFields([new("a", ColumnType.Int32, 1), new("b", ColumnType.Float32, 2)]);
        var wanted = new ColumnFields([
            new("a", ColumnType.Int64, 1), new("b", ColumnType.Float64, 2), new("c", ColumnType.Utf8, 3),
            new("l", ColumnType.List(new ColumnField("element", ColumnType.Int32, 5)), 4)]);
        var path = Path.Combine(folder, "evolved.parquet");
        using (var file = File.Create(path))
        {
            using var writer = new ParquetFileWriter(file, wanted, buffers);
            writer.Write([memory.Slice(stored, [1, null], [0.5f, -0f])]);
            writer.Finish();
        }
        var rows = Read($"SELECT * FROM read_parquet({SqlText.Literal(path)})");
        Assert.Equal([1L, 0.5, null, null], rows[0]);
        Assert.Equal([null, -0.0, null, null], rows[1]);
    }

    [Fact]
    public void A_wide_table_of_long_texts_needs_the_memory_of_one_column_not_of_all()
    {
        var wide = new ColumnFields(Enumerable.Range(1, 800).Select(id => new ColumnField($"c{id}", ColumnType.Utf8, id)));
        List<object?> texts = [.. Enumerable.Range(0, 20).Select(n => (object?)new string((char)('a' + n), 10_000))];
        var slice = memory.Slice(wide, [.. Enumerable.Repeat(texts, 800)]);
        using var writer = new ParquetFileWriter(Stream.Null, wide, buffers);
        writer.Write([slice]);
        var held = buffers.HeldBytes;
        Assert.Equal(20, writer.Finish().RecordCount);
        Assert.True(held < 4 << 20, $"{held} bytes for one column of 200 kB");
    }

    [Fact]
    public void Floating_point_zeros_and_NaN_stay_what_they_are_in_values_and_bounds()
    {
        var fields = new ColumnFields([new("z", ColumnType.Float64, 1), new("nan", ColumnType.Float64, 2)]);
        var path = Path.Combine(folder, "zeros.parquet");
        using (var file = File.Create(path))
        {
            using var writer = new ParquetFileWriter(file, fields, buffers);
            writer.Write([memory.Slice(fields, [0.0, -0.0, 0.0], [double.NaN, double.NaN, null])]);
            var columns = writer.Finish().Columns;
            Assert.Equal(new FieldStatistics(2, 3, 1, 2, null, null), columns[2].Statistics);
            Assert.Equal(BitConverter.GetBytes(-0.0), columns[1].Statistics.Lower);
            Assert.Equal(BitConverter.GetBytes(0.0), columns[1].Statistics.Upper);
        }
        var rows = Read($"SELECT * FROM read_parquet({SqlText.Literal(path)})");
        Assert.Equal(["0000000000000000", "8000000000000000"], rows.Take(2).Select(row => RandomColumns.Canonical(row[0])));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_broken_footer_is_an_error_and_never_a_crash_or_a_hang(int seed)
    {
        var random = new Random(seed);
        using var whole = new MemoryStream();
        new RandomParquet(seed, memory, maxRows: 50).Write(whole, buffers);
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var bytes = whole.ToArray();
            for (var flips = random.Next(4); flips >= 0; flips--)
            {
                // The footer is at the end, and small beside the pages.
                bytes[^random.Next(1, Math.Min(bytes.Length, 2000) + 1)] = (byte)random.Next(256);
            }
            using var broken = new MemoryStream(random.Next(3) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
            try
            {
                ParquetFooter.Read(broken);
            }
            catch (InvalidDataException)
            {
                // what a file that is none must give
            }
        }
    }

    private IReadOnlyList<object?> ReadLongs(MemoryStream file)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet");
        File.WriteAllBytes(path, file.ToArray());
        return [.. Read($"SELECT n FROM read_parquet({SqlText.Literal(path)})").Select(row => row[0])];
    }

    private static IReadOnlyList<object?[]> Read(string sql)
    {
        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        using var result = connection.Query(sql);
        return [.. result.ReadRows().Select(row => row.ToArray())];
    }
}
