using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Query;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Query;

public sealed partial class SqlExecutorTests : IAsyncDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);
    private static readonly ColumnFields Numbers = new(
        [new ColumnField("n", ColumnType.Int64, 1), new ColumnField("t", ColumnType.Utf8, 2)]);

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-query-").FullName;
    private readonly ArrowValues memory = new();
    private readonly ParquetDataFileWriter writer = new();
    private readonly SqlGate gate = new();
    private readonly SqlExecutor executor;

    public SqlExecutorTests() => executor = new SqlExecutor(new SqlExecutorOptions { Directories = [folder], MaxResultRows = 50_000 });

    public async ValueTask DisposeAsync()
    {
        await executor.DisposeAsync();
        await writer.DisposeAsync();
        gate.Dispose();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(100, 10), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Hot_and_cold_rows_of_every_type_read_as_one_table(int seed)
    {
        var random = new RandomColumns(seed);
        var fields = new ColumnFields(
            random.Fields(5).Where(field => !HoldsFixed(field.Type)).Append(new ColumnField("place", ColumnType.Int32, 9999)));
        var columns = fields.Select(field => random.Values(field.Type, 3000)).ToArray();
        columns[^1] = [.. Enumerable.Range(0, 3000).Select(row => (object?)row)];
        var whole = memory.Slice(fields, columns);
        var cold = await WriteAsync(fields, Part(whole, 0, 1500));
        var table = Table("shop", "events", fields) with { HotSlices = [Part(whole, 1500, 1500)], ColdFiles = [cold] };

        var result = await RunAsync("SELECT * FROM shop.events ORDER BY place", table);

        Assert.Equal(3000, result.Rows.Count);
        for (var row = 0; row < 3000; row++)
        {
            for (var column = 0; column < fields.Count; column++)
            {
                var expected = RandomColumns.Expected(fields[column].Type, fields[column].Type, columns[column][row]);
                var actual = RandomColumns.Canonical(result.Rows[row][column]);
                Assert.True(expected == actual, $"seed {seed}, row {row}, {fields[column]}: {expected} was read as {actual}");
            }
        }
    }

    private static bool HoldsFixed(ColumnType type)
        => type.Kind == ColumnKind.FixedBinary || type.Fields.Any(field => HoldsFixed(field.Type));

    private static BatchSlice Part(BatchSlice whole, long start, long count) =>
        new() { Schema = whole.Schema, Columns = whole.Columns, Start = start, Count = count };

    [Fact]
    public async Task Counts_are_right_with_and_without_a_filter_and_where_one_side_is_empty()
    {
        var hot = Rows(0, 1000);
        var cold = await WriteAsync(Numbers, Rows(1000, 500));
        foreach (var (slices, files, expected) in new (BatchSlice[], DataFileInput[], long)[] { ([hot], [cold], 1500), ([hot], [], 1000), ([], [cold], 500), ([], [], 0) })
        {
            var table = Table("shop", "t", Numbers) with { HotSlices = slices, ColdFiles = files };
            Assert.Equal(expected, (await RunAsync("SELECT count(*) FROM shop.t", table)).Rows[0][0]);
            Assert.Equal(expected, (await RunAsync("SELECT count(*) AS c, 1 FROM t", table)).Rows[0][0]);
            Assert.Equal(expected, (await RunAsync("SELECT count(n) FROM t WHERE n >= 0", table)).Rows[0][0]);
            Assert.Equal(expected / 500 * 250, (await RunAsync("SELECT count(*) FROM shop.t WHERE n % 2 = 0", table)).Rows[0][0]);
        }
        Assert.Equal("rows", (await RunAsync("SELECT count(*) AS rows FROM t", Table("shop", "t", Numbers))).Columns[0].Name);
        Assert.Equal("count_star()", (await RunAsync("SELECT count(*) FROM t", Table("shop", "t", Numbers))).Columns[0].Name);
    }

    [Fact]
    public async Task A_file_without_field_ids_is_refused_and_not_read_as_nulls()
    {
        var path = Path.Combine(folder, "foreign.parquet");
        using (var duck = DuckDbInstance.Open(new Dictionary<string, string>()))
        using (var connection = duck.Connect())
        {
            connection.Execute($"COPY (SELECT 7::BIGINT AS n, 'x' AS t) TO {SqlText.Literal(path)} (FORMAT parquet)");
        }
        var table = Table("shop", "t", Numbers) with { ColdFiles = [new DataFileInput(path, 1), await WriteAsync(Numbers, Rows(0, 10))] };

        var refused = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT n, t FROM t", table));

        Assert.Contains($"{path} has no field ids", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bare_name_works_where_it_is_the_only_one_and_is_refused_where_not()
    {
        var one = Table("a", "t", Numbers) with { HotSlices = [Rows(1, 1)] };
        var two = Table("b", "t", Numbers) with { HotSlices = [Rows(2, 1)] };
        Assert.Equal(1L, (await RunAsync("SELECT n FROM T", one)).Rows[0][0]);
        Assert.Equal(2L, (await RunAsync("SELECT n FROM t", two)).Rows[0][0]);
        Assert.Equal(3L, (await RunAsync("SELECT (a.t.n + b.t.n)::BIGINT FROM a.t, B.T", one, two)).Rows[0][0]);
        var ambiguous = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT n FROM t", one, two));
        Assert.Equal((14, true), (ambiguous.Position!.Value, ambiguous.Message.Contains("a.t, b.t", StringComparison.Ordinal)));
        var unknown = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT n FROM a.nothing", one));
        Assert.Equal((14, true), (unknown.Position!.Value, unknown.Message.Contains("There is: a.t", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_table_that_an_earlier_query_brought_is_not_there_for_a_later_one()
    {
        await RunAsync("SELECT * FROM a.t", Table("a", "t", Numbers) with { HotSlices = [Rows(1, 1)] });
        await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT * FROM a.t"));
    }

    [Fact]
    public async Task A_table_without_columns_counts_no_rows_and_says_that_it_has_nothing_to_select()
    {
        var table = Table("a", "t", ColumnFields.Empty);
        Assert.Equal(0L, (await RunAsync("SELECT count(*) FROM t", table)).Rows[0][0]);
        var failure = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT * FROM t", table));
        Assert.Contains("a.t has no columns yet", failure.Message, StringComparison.Ordinal);
        Assert.Single((await RunAsync("SELECT * FROM t", Table("a", "t", Numbers) with { HotSlices = [Rows(1, 1)] })).Rows);
    }

    [Fact]
    public async Task Errors_of_a_query_give_their_position_in_characters()
    {
        var failure = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT 'é😀', nope FROM t", Table("a", "t", Numbers)));
        Assert.Equal(14, failure.Position);
        Assert.Contains("nope", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("SELECT 1")).Rows[0][0]);
    }

    [Fact]
    public async Task Pins_are_released_however_the_query_ends()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        foreach (var (sql, timeout, token) in new (string, TimeSpan, CancellationToken)[]
        {
            ("SELECT * FROM t", Long, default),
            ("SELECT count(*) FROM t", Long, default),
            ("SELECT nope FROM t", Long, default),
            ("SELECT * FROM missing", Long, default),
            ("SELECT 1", Long, default),
            ("SELECT error(t) FROM t", Long, default),
            ("SELECT * FROM t", Long, cancelled.Token),
            ("SELECT sum(hash(a.range, b.range, n)) FROM t, range(1000000) a, range(1000000) b", TimeSpan.FromMilliseconds(100), default),
        })
        {
            var pin = new ArrowValues();
            var slice = pin.Slice(Numbers, [1L], ["x"]);
            var failure = await Record.ExceptionAsync(() => executor.ExecuteAsync(
                gate.Parse(sql), [Table("a", "t", Numbers) with { HotSlices = [slice], HotPin = pin }], timeout, token));
            Assert.True(failure is null or SqlException or OperationCanceledException, $"{sql}: {failure}");
            Assert.True(pin.IsDisposed, sql);
        }
    }

    [Fact]
    public async Task Files_of_older_schemas_read_under_the_current_one()
    {
        var old = new ColumnFields([new ColumnField("gone", ColumnType.Utf8, 1), new ColumnField("id", ColumnType.Int32, 2), new ColumnField("f", ColumnType.Float32, 3)]);
        var now = new ColumnFields([new ColumnField("added", ColumnType.Utf8, 9), new ColumnField("user_id", ColumnType.Int64, 2), new ColumnField("f", ColumnType.Float64, 3), new ColumnField("id", ColumnType.Utf8, 10)]);
        var oldFile = await WriteAsync(old, memory.Slice(old, ["x"], [1], [0.5f]));
        var nowFile = await WriteAsync(now, memory.Slice(now, ["y"], [2L], [1.5], ["text"]));
        var table = Table("a", "t", now) with
        {
            ColdFiles = [oldFile, nowFile],
            HotSlices = [memory.Slice(old, ["z"], [3], [2.5f])],
        };
        var result = await RunAsync("SELECT added, user_id, f, id FROM t ORDER BY user_id", table);
        Assert.Equal(["null 1 3fe0000000000000 null", "y 2 3ff8000000000000 text", "null 3 4004000000000000 null"], Lines(result));
    }

    [Fact]
    public async Task A_lone_file_of_narrower_types_reads_as_the_tables_types()
    {
        var old = new ColumnFields([new ColumnField("a", ColumnType.Int32, 1), new ColumnField("d", ColumnType.Decimal128(4, 2), 2), new ColumnField("s", ColumnType.Struct(new ColumnField("x", ColumnType.Float32, 4)), 3)]);
        var now = new ColumnFields([new ColumnField("a", ColumnType.Int64, 1), new ColumnField("d", ColumnType.Decimal128(20, 2), 2), new ColumnField("s", ColumnType.Struct(new ColumnField("x", ColumnType.Float64, 4), new ColumnField("y", ColumnType.Utf8, 5)), 3)]);
        var file = await WriteAsync(old, memory.Slice(old, [1], [new System.Numerics.BigInteger(150)], [new object?[] { 0.5f }]));
        var result = await RunAsync("SELECT * FROM t", Table("a", "t", now) with { ColdFiles = [file] });
        Assert.Equal(["BIGINT", "DECIMAL(20,2)", "STRUCT(x DOUBLE, y VARCHAR)"], result.Columns.Select(column => column.Type));
        Assert.Equal(["1 1.50 {x:3fe0000000000000,y:null}"], Lines(result));
    }

    [Fact]
    public async Task Folder_names_do_not_become_columns()
    {
        var path = Path.Combine(folder, "n=7", "t=other", "f.parquet");
        var written = await writer.WriteAsync(new DataFileRequest { Store = new LocalFileIO(), Location = path, Schema = Numbers, Slices = [Rows(1, 1)] });
        var result = await RunAsync("SELECT * FROM t", Table("a", "t", Numbers) with { ColdFiles = [new DataFileInput(written.Location, 1)] });
        Assert.Equal(["1 text 1"], Lines(result));
    }

    [Fact]
    public async Task A_dropped_column_of_the_same_name_is_not_taken_for_the_new_one()
    {
        var old = new ColumnFields([new ColumnField("N", ColumnType.Int64, 5), new ColumnField("t", ColumnType.Utf8, 2)]);
        var file = await WriteAsync(old, memory.Slice(old, [1L], ["kept"]));
        Assert.Equal(["null kept"], Lines(await RunAsync("SELECT n, t FROM t", Table("a", "t", Numbers) with { ColdFiles = [file] })));
    }

    [Fact]
    public async Task Fields_inside_structs_are_matched_by_id_after_renames_and_replacements()
    {
        static ColumnFields Schema(string a, int aId, string b) => new(
        [
            new ColumnField("s", ColumnType.Struct(new ColumnField(a, ColumnType.Int32, aId), new ColumnField(b, ColumnType.Utf8, 3)), 1),
            new ColumnField(
                "l",
                ColumnType.List(
                    new ColumnField(
                        "element",
                        ColumnType.Struct(new ColumnField(a, ColumnType.Int32, aId + 10), new ColumnField(b, ColumnType.Utf8, 13)), 11)),
                10),
            new ColumnField(
                "m",
                ColumnType.Map(
                    new ColumnField("key", ColumnType.Utf8, 21, false),
                    new ColumnField(
                        "value", ColumnType.Struct(new ColumnField(a, ColumnType.Int32, aId + 30), new ColumnField(b, ColumnType.Utf8, 23)),
                        22)),
                20),
        ]);
        var old = Schema("x", 2, "y");
        var now = Schema("x", 4, "z");
        object?[] item = [1, "old"];
        var rows = memory.Slice(
            old, [item, null], [new object?[] { item, null }, null],
            [new KeyValuePair<object, object?>[] { new("k", item), new("n", null) }, null]);
        var table = Table("a", "t", now) with { ColdFiles = [await WriteAsync(old, rows)] };
        string[] expected = ["{x:null,z:old} [{x:null,z:old},null] <k:{x:null,z:old},n:null>", "null null null"];
        Assert.Equal(expected, Lines(await RunAsync("SELECT s, l, m FROM t ORDER BY s IS NULL", table)));
        var both = table with { HotSlices = [rows], ColdFiles = [.. table.ColdFiles, await WriteAsync(now, rows)] };
        Assert.Equal(
            [.. Enumerable.Repeat(expected[0], 3), .. Enumerable.Repeat(expected[1], 3)],
            Lines(await RunAsync("SELECT s, l, m FROM t ORDER BY s IS NULL", both)));
    }

    [Fact]
    public async Task Queries_at_the_same_time_each_see_their_own_rows()
    {
        var file = await WriteAsync(Numbers, Rows(0, 10));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            for (var round = 0; round < 40; round++)
            {
                var own = new ArrowValues();
                var mark = (worker * 1000L) + round;
                var table = Table("a", "t", Numbers) with
                {
                    HotSlices = [own.Slice(Numbers, [mark], ["own text that is longer than twelve"])],
                    HotPin = own,
                    ColdFiles = round % 2 == 0 ? [file] : [],
                };
                var result = await RunAsync("SELECT max(n), count(n), max(t) FROM t WHERE n = (SELECT max(n) FROM a.t)", table);
                Assert.Equal($"{Math.Max(mark, round % 2 == 0 ? 9 : 0)} 1", string.Join(' ', result.Rows[0].Take(2)));
            }
        }));
    }

    [Fact]
    public async Task Counts_never_dip_while_a_chunk_is_appended_to()
    {
        var account = new MemoryAccount();
        var chunk = new ColumnChunk(Numbers, 16, account);
        var isDone = false;
        var appending = Task.Run(() =>
        {
            for (var row = 0; row < 200_000; row++)
            {
                chunk.Column<FixedWriter<long>>(0).Append(row);
                chunk.Column<BytesWriter>(1).Append("a text of more than twelve bytes"u8);
                chunk.EndRow();
                if (row % 50 == 49)
                {
                    chunk.Publish();
                }
            }
            Volatile.Write(ref isDone, true);
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var last = 0L;
            while (true)
            {
                var isLast = Volatile.Read(ref isDone);
                Assert.True(chunk.TryPin());
                var views = chunk.TakeViews(out var count);
                var table = Table("a", "t", Numbers) with
                {
                    HotSlices = [new BatchSlice { Schema = Numbers, Columns = views, Count = count }],
                    HotPin = new Unpin(chunk),
                };
                var row = (await RunAsync("SELECT count(n), coalesce(sum(n), 0)::BIGINT, count(DISTINCT t) FROM t", table)).Rows[0];
                Assert.Equal(count, (int)(long)row[0]!);
                Assert.Equal((long)count * (count - 1) / 2, row[1]);
                Assert.True((long)row[2]! <= 1 && count >= last);
                last = count;
                if (isLast)
                {
                    return;
                }
            }
        }));
        await appending;
        chunk.Unpin();
        Assert.Equal(0, account.Bytes);
    }

    [Fact]
    public void Even_SQL_that_got_past_the_gate_reads_no_file_outside_the_directories()
    {
        var host = new ExecutorHost(new SqlExecutorOptions { Directories = [folder] });
        var rows = new ResultBuffer(new ResultMemory(total: 1 << 20, perResult: 1 << 20, TimeSpan.FromMinutes(1)), TimeProvider.System);
        using (var lease = host.TryTake()!)
        {
            foreach (var sql in new[]
            {
                "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "ATTACH '/tmp/frazil-x.db'", "INSTALL httpfs",
                "LOAD httpfs",
                "COPY (SELECT 1) TO '/tmp/frazil-x.csv'", "SET threads = 1", "SET GLOBAL enable_external_access = true",
                "RESET lock_configuration",
            })
            {
                var forged = new GatedSql(sql, []);
                Assert.Throws<DuckDbException>(() => lease.Session.Run(forged, [], new TablePins([]), rows, 1 << 20, default));
            }
        }
        host.Retire();
    }

    private sealed class Unpin(ColumnChunk chunk) : IDisposable
    {
        public void Dispose() => chunk.Unpin();
    }

    private static IEnumerable<string> Lines(SqlRows result)
        => result.Rows.Select(row => string.Join(' ', row.Select(RandomColumns.Canonical)));

    private static TableInput Table(string tableNamespace, string name, ColumnFields schema)
        => new() { Namespace = tableNamespace, Name = name, Schema = schema };

    private Task<SqlRows> RunAsync(string sql, params TableInput[] tables) => executor.ExecuteAsync(gate.Parse(sql), tables, Long);

    private BatchSlice Rows(int first, int count) => memory.Slice(
        Numbers, [.. Enumerable.Range(first, count).Select(n => (object?)(long)n)],
        [.. Enumerable.Range(first, count).Select(n => (object?)$"text {n}")]);

    private async Task<DataFileInput> WriteAsync(ColumnFields schema, params BatchSlice[] slices)
    {
        var written = await writer.WriteAsync(
            new DataFileRequest { Store = new LocalFileIO(), Location = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet"), Schema = schema, Slices = slices });
        return new DataFileInput(written.Location, written.RecordCount);
    }
}
