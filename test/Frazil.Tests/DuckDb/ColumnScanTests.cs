using Frazil.Columnar;
using Frazil.DuckDb;
using Xunit;

namespace Frazil.Tests.DuckDb;

public sealed class ColumnScanTests : IDisposable
{
    private static readonly ColumnFields OneLong = new([new ColumnField("n", ColumnType.Int64, 1)]);
    private readonly DuckDbInstance duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "4" });
    private readonly ArrowValues memory = new();

    public void Dispose()
    {
        duck.Dispose();
        memory.Dispose();
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_columns_read_by_SQL_are_what_was_stored(int seed)
    {
        var random = new RandomColumns(seed);
        var fields = random.Fields(random.Random.Next(1, 6));
        var slices = new List<BatchSlice>();
        var expected = new List<string[]>();
        for (var batch = random.Random.Next(1, 4); batch > 0; batch--)
        {
            var source = Older(fields, random.Random);
            var count = random.Random.Next(1, 5000);
            var columns = source.Select(field => random.Values(field.Type, count)).ToArray();
            var slice = Cut(memory.Slice(source, columns), random.Random);
            slices.Add(slice);
            for (var row = 0L; row < slice.Count; row++)
            {
                var at = slice.Selection is { } selection ? selection[row] : (int)(slice.Start + row);
                expected.Add([.. fields.Select(field => Expected(field, source, columns, at))]);
            }
        }
        using var slot = duck.Scans.Open(new ColumnScan(fields, slices, keepOrder: true));
        using var connection = duck.Connect();
        using var result = connection.Query($"SELECT * FROM frazil_scan({slot.Handle})");
        var rows = result.ReadRows();
        Assert.Equal(expected.Count, rows.Count);
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < fields.Count; column++)
            {
                var actual = RandomColumns.Canonical(rows[row][column]);
                Assert.True(
                    expected[row][column] == actual,
                    $"seed {seed}, row {row}, {fields[column]}: {expected[row][column]} was read as {actual}");
            }
        }
    }

    private static string Expected(ColumnField field, ColumnFields source, List<object?>[] columns, int row)
    {
        var at = source.IndexOfId(field.FieldId);
        return at < 0 ? "null" : RandomColumns.Expected(field.Type, source[at].Type, columns[at][row]);
    }

    /// <summary>The schema of an older chunk: columns in another order, some missing or narrower, and one that is gone since.</summary>
    private static ColumnFields Older(ColumnFields fields, Random random)
    {
        var older = fields.Where(_ => random.Next(5) > 0).Select(field => field with { Type = Older(field.Type, random) })
            .Append(new ColumnField("gone", ColumnType.Utf8, 100_000)).ToArray();
        random.Shuffle(older);
        return new ColumnFields(older);
    }

    private static ColumnType Older(ColumnType type, Random random) => type.Kind switch
    {
        ColumnKind.Int64 when random.Next(2) == 0 => ColumnType.Int32,
        ColumnKind.Float64 when random.Next(2) == 0 => ColumnType.Float32,
        ColumnKind.Decimal128 when type.Precision > type.Scale + 1
            && random.Next(2) == 0 => ColumnType.Decimal128(type.Precision - 1, type.Scale),
        ColumnKind.Struct => ColumnType.Struct([.. Older(type.Fields, random)]),
        ColumnKind.List => ColumnType.List(type.Fields[0] with { Type = Older(type.Fields[0].Type, random) }),
        _ => type,
    };

    private static BatchSlice Cut(BatchSlice whole, Random random)
    {
        var start = random.Next((int)whole.Count);
        var count = random.Next((int)whole.Count - start + 1);
        var selection = random.Next(2) == 0 ? null : Enumerable.Range(0, count).Select(_ => random.Next((int)whole.Count)).ToArray();
        return new BatchSlice { Schema = whole.Schema, Columns = whole.Columns, Start = start, Count = count, Selection = selection };
    }

    [Fact]
    public void Several_threads_read_every_row_once()
    {
        var slices = Enumerable.Range(0, 30)
            .Select(batch => memory.Slice(OneLong, [.. Enumerable.Range(0, 9000).Select(row => (object?)(batch * 9000L + row))])).ToList();
        slices.Insert(3, memory.Slice(OneLong, new List<object?>()));
        using var slot = duck.Scans.Open(new ColumnScan(OneLong, slices));
        using var connection = duck.Connect();
        using var result = connection.Query(
            $"SELECT count(*), count(DISTINCT n), sum(n)::BIGINT, min(n), max(n) FROM frazil_scan({slot.Handle})");
        Assert.Equal([270_000L, 270_000L, 270_000L * 269_999 / 2, 0L, 269_999L], Assert.Single(result.ReadRows()));
    }

    [Fact]
    public void Counting_rows_needs_no_column()
    {
        using var slot = duck.Scans.Open(
            new ColumnScan(OneLong, [memory.Slice(OneLong, [.. Enumerable.Range(0, 5000).Select(row => (object?)(long)row)])]));
        using var connection = duck.Connect();
        using var result = connection.Query($"SELECT count(*) FROM frazil_scan({slot.Handle})");
        Assert.Equal([5000L], Assert.Single(result.ReadRows()));
    }

    [Fact]
    public void A_scan_is_pinned_until_its_slot_and_every_statement_on_it_are_gone()
    {
        var pin = new ArrowValues();
        var slot = duck.Scans.Open(new ColumnScan(OneLong, [pin.Slice(OneLong, [1L, 2L])], pin));
        using var connection = duck.Connect();
        using (var result = connection.Stream($"SELECT n FROM frazil_scan({slot.Handle})"))
        {
            slot.Dispose();
            Assert.False(pin.IsDisposed);
            Assert.Equal(2, result.ReadRows().Count);
            Assert.False(pin.IsDisposed);
        }
        Assert.True(pin.IsDisposed);
        var failure = Assert.Throws<DuckDbException>(() => connection.Query($"SELECT n FROM frazil_scan({slot.Handle})"));
        Assert.Contains("no rows are offered", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_swapped_slot_shows_its_new_rows_to_a_view_that_names_it()
    {
        var first = new ArrowValues();
        using var slot = duck.Scans.Open(new ColumnScan(OneLong, [first.Slice(OneLong, [1L])], first));
        using var connection = duck.Connect();
        connection.Execute($"CREATE VIEW v AS SELECT n FROM frazil_scan({slot.Handle})");
        using (var result = connection.Query("SELECT * FROM v"))
        {
            Assert.Equal([1L], Assert.Single(result.ReadRows()));
        }
        slot.Swap(new ColumnScan(OneLong, [memory.Slice(OneLong, [2L])]));
        Assert.True(first.IsDisposed);
        using (var result = connection.Query("SELECT * FROM v a JOIN v b USING (n)"))
        {
            Assert.Equal([2L], Assert.Single(result.ReadRows()));
        }
    }

    [Fact]
    public void A_column_of_another_type_is_refused_with_both_types_named()
    {
        var text = new ColumnFields([new ColumnField("n", ColumnType.Utf8, 1)]);
        using var slot = duck.Scans.Open(new ColumnScan(OneLong, [memory.Slice(text, ["x"])]));
        using var connection = duck.Connect();
        var failure = Assert.Throws<DuckDbException>(() => connection.Query($"SELECT n FROM frazil_scan({slot.Handle})"));
        Assert.Contains("'n' (field 1) of type utf8 cannot be read as int64", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_CTE_that_is_used_twice_reads_the_same_scan()
    {
        using var slot = duck.Scans.Open(new ColumnScan(OneLong, [memory.Slice(OneLong, [1L, 2L, 3L])]));
        using var connection = duck.Connect();
        var sql = $"WITH t AS (SELECT n FROM frazil_scan({slot.Handle})) SELECT a.n FROM t a JOIN t b ON a.n = b.n + 1 ORDER BY 1 LIMIT 10";
        foreach (var materialized in new[] { "AS (", "AS MATERIALIZED (", "AS NOT MATERIALIZED (" })
        {
            using var result = connection.Query(sql.Replace("AS (", materialized, StringComparison.Ordinal));
            Assert.Equal([2L, 3L], result.ReadRows().Select(row => (long)row[0]!));
        }
    }
}
