using Frazil.Columnar;
using Frazil.Query;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Query;

public sealed class SqlStreamTests : IAsyncDisposable
{
    private const string Endless = "SELECT repeat('x', 1000) || a.range || b.range FROM range(1000000) a, range(1000000) b";
    private static readonly ColumnFields Numbers = new([new ColumnField("n", ColumnType.Int64, 1)]);

    private readonly SqlGate gate = new();
    private readonly SqlExecutor executor = new(Isolation.Apply(new()
    {
        MaxConcurrent = 4,
        MaxWaitingBytes = 8 << 20,
        MaxAllWaitingBytes = 12 << 20,
        ReaderPatience = TimeSpan.FromMinutes(10),
    }));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await executor.DisposeAsync();
        gate.Dispose();
    }

    [Fact]
    public async Task Rows_come_in_chunks_and_all_of_them()
    {
        await using var chunks = await executor.StreamAsync(gate.Parse("SELECT i FROM range(3000000) t(i)"), [], Cancel);
        Assert.Equal(["i BIGINT"], chunks.Columns.Select(column => $"{column.Name} {column.Type}"));
        var (rows, sum) = (0L, 0L);
        while (await chunks.ReadAsync(Cancel) is { } chunk)
        {
            using (chunk)
            {
                rows += chunk.RowCount;
                foreach (var value in chunk.Longs(0))
                {
                    sum += value;
                }
            }
        }
        Assert.Equal((3_000_000, 2_999_999L * 1_500_000), (rows, sum));
        Assert.Null(await chunks.ReadAsync(Cancel));
        Assert.Equal(0, executor.WaitingBytes);
    }

    [Fact]
    public async Task Readers_that_take_nothing_hold_no_more_than_they_may_and_others_go_on()
    {
        var slow = new List<SqlChunks>();
        for (var reader = 0; reader < 3; reader++)
        {
            slow.Add(await executor.StreamAsync(gate.Parse(Endless), [], Cancel));
        }
        // The first chunks fill what may wait; one chunk each may stand above it.
        while (executor.WaitingBytes < 10 << 20)
        {
            await Task.Delay(10, Cancel);
        }
        for (var look = 0; look < 50; look++)
        {
            Assert.InRange(executor.WaitingBytes, 0, (12 << 20) + (3 * 3 << 20));
            await Task.Delay(10, Cancel);
        }
        Assert.Equal(3000, (await executor.ExecuteAsync(gate.Parse("SELECT * FROM range(3000)"), [], Timeout.InfiniteTimeSpan, Cancel)).Rows.Count);
        foreach (var one in slow)
        {
            using (var chunk = await one.ReadAsync(Cancel))
            {
                Assert.NotEqual(0, chunk!.RowCount);
            }
            await one.DisposeAsync();
        }
        Assert.Equal((0, 0), (executor.WaitingBytes, executor.StuckQueries));
    }

    [Fact]
    public async Task A_reader_that_goes_lets_rows_and_seat_go_at_once()
    {
        for (var round = 0; round < 12; round++)
        {
            var pin = new ArrowValues();
            var table = new TableInput { Namespace = "a", Name = "t", Schema = Numbers, HotSlices = [pin.Slice(Numbers, [1L, 2L])], HotPin = pin };
            var chunks = await executor.StreamAsync(gate.Parse("SELECT n, repeat('x', 1000) FROM a.t, range(1000000000)"), [table], Cancel);
            (await chunks.ReadAsync(Cancel))!.Dispose();
            Assert.False(pin.IsDisposed);
            await chunks.DisposeAsync();
            Assert.True(pin.IsDisposed);
        }
        Assert.Equal(0, executor.WaitingBytes);
    }

    [Fact]
    public async Task A_small_answer_lets_its_rows_go_before_it_is_read()
    {
        var pin = new ArrowValues();
        var table = new TableInput { Namespace = "a", Name = "t", Schema = Numbers, HotSlices = [pin.Slice(Numbers, [1L, 2L])], HotPin = pin };
        await using var chunks = await executor.StreamAsync(gate.Parse("SELECT n FROM a.t"), [table], Cancel);
        while (!pin.IsDisposed)
        {
            await Task.Delay(1, Cancel);
        }
        using var chunk = await chunks.ReadAsync(Cancel);
        Assert.Equal([1, 2], chunk!.Longs(0));
    }

    [Fact]
    public async Task A_reader_that_takes_nothing_for_too_long_is_told_so()
    {
        await using var impatient = new SqlExecutor(Isolation.Apply(new() { MaxWaitingBytes = 4 << 20, ReaderPatience = TimeSpan.FromMilliseconds(50) }));
        var pin = new ArrowValues();
        var table = new TableInput { Namespace = "a", Name = "t", Schema = Numbers, HotSlices = [pin.Slice(Numbers, [1L, 2L])], HotPin = pin };
        await using var chunks = await impatient.StreamAsync(gate.Parse("SELECT n, repeat('x', 1000) FROM a.t, range(1000000000)"), [table], Cancel);
        while (!pin.IsDisposed) // the query has given up
        {
            await Task.Delay(10, Cancel);
        }
        var failure = await Assert.ThrowsAsync<SqlException>(async () =>
        {
            while (await chunks.ReadAsync(Cancel) is { } chunk)
            {
                chunk.Dispose();
            }
        });
        Assert.Contains("were not read", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_fails_later_gives_its_rows_and_then_the_error()
    {
        await using var chunks = await executor.StreamAsync(
            gate.Parse("SELECT CASE WHEN i = 5000000 THEN error('late') ELSE i END FROM range(10000000) t(i)"), [], Cancel);
        var rows = 0;
        var failure = await Assert.ThrowsAsync<SqlException>(async () =>
        {
            while (await chunks.ReadAsync(Cancel) is { } chunk)
            {
                rows += chunk.RowCount;
                chunk.Dispose();
            }
        });
        Assert.Contains("late", failure.Message, StringComparison.Ordinal);
        Assert.NotEqual(0, rows);
    }
}
