using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Flush;

/// <summary>Whatever the width and the size of rows, and however many files are written at once: they fit the writer's memory.</summary>
public sealed class WriterMemoryTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-writer-memory-").FullName;
    private readonly ArrowValues memory = new();

    public ValueTask DisposeAsync()
    {
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>As many files as cores/2, as the engine writes them.</summary>
    [Theory]
    [InlineData(800, 1, 1, 20)]
    [InlineData(400, 2, 4, 20)]
    [InlineData(150, 8, 16, 20)]
    [InlineData(3000, 2, 2, 20)]
    [InlineData(800, 1, 1, 5000)]
    public async Task Wide_tables_are_written(int columns, int concurrentFiles, int files, int rows)
    {
        await using var writer = new ParquetDataFileWriter(concurrentFiles);
        var fields = new ColumnFields([.. Enumerable.Range(0, columns).Select(static i => new ColumnField($"c{i:D4}", TypeOf(i), i + 1))]);
        var slice = memory.Slice(fields, [.. Enumerable.Range(0, columns).Select(i => Values(i, rows))]);

        var written = await Task.WhenAll(Enumerable.Range(0, files).Select(_ => writer.WriteAsync(Request(fields, slice))));

        Assert.All(written, file => Assert.Equal(rows, file.RecordCount));
    }

    /// <summary>10 kB strings on 16 cores: eight files at once.</summary>
    [Fact]
    public async Task Large_strings_in_many_files_at_once_are_written()
    {
        await using var writer = new ParquetDataFileWriter(concurrentFiles: 8);
        var fields = new ColumnFields([new ColumnField("t", ColumnType.Utf8, 1)]);
        var slice = memory.Slice(fields, [.. Enumerable.Range(0, 100).Select(static n => (object?)string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i * n * 7919 % 1000003,10}")))]);

        var written = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => writer.WriteAsync(Request(fields, [.. Enumerable.Repeat(slice, 60)]))));

        Assert.All(written, static file => Assert.Equal(6_000, file.RecordCount));
    }

    [Fact]
    public async Task Rows_that_do_not_fit_at_once_are_written_in_several_files_in_their_order()
    {
        var fields = new ColumnFields([new ColumnField("n", ColumnType.Int64, 1)]);
        var slice = memory.Slice(fields, [.. Enumerable.Range(0, 10).Select(static n => (object?)(long)n)]);
        var selected = new BatchSlice { Schema = slice.Schema, Columns = slice.Columns, Count = 3, Selection = [9, 7, 5] };

        var pieces = await RowPieces.WriteAsync(
            [slice, selected], static rows => Values(rows) is { Count: <= 3 } values
                ? Task.FromResult(values) : throw new DataFileMemoryException("too many"), static _ => Task.CompletedTask);

        Assert.All(pieces, static piece => Assert.InRange(piece.Count, 1, 3));
        Assert.Equal([0L, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 7, 5], pieces.SelectMany(static piece => piece));
    }

    [Fact]
    public async Task A_single_row_that_does_not_fit_is_an_error_and_what_was_written_before_it_is_discarded()
    {
        var fields = new ColumnFields([new ColumnField("n", ColumnType.Int64, 1)]);
        var slice = memory.Slice(fields, [0L, 1L, 2L, 3L]);
        var discarded = new List<List<long>>();

        await Assert.ThrowsAsync<DataFileMemoryException>(() => RowPieces.WriteAsync(
            [slice], static rows => Values(rows) is var values && !values.Contains(3)
                ? Task.FromResult(values) : throw new DataFileMemoryException("too large"),
            piece =>
            {
                discarded.Add(piece);
                return Task.CompletedTask;
            }));

        Assert.Equal([0L, 1, 2], discarded.SelectMany(static piece => piece));
    }

    private static unsafe List<long> Values(IReadOnlyList<BatchSlice> rows)
    {
        var values = new List<long>();
        foreach (var slice in rows)
        {
            for (var i = 0; i < slice.Count; i++)
            {
                values.Add(((long*)slice.Columns[0].Values)[slice.Selection?[i] ?? slice.Start + i]);
            }
        }
        return values;
    }

    private static ColumnType TypeOf(int column) => (column % 3) switch
    {
        0 => ColumnType.Int64,
        1 => ColumnType.Utf8,
        _ => ColumnType.Float64,
    };

    private static object?[] Values(int column, int rows) => [.. Enumerable.Range(0, rows).Select(row => (column % 3) switch
    {
        0 => (object?)(long)(row + column),
        1 => $"v{row}",
        _ => row + 0.5,
    })];

    private DataFileRequest Request(ColumnFields schema, params BatchSlice[] slices)
        => new() { Store = new LocalFileIO(), Location = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet"), Schema = schema, Slices = slices };
}
