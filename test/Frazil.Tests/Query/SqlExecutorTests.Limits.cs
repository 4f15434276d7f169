using Frazil.Query;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Query;

/// <summary>What a query may take: time, rows, bytes, and the patience of its caller.</summary>
public sealed partial class SqlExecutorTests
{
    [Fact]
    public async Task A_query_that_takes_too_long_says_so_and_the_next_one_runs()
    {
        var failure = await Assert.ThrowsAsync<SqlException>(() => executor.ExecuteAsync(
            gate.Parse("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1"), [],
            TimeSpan.FromMilliseconds(50)));
        Assert.Contains("did not finish within 50 ms", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("SELECT 1")).Rows[0][0]);
    }

    [Fact]
    public async Task A_query_that_cannot_be_interrupted_holds_neither_its_caller_nor_a_stop()
    {
        // Backtracks for half a minute without looking up.
        const string Endless = "SELECT repeat('a', 60) GLOB '*a*a*a*a*a*a*a*b' FROM range(1)";
        await using var patient = new SqlExecutor(new SqlExecutorOptions { Directories = [folder], InterruptGrace = TimeSpan.FromMilliseconds(50) });
        var pin = new ArrowValues();
        var table = Table("a", "t", Numbers) with { HotSlices = [pin.Slice(Numbers, [1L], ["x"])], HotPin = pin };

        // Long enough to be in the middle of it on a busy machine too: what comes before it can be interrupted.
        var failure = await Assert.ThrowsAsync<SqlException>(() => patient.ExecuteAsync(gate.Parse(Endless), [table], TimeSpan.FromSeconds(3)));

        Assert.Contains("did not finish within 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("could not be interrupted", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, patient.StuckQueries);
        Assert.False(pin.IsDisposed); // it may still read them
        Assert.Equal(1, (await patient.ExecuteAsync(gate.Parse("SELECT 1"), [], Long)).Rows[0][0]);
        await patient.DisposeAsync();
        Assert.Equal(1, patient.StuckQueries);
    }

    /// <summary>In a worker the kernel keeps the limit as well.</summary>
    [Fact]
    public async Task A_query_in_the_process_may_spill_so_much_and_no_more()
    {
        const string Sorted = "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY md5(i::VARCHAR)) n FROM range(2000000) t(i)) WHERE n = 5";
        var spill = Path.Combine(folder, "spill");
        var options = new SqlExecutorOptions { Directories = [folder], SpillDirectory = spill, MemoryLimitMb = 64, Threads = 1 };
        await using (var enough = new SqlExecutor(options))
        {
            Assert.Equal(1L, (await enough.ExecuteAsync(gate.Parse(Sorted), [], Long)).Rows[0][0]);
        }
        await using var small = new SqlExecutor(options with { MaxSpillMb = 4 });

        var failure = await Assert.ThrowsAsync<SqlException>(() => small.ExecuteAsync(gate.Parse(Sorted), [], Long));

        Assert.Contains("max_temp_directory_size", failure.Message, StringComparison.Ordinal);
        var left = Directory.EnumerateFiles(spill, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
        Assert.True(left <= 4 << 20, $"{left} bytes");
        Assert.Equal(1, (await small.ExecuteAsync(gate.Parse("SELECT 1"), [], Long)).Rows[0][0]);
    }

    [Fact]
    public async Task A_cancelled_query_throws_for_the_callers_token()
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => executor.ExecuteAsync(
            gate.Parse("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1"), [], Long,
            cancel.Token));
        Assert.Equal(cancel.Token, failure.CancellationToken);
    }

    [Fact]
    public async Task A_result_with_too_many_rows_is_refused()
    {
        var failure = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT * FROM range(1000000)"));
        Assert.Contains("more than 50000 rows", failure.Message, StringComparison.Ordinal);
        Assert.Equal(50_000, (await RunAsync("SELECT * FROM range(50000)")).Rows.Count);
    }

    [Theory]
    [InlineData("SELECT repeat('x', 100000) || i FROM range(60) t(i)")]
    [InlineData("SELECT repeat('x', 100000)::BLOB FROM range(60)")]
    [InlineData("SELECT {'a': [repeat('x', 100000)], 'b': i} FROM range(60) t(i)")]
    [InlineData("SELECT range(1000000)")]
    [InlineData("SELECT [NULL FOR x IN range(1000000)]")]
    [InlineData("SELECT i, i, i, i, i, i, i, i FROM range(49000) t(i)")]
    public async Task A_result_with_too_many_bytes_is_refused_and_the_next_one_is_read(string sql)
    {
        await using var small = new SqlExecutor(Isolation.Apply(new() { Directories = [folder], MaxResultBytes = 5_000_000 }));
        var failure = await Assert.ThrowsAsync<SqlException>(() => small.ExecuteAsync(gate.Parse(sql), [], Long));
        Assert.Contains("more than 5000000 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Add a LIMIT", failure.Message, StringComparison.Ordinal);
        var fits = await small.ExecuteAsync(gate.Parse("SELECT repeat('x', 100000) || i FROM range(40) t(i)"), [], Long);
        Assert.Equal(40, fits.Rows.Count);
    }
}
