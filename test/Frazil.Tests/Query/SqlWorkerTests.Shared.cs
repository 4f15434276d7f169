using Frazil.Columnar;
using Frazil.Query;
using Frazil.Tests.Columnar;
using Xunit;

namespace Frazil.Tests.Query;

/// <summary>Hot rows as ingest keeps them: what lies in shared memory is read where it is, small buffers are copied.</summary>
public sealed partial class SqlWorkerTests
{
    [Theory]
    [InlineData(1, 90)]
    [InlineData(2, 700)]
    [InlineData(3, 5000)]
    public async Task A_worker_reads_the_columns_of_chunks_in_place_while_rows_are_appended(int seed, int rows)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        var fields = new ColumnFields([.. RandomRows.EveryKind.Where(static field => !HoldsFixed(field.Type)), new ColumnField("place", ColumnType.Int32, 9999)]);
        var chunk = new ColumnChunk(fields, rows, new MemoryAccount());
        var random = new Random(seed);
        Append(chunk, random, rows);
        var views = chunk.TakeViews(out var count);
        Append(chunk, random, rows / 8); // after the views were taken, into the same buffers and larger ones
        int[] some = [.. Enumerable.Range(count - 20, 20).Where(static row => row % 3 != 0).Reverse()];
        var table = new TableInput
        {
            Namespace = "shop",
            Name = "events",
            Schema = fields,
            HotSlices =
            [
                new BatchSlice { Schema = fields, Columns = views, Count = 33 },
                new BatchSlice { Schema = fields, Columns = views, Start = 33, Count = count - 53 },
                new BatchSlice { Schema = fields, Columns = views, Count = some.Length, Selection = some },
            ],
        };

        var sql = gate.Parse("SELECT * FROM shop.events ORDER BY place");
        var found = await fixture.Workers.ExecuteAsync(sql, [table], Long);
        var expected = await fixture.InProcess.ExecuteAsync(sql, [table], Long);

        Assert.NotEqual(0, NativeBlocks.SharedReserve);
        Assert.Equal(count - 20 + some.Length, found.Rows.Count);
        for (var row = 0; row < found.Rows.Count; row++)
        {
            Assert.Equal(Line(expected.Rows[row]), Line(found.Rows[row]));
        }
        chunk.Unpin();
    }

    private static void Append(ColumnChunk chunk, Random random, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            foreach (var column in chunk.Columns.SkipLast(1))
            {
                RandomRows.Append(column, random, 0.2);
            }
            chunk.Column<FixedWriter<int>>(chunk.Columns.Count - 1).Append(chunk.Rows);
            chunk.EndRow();
        }
        chunk.Publish();
    }
}
