using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Columnar;

public sealed class ColumnChunkTests
{
    private static readonly ColumnFields Simple = new([new("n", ColumnType.Int64, 1), new("s", ColumnType.Utf8, 2)]);

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    [InlineData(1.0)]
    public void Every_kind_reads_back_what_was_appended_across_growth_and_truncation(double nullShare)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var account = new MemoryAccount();
        var chunk = new ColumnChunk(RandomRows.EveryKind, 1, account);
        var expected = new List<string>();
        while (chunk.Rows < 3000)
        {
            var row = chunk.Columns.Select(column => RandomRows.Append(column, random, nullShare)).ToArray();
            if (random.Next(4) == 0)
            {
                // The record failed: everything of it goes, and half of another one too.
                chunk.TruncateTo(chunk.Rows);
                var half = random.Next(chunk.Columns.Count);
                for (var column = 0; column < half; column++)
                {
                    RandomRows.Append(chunk.Columns[column], random, nullShare);
                }
                chunk.TruncateTo(chunk.Rows);
                continue;
            }
            chunk.EndRow();
            expected.Add(string.Join(" | ", row.Select(ViewReader.Show)));
        }
        chunk.Publish();
        var views = chunk.TakeViews(out var rows);
        Assert.Equal(expected.Count, rows);
        for (var row = 0; row < rows; row++)
        {
            Assert.Equal(expected[row], ViewReader.ShowRow(views, row));
        }
        chunk.Unpin();
        Assert.Equal(0, account.Bytes);
    }

    [Fact]
    public void Readers_see_exactly_the_published_rows_while_the_writer_grows_every_buffer()
    {
        var account = new MemoryAccount();
        var schema = new ColumnFields([new("n", ColumnType.Int64, 1), new("s", ColumnType.Utf8, 2), new("l", ColumnType.List(new("element", ColumnType.Int32, 4)), 3), new("b", ColumnType.Boolean, 5)]);
        var chunk = new ColumnChunk(schema, 1, account);
        const int Rows = 60_000;
        var failures = new List<Exception>();
        var readers = Enumerable.Range(0, 3).Select(_ => new Thread(() => Observe(chunk, Rows, failures))).ToArray();
        Array.ForEach(readers, reader =>
        {
            Assert.True(chunk.TryPin());
            reader.Start();
        });
        for (var row = 0; row < Rows; row++)
        {
            AppendNumbered(chunk, row);
            if (row % 3 == 0)
            {
                chunk.Publish();
            }
        }
        chunk.Publish();
        chunk.Unpin();
        Array.ForEach(readers, reader => reader.Join());
        Assert.Empty(failures);
        Assert.Equal(0, account.Bytes);
    }

    [Fact]
    public void Memory_is_accounted_to_the_byte_and_freed_once()
    {
        var process = new MemoryAccount();
        var account = new MemoryAccount(process);
        var chunk = new ColumnChunk(Simple, 10, account);
        Assert.Equal(chunk.Bytes, account.Bytes);
        for (var row = 0; row < 10_000; row++)
        {
            chunk.Column<FixedWriter<long>>(0).Append(row);
            chunk.Column<BytesWriter>(1).Append("0123456789"u8);
            chunk.EndRow();
        }
        Assert.Equal(chunk.Bytes, account.Bytes);
        Assert.Equal(chunk.Bytes, process.Bytes);
        Assert.Equal((10_000 * (8 + 10 + 4)) + 4, chunk.UsedBytes);
        Assert.InRange(chunk.Bytes, chunk.UsedBytes, chunk.UsedBytes * 4);
        Assert.True(chunk.TryPin());
        chunk.Unpin();
        Assert.NotEqual(0, account.Bytes);
        chunk.Unpin();
        Assert.Equal(0, account.Bytes);
        Assert.Equal(0, process.Bytes);
        Assert.True(process.PeakBytes > 10_000 * 22);
    }

    [Fact]
    public void A_freed_chunk_cannot_be_pinned_read_or_written()
    {
        var chunk = new ColumnChunk(Simple, 10, new());
        chunk.Unpin();
        Assert.False(chunk.TryPin());
        Assert.Throws<ObjectDisposedException>(() => chunk.TakeViews(out _));
        Assert.Throws<ObjectDisposedException>(() => chunk.Column<FixedWriter<long>>(0).Append(1));
        Assert.Throws<ObjectDisposedException>(() => chunk.Column<BytesWriter>(1).Append("x"u8));
        Assert.Throws<ObjectDisposedException>(() => chunk.Column<BytesWriter>(1).AppendNull());
        Assert.Throws<InvalidOperationException>(chunk.Unpin);
    }

    [Fact]
    public void A_chunk_sized_after_its_predecessor_never_grows()
    {
        var account = new MemoryAccount();
        var sizing = ChunkSizing.ForRows(100);
        for (var generation = 0; generation < 4; generation++)
        {
            var random = new Random(7);
            var chunk = new ColumnChunk(RandomRows.EveryKind, sizing, account);
            var atFirst = chunk.Bytes;
            for (var row = 0; row < 5000; row++)
            {
                foreach (var column in chunk.Columns)
                {
                    RandomRows.Append(column, random, 0);
                }
                chunk.EndRow();
            }
            if (generation > 0)
            {
                Assert.Equal(atFirst, chunk.Bytes);
            }
            sizing = chunk.TakeSizing();
            chunk.Unpin();
        }
    }

    [Fact]
    public void Validity_is_absent_until_the_first_null()
    {
        var chunk = new ColumnChunk(Simple, 10, new());
        chunk.Column<FixedWriter<long>>(0).Append(1);
        chunk.Column<BytesWriter>(1).Append("x"u8);
        chunk.EndRow();
        chunk.Publish();
        Assert.True(HasNoValidity(chunk.TakeViews(out _)[0]));
        chunk.Column<FixedWriter<long>>(0).AppendNull();
        chunk.Column<BytesWriter>(1).Append("y"u8);
        chunk.EndRow();
        chunk.Publish();
        var views = chunk.TakeViews(out var rows);
        Assert.Equal(2, rows);
        Assert.Equal("1 | \"x\"", ViewReader.ShowRow(views, 0));
        Assert.Equal("null | \"y\"", ViewReader.ShowRow(views, 1));
        Assert.True(HasNoValidity(views[1]));
        chunk.Unpin();
    }

    [Fact]
    public void Publishing_a_half_written_row_is_refused()
    {
        var chunk = new ColumnChunk(Simple, 10, new());
        chunk.Column<FixedWriter<long>>(0).Append(1);
        Assert.Throws<InvalidOperationException>(chunk.Publish);
        chunk.Column<BytesWriter>(1).Append("x"u8);
        chunk.EndRow();
        chunk.Publish();
        Assert.Throws<InvalidOperationException>(() => chunk.TruncateTo(0));
        chunk.Unpin();
    }

    [Fact]
    public void A_column_that_cannot_hold_more_says_so_and_stays_as_it_was()
    {
        var chunk = new ColumnChunk(Simple, 10, new());
        var texts = chunk.Column<BytesWriter>(1);
        texts.Append("x"u8);
        unsafe
        {
            Assert.Throws<ChunkFullException>(() => { texts.Reserve(int.MaxValue); });
        }
        Assert.Equal("x", System.Text.Encoding.UTF8.GetString(texts.ValueAt(0)));
        chunk.Unpin();
    }

    private static unsafe bool HasNoValidity(ColumnView view) => view.Validity == null;

    private static void AppendNumbered(ColumnChunk chunk, int row)
    {
        if (row % 1000 == 999)
        {
            chunk.Column<FixedWriter<long>>(0).AppendNull();
        }
        else
        {
            chunk.Column<FixedWriter<long>>(0).Append(row);
        }
        Span<byte> text = stackalloc byte[16];
        System.Buffers.Text.Utf8Formatter.TryFormat(row, text, out var length);
        chunk.Column<BytesWriter>(1).Append(text[..length]);
        var list = chunk.Column<ListWriter>(2);
        for (var element = 0; element < row % 4; element++)
        {
            ((FixedWriter<int>)list.First).Append(row + element);
        }
        list.EndList();
        chunk.Column<BooleanWriter>(3).Append(row % 5 == 0);
        chunk.EndRow();
    }

    private static void Observe(ColumnChunk chunk, int lastRow, List<Exception> failures)
    {
        try
        {
            var random = new Random(1);
            var rows = 0;
            while (rows < lastRow)
            {
                var before = rows;
                var views = chunk.TakeViews(out rows);
                Assert.True(rows >= before);
                for (var sample = 0; sample < 50 && rows > 0; sample++)
                {
                    var row = sample == 0 ? rows - 1 : random.Next(rows);
                    var number = row % 1000 == 999 ? "null" : $"{row}";
                    var list = string.Join(", ", Enumerable.Range(row, row % 4));
                    Assert.Equal($"{number} | \"{row}\" | [{list}] | {row % 5 == 0}", ViewReader.ShowRow(views, row));
                }
            }
        }
        catch (Exception failure)
        {
            lock (failures)
            {
                failures.Add(failure);
            }
        }
        finally
        {
            chunk.Unpin();
        }
    }
}
