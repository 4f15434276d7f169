using System.Text.Json;
using Frazil.DuckDb;
using Frazil.Server.Output;
using Xunit;

namespace Frazil.Tests.DuckDb;

public sealed class ChunkFrameTests : IDisposable
{
    private const long Much = 1 << 30;

    // Every type that DuckDB has, its least and greatest value and null; the one that no result can hold is left out.
    private const string AllTypes = "SELECT * EXCLUDE (bignum) FROM test_all_types()";

    private readonly DuckDbInstance duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });

    public void Dispose() => duck.Dispose();

    [Theory]
    [InlineData(AllTypes)]
    [InlineData("SELECT a.* EXCLUDE (bignum), i FROM test_all_types() a, range(700) t(i) WHERE hash(i) % 3 = 0")]
    [InlineData("SELECT [x, NULL, x || 'long enough not to be inline'] AS l FROM range(3000) t(i), (SELECT i::VARCHAR) u(x) WHERE i % 7 <> 0")]
    [InlineData("SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE {'a': [i], 'm': MAP {'k': [{'t': repeat('x', i::INT % 40)}]}} END AS s FROM range(5000) t(i) WHERE i % 2 = 1")]
    [InlineData("SELECT CASE WHEN i % 5 = 0 THEN NULL ELSE [[i, NULL], NULL, []] END AS l, (CASE WHEN i % 2 = 0 THEN NULL ELSE [i::VARCHAR, NULL] END)::VARCHAR[2] AS a FROM range(5000) t(i)")]
    [InlineData("SELECT union_value(n := i) AS u, NULL AS nothing, [] AS empty FROM range(3000) t(i)")]
    public void What_is_read_of_a_frame_is_what_is_read_of_DuckDB(string sql)
    {
        using var connection = duck.Connect();
        using var result = connection.Query(sql);
        var chunks = 0;
        while (result.NextChunk() is { } chunk)
        {
            using (chunk)
            using (var copy = new DuckDbChunk(result.Columns, ChunkFrame.Copy(chunk, Much)))
            {
                Assert.Equal(Text(chunk), Text(copy));
                // Copied once more: what was compacted is whole.
                using var again = new DuckDbChunk(result.Columns, ChunkFrame.Copy(copy, Much));
                Assert.Equal(Text(chunk), Text(again));
            }
            chunks++;
        }
        Assert.NotEqual(0, chunks);
    }

    [Fact]
    public void A_chunk_that_needs_more_than_allowed_is_refused_before_its_memory_is_taken()
    {
        using var connection = duck.Connect();
        foreach (var sql in new[] { "SELECT repeat('x', 100000) FROM range(100)", "SELECT range(1000000)", "SELECT [NULL FOR x IN range(1000000)]" })
        {
            using var result = connection.Query(sql);
            using var chunk = result.NextChunk()!;
            Assert.Throws<ValueBudgetException>(() => ChunkFrame.Copy(chunk, 5_000_000));
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 8), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public unsafe void A_damaged_frame_is_refused_or_read_but_never_read_beyond(int seed)
    {
        var random = new Random(seed);
        using var connection = duck.Connect();
        using var result = connection.Query(AllTypes);
        using var chunk = result.NextChunk()!;
        for (var round = 0; round < 400; round++)
        {
            var frame = ChunkFrame.Copy(chunk, Much);
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                frame.Memory[random.NextInt64(frame.Bytes)] = (byte)random.Next(256);
            }
            try
            {
                using var damaged = new DuckDbChunk(result.Columns, frame);
                _ = Text(damaged);
            }
            catch (Exception failure) when (failure is DuckDbException or ArgumentException or OverflowException)
            {
                frame.Dispose();
            }
        }
    }

    [Theory]
    [InlineData("SELECT 'a text of more than twelve ' || i FROM range(2) t(i)", 56, 0)] // the second text lies where the first one does
    [InlineData("SELECT [i, i] FROM range(2) t(i)", 48, 0)] // so does the second list
    [InlineData("SELECT ['a', 'b'] FROM range(2) t(i)", 64, 1L << 60)] // so many elements that counting their bytes begins at zero again
    [InlineData("SELECT {'a': NULL} FROM range(2) t(i)", 0, 1L << 40)]
    public unsafe void A_few_bytes_never_stand_for_more_values_than_they_hold(string sql, int at, long value)
    {
        using var connection = duck.Connect();
        using var result = connection.Query(sql);
        using var chunk = result.NextChunk()!;
        using var frame = ChunkFrame.Copy(chunk, Much);
        *(long*)(frame.Memory + at) = value;
        var refused = Assert.Throws<DuckDbException>(() => new DuckDbChunk(result.Columns, frame));
        Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interval_of_the_greatest_negative_number_of_days_is_text()
    {
        using var connection = duck.Connect();
        using var result = connection.Query("SELECT to_days(-2147483648), to_months(-2147483648), to_microseconds(-9223372036854775808), '23:00:00'::TIME - INTERVAL 25 HOUR");
        using var chunk = result.NextChunk()!;
        Assert.StartsWith("""["-2147483648 days","-178956970 years -8 months",""", Text(chunk), StringComparison.Ordinal);
    }

    private static string Text(DuckDbChunk chunk)
    {
        var rows = new List<object?[]>();
        chunk.ReadRows(rows, new ValueBudget(Much));
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            rows.ForEach(row => SqlJson.WriteRow(json, row));
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
