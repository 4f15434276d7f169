using System.Globalization;
using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Iceberg;
using Frazil.Query;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Cold;

/// <summary>What SQL reads of data files that are older than the table's schema, or written by others.</summary>
public sealed class ColdReadingTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-cold-").FullName;
    private readonly ArrowValues memory = new();
    private readonly ParquetDataFileWriter writer = new();
    private readonly SqlGate gate = new();
    private readonly SqlExecutor executor;

    public ColdReadingTests() => executor = new SqlExecutor(new SqlExecutorOptions { Directories = [folder] });

    public async ValueTask DisposeAsync()
    {
        await executor.DisposeAsync();
        await writer.DisposeAsync();
        gate.Dispose();
        memory.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_struct_of_which_every_field_was_replaced_is_there_where_it_was_there()
    {
        var old = Fields(
            Struct("s", 1, Leaf("x", 2), Leaf("y", 3, ColumnType.Utf8)),
            List("l", 10, 11, ColumnType.Struct(Leaf("x", 12))),
            Map("m", 20, 21, 22, ColumnType.Struct(Leaf("x", 23))),
            Struct("d", 30, Struct("in", 31, List("deep", 32, 33, ColumnType.Int32))));
        var now = Fields(
            Struct("s", 1, Leaf("r", 5), Leaf("p", 6)),
            List("l", 10, 11, ColumnType.Struct(Leaf("r", 13))),
            Map("m", 20, 21, 22, ColumnType.Struct(Leaf("x", 24))),
            Struct("d", 30, Struct("other", 34, Leaf("r", 35))));
        object?[] item = [7];
        var file = await WriteAsync(old, memory.Slice(
            old, [new object?[] { 1, "a" }, null, new object?[] { null, null }], [new object?[] { item, null }, null, Array.Empty<object?>()],
            [new KeyValuePair<object, object?>[] { new("k", item), new("n", null) }, null, Array.Empty<KeyValuePair<object, object?>>()],
            [new object?[] { new object?[] { new object?[] { 1 } } }, null, new object?[] { null }]));
        var table = Table(now) with { ColdFiles = [file] };

        Assert.Equal(
            [
                "{r:null,p:null} [{r:null},null] <k:{x:null},n:null> {other:null}",
                "null null null null",
                "{r:null,p:null} [] <> {other:null}",
            ],
            await LinesAsync("SELECT * FROM t", table));
        Assert.Equal(["2"], await LinesAsync("SELECT count(*) FROM t WHERE s IS NOT NULL", table));
    }

    [Fact]
    public async Task Nested_fields_are_found_by_the_files_own_ids_although_no_schema_tells_of_the_rename()
    {
        // What a table looks like whose metadata another engine has cleaned: only the newest schema is left.
        var old = Fields(
            Struct("s", 1, Leaf("a", 2), Leaf("b", 3)), List("l", 10, 11, ColumnType.Struct(Leaf("a", 12), Leaf("b", 13))),
            Map("m", 20, 21, 22, ColumnType.Struct(Leaf("a", 23), Leaf("b", 24))));
        var now = Fields(
            Struct("s", 1, Leaf("b", 2), Leaf("a", 4), Leaf("c", 3)), List("l", 10, 11, ColumnType.Struct(Leaf("b", 12), Leaf("a", 13))),
            Map("m", 20, 21, 22, ColumnType.Struct(Leaf("a", 25), Leaf("b", 23))));
        object?[] item = [1, 2];
        var rows = memory.Slice(old, [item], [new object?[] { item }], [new KeyValuePair<object, object?>[] { new("k", item) }]);

        var lines = await LinesAsync("SELECT * FROM t", Table(now) with { ColdFiles = [await WriteAsync(old, rows)], HotSlices = [rows] });

        Assert.Equal(Enumerable.Repeat("{b:1,a:null,c:2} [{b:1,a:2}] <k:{a:null,b:1}>", 2), lines);
    }

    [Fact]
    public async Task Rows_older_than_a_column_hold_its_initial_default_at_every_depth()
    {
        var old = Fields(
            Leaf("id", 1), Struct("s", 2, Leaf("x", 3)), List("l", 4, 5, ColumnType.Struct(Leaf("x", 6))),
            Map("m", 7, 8, 9, ColumnType.Struct(Leaf("x", 10))));
        var schema = new Schema(1,
        [
            new(1, "id", false, IcebergType.Int),
            new(2, "s", false, IcebergType.Struct([new(3, "x", false, IcebergType.Int), new(20, "y", false, IcebergType.String, null, "\"it's\"")])),
            new(4, "l", false, IcebergType.List(
                5, IcebergType.Struct([new(6, "x", false, IcebergType.Int), new(21, "y", false, IcebergType.Decimal(9, 2), null, "\"-1.50\"")]), false)),
            new(7, "m", false, IcebergType.Map(
                8, IcebergType.String, 9,
                IcebergType.Struct([new(22, "y", false, IcebergType.Date, null, "\"2020-02-29\"")]), false)),
            new(30, "b", false, IcebergType.Binary, null, "\"00ff\""),
            new(31, "t", true, IcebergType.TimestampTz, null, "\"2020-01-01T00:00:00+00:00\""),
            new(32, "u", false, IcebergType.Uuid, null, "\"f79c3e09-677c-4bbd-a479-3f349cb785e7\""),
            new(33, "n", false, IcebergType.Struct([new(34, "z", false, IcebergType.Long, null, "7"), new(35, "w", false, IcebergType.Boolean)]), null, "{}"),
            new(36, "q", false, IcebergType.List(37, IcebergType.Int, false), null, "[1,null]"),
            new(38, "absent", false, IcebergType.Struct([new(39, "z", false, IcebergType.Long, null, "7")])),
        ]);
        object?[] item = [1];
        var file = await WriteAsync(old, memory.Slice(
            old, [1, 2], [item, null], [new object?[] { item, null }, null], [new KeyValuePair<object, object?>[] { new("k", item) }, null]));
        var table = Table(Frazil.Hot.ColumnSchemas.FromIceberg(schema.Fields)) with { Defaults = ColumnDefaults.Of(schema), ColdFiles = [file] };
        const string Rest = "00FF 2020-01-01T00:00:00.000000+00:00 f79c3e09-677c-4bbd-a479-3f349cb785e7 {z:7,w:null} [1,null] null";

        Assert.Equal(
            [$"1 {{x:1,y:it's}} [{{x:1,y:-1.50}},null] <k:{{y:{Day(2020, 2, 29)}}}> {Rest}", $"2 null null null {Rest}"],
            await LinesAsync("SELECT * FROM t ORDER BY id", table));
        Assert.Equal(["2"], await LinesAsync("SELECT count(*) FROM t WHERE b = '\\x00\\xFF'::BLOB AND n.z = 7", table));
    }

    [Fact]
    public async Task A_default_that_is_no_value_of_its_column_is_refused_and_not_read_as_null()
    {
        var old = Fields(Leaf("id", 1));
        var schema = new Schema(1, [new(1, "id", false, IcebergType.Int), new(2, "d", false, IcebergType.Date, null, "\"x' OR 1=1\"")]);
        var file = await WriteAsync(old, memory.Slice(old, [1]));
        var table = Table(Frazil.Hot.ColumnSchemas.FromIceberg(schema.Fields)) with { Defaults = ColumnDefaults.Of(schema), ColdFiles = [file] };

        var refused = await Assert.ThrowsAsync<SqlException>(() => LinesAsync("SELECT d FROM t", table));

        Assert.Contains("is no value of", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_column_that_only_the_partition_holds_is_read_from_there()
    {
        var own = Fields(Leaf("id", 1));
        var schema = new Schema(0, [new(1, "id", false, IcebergType.Int), new(2, "city", false, IcebergType.String, null, "\"none\"")]);
        var metadata = TableMetadataBuilder.Create(
            schema, new PartitionSpec(0, [new(2, 1000, "city", Transform.Identity)]), SortOrder.Unsorted, "file:///nowhere",
            new Dictionary<string, string>(), TimeProvider.System);
        var written = await WriteAsync(own, memory.Slice(own, [1]));
        var file = SnapshotFiles.ToInput(
            new() { Path = "file:///nowhere/x", RecordCount = 1, FileSizeBytes = 1, SpecId = 0, Partition = new(IcebergValue.From("Sant'Ana")) },
            metadata, written.Path);
        var table = Table(Frazil.Hot.ColumnSchemas.FromIceberg(schema.Fields)) with { Defaults = ColumnDefaults.Of(schema), ColdFiles = [file, written] };

        Assert.Equal(["1 Sant'Ana", "1 none"], await LinesAsync("SELECT id, city FROM t ORDER BY city", table));
    }

    /// <summary>Values of a type, several of which are hard to compare.</summary>
    public static TheoryData<string, string[]> Compared => new()
    {
        { "BOOLEAN", ["true", "false"] },
        { "INTEGER", ["0", "-5", "2147483647"] },
        { "BIGINT", ["0", "-5", "9007199254740993"] },
        { "FLOAT", ["'-0.0'", "'0.0'", "'NaN'", "1.5", "1.1"] },
        { "DOUBLE", ["'-0.0'", "'0.0'", "'NaN'", "1.5", "1.1"] },
        { "DECIMAL(4,1)", ["0", "-5.5"] },
        { "DECIMAL(18,2)", ["0", "-5.5"] },
        { "DECIMAL(38,2)", ["0", "-5.5"] },
        { "DATE", ["'1969-12-31'", "'2020-01-01'"] },
        { "TIME", ["'00:00:00.000001'", "'10:00:00'"] },
        { "TIMESTAMP", ["'1969-12-31 23:59:59.9'", "'2020-01-01'"] },
        { "TIMESTAMPTZ", ["'1969-12-31 23:59:59.9+00'", "'2020-01-01 00:00:00+00'"] },
        { "VARCHAR", ["''", "'a'", "'é'", "'x\t\\x00'"] },
        { "BLOB", ["'\\x00\\x00\\x00\\x00\\x07'", "''", "'abc'", "'\\xFF'"] },
        { "UUID", ["'00000000-0000-0000-0000-000000000001'", "'ffffffff-0000-0000-0000-000000000001'"] },
    };

    [Theory]
    [MemberData(nameof(Compared))]
    public async Task Every_predicate_finds_the_same_rows_hot_and_cold(string type, string[] values)
    {
        // Each value in a file of its own and all of them in another, with DuckDB's Bloom filters and without.
        var column = new ColumnField("v", ColumnOf(type), 1);
        var fields = Fields(column, Struct("s", 2, column with { FieldId = 3 }));
        var all = string.Join(", ", values.Select(value => $"({value})::{type}"));
        var sources = values.Select(value => $"({value})::{type}").Append(all).ToList();
        foreach (var hasBloomFilters in new[] { false, true })
        {
            var files = sources.ConvertAll(source => WriteBySql($"SELECT v, {{'v': v}} AS s FROM (SELECT unnest([{source}]) AS v), range(30)",
                "v: 1, s: {__duckdb_field_id: 2, v: 3}", hasBloomFilters));
            var table = Table(fields) with { ColdFiles = files };
            foreach (var value in values.Select(value => $"({value})::{type}"))
            {
                foreach (var predicate in new[]
                {
                    $"v = {value}", $"{value} = v", $"v IN ({value})", $"v IN ({all})", $"v <> {value}", $"v >= {value}", $"v < {value}",
                    $"v IS NOT DISTINCT FROM {value}", $"s.v = {value}", $"s.v <= {value}", $"s = {{'v': {value}}}",
                    $"v = (SELECT {value})", $"v IN (SELECT {value})", $"s.v IN (SELECT {value})", $"v BETWEEN {value} AND {value}",
                })
                {
                    var expected = RunBySql($"SELECT count(*) FROM (SELECT v, {{'v': v}} AS s FROM (SELECT unnest([{all}, {all}]) AS v), range(30)) WHERE {predicate}");
                    var found = (await RunAsync($"SELECT count(*) + 0::BIGINT FROM t WHERE {predicate}", table)).Rows[0][0];
                    Assert.True(expected.Equals(found), $"{predicate} over {type} {(hasBloomFilters ? "with" : "without")} Bloom filters: {found} rows for {expected}");
                }
            }
        }
    }

    [Theory]
    [InlineData("INTEGER", "BIGINT", "7", "7", "7::BIGINT", "2147483655", "-1")]
    [InlineData("FLOAT", "DOUBLE", "1.1", "1.1::FLOAT::DOUBLE", "1.1", "0.1", "'-0.0'")]
    [InlineData("DECIMAL(9,2)", "DECIMAL(20,2)", "1.10", "1.10", "1.104", "123456789012.34", "-1")]
    public async Task Predicates_on_a_promoted_column_mean_the_promoted_type(string from, string to, string stored, params string[] values)
    {
        var now = new ColumnField("v", ColumnOf(to), 1);
        var file = WriteBySql($"SELECT v, {{'v': v}} AS s FROM (SELECT ({stored})::{from} AS v), range(30)", "v: 1, s: {__duckdb_field_id: 2, v: 3}", hasBloomFilters: true);
        var table = Table(Fields(now, Struct("s", 2, now with { FieldId = 3 }))) with { ColdFiles = [file] };
        foreach (var predicate in values.SelectMany(value => new[] { $"v = {value}", $"v > {value}", $"v <= {value}", $"v IN ({value}, 99)", $"s.v > {value}", $"s.v = {value}" }))
        {
            var expected = RunBySql($"SELECT count(*) FROM (SELECT v, {{'v': v}} AS s FROM (SELECT ({stored})::{from}::{to} AS v), range(30)) WHERE {predicate}");
            var found = (await RunAsync($"SELECT count(*) + 0::BIGINT FROM t WHERE {predicate}", table)).Rows[0][0];
            Assert.True(expected.Equals(found), $"{predicate}: {found} rows for {expected}");
        }
    }

    [Fact]
    public async Task Our_own_files_have_no_Bloom_filters()
    {
        var fields = Fields(Leaf("b", 1, ColumnType.Binary), Leaf("n", 2));
        var written = await WriteAsync(fields, memory.Slice(
            fields, [.. Enumerable.Repeat((object?)new byte[] { 0, 7 }, 500)], [.. Enumerable.Repeat((object?)7, 500)]));
        await using var file = File.OpenRead(written.Path);
        Assert.All(ParquetFooter.Read(file).Columns, static column => Assert.False(column.HasBloomFilter));
    }

    [Fact]
    public async Task A_column_of_too_many_lists_in_each_other_is_refused_where_it_is_asked_for_and_only_there()
    {
        var type = ColumnType.Int32;
        object? value = 7;
        for (var depth = 0; depth < 62; depth++)
        {
            type = ColumnType.List(new ColumnField("element", type, 100 + depth));
            value = new[] { value };
        }
        var fields = Fields(Leaf("id", 1), Leaf("d", 2, type));
        var table = Table(fields) with { ColdFiles = [await WriteAsync(fields, memory.Slice(fields, [1], [value]))] };

        Assert.Equal(["1"], await LinesAsync("SELECT id FROM t", table));
        Assert.Equal(["1"], await LinesAsync("SELECT count(id) FROM t", table));
        foreach (var sql in new[] { "SELECT d FROM t", "SELECT * FROM t", "SELECT id FROM t WHERE d IS NOT NULL", "SELECT count(d) FROM t WHERE id = 1" })
        {
            var refused = await Assert.ThrowsAsync<SqlException>(() => LinesAsync(sql, table));
            Assert.Contains("The column d has more than 20 lists in each other", refused.Message, StringComparison.Ordinal);
        }
    }

    private static string Day(int year, int month, int day) => RandomColumns.Canonical(new DateOnly(year, month, day));

    private static ColumnFields Fields(params ColumnField[] fields) => new(fields);

    private static ColumnField Leaf(string name, int id, ColumnType? type = null) => new(name, type ?? ColumnType.Int32, id);

    private static ColumnField Struct(string name, int id, params ColumnField[] fields) => new(name, ColumnType.Struct(fields), id);

    private static ColumnField List(string name, int id, int elementId, ColumnType element)
        => new(name, ColumnType.List(new ColumnField("element", element, elementId)), id);

    private static ColumnField Map(string name, int id, int keyId, int valueId, ColumnType value)
        => new(name, ColumnType.Map(new("key", ColumnType.Utf8, keyId, false), new("value", value, valueId)), id);

    private static ColumnType ColumnOf(string type) => type switch
    {
        "BOOLEAN" => ColumnType.Boolean,
        "INTEGER" => ColumnType.Int32,
        "BIGINT" => ColumnType.Int64,
        "FLOAT" => ColumnType.Float32,
        "DOUBLE" => ColumnType.Float64,
        "DATE" => ColumnType.Date32,
        "TIME" => ColumnType.Time64,
        "TIMESTAMP" => ColumnType.Timestamp,
        "TIMESTAMPTZ" => ColumnType.TimestampTz,
        "VARCHAR" => ColumnType.Utf8,
        "BLOB" => ColumnType.Binary,
        "UUID" => ColumnType.Uuid,
        _ => ColumnType.Decimal128(
            int.Parse(type.AsSpan("DECIMAL(".Length, type.IndexOf(',', StringComparison.Ordinal) - 8), CultureInfo.InvariantCulture),
            int.Parse(type.AsSpan(type.IndexOf(',', StringComparison.Ordinal) + 1).TrimEnd(')'), CultureInfo.InvariantCulture)),
    };

    private DataFileInput WriteBySql(string query, string fieldIds, bool hasBloomFilters)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet");
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duck.Connect();
        connection.Execute($"SET TimeZone = 'UTC'; COPY ({query}) TO {SqlText.Literal(path)} (FORMAT parquet, FIELD_IDS {{{fieldIds}}}, WRITE_BLOOM_FILTER {hasBloomFilters})");
        using var file = File.OpenRead(path);
        return new(path, ParquetFooter.Read(file).RecordCount);
    }

    private static object RunBySql(string query)
    {
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duck.Connect();
        using var result = connection.Query(query);
        return result.ReadRows()[0][0]!;
    }

    private static TableInput Table(ColumnFields schema) => new() { Namespace = "a", Name = "t", Schema = schema };

    private Task<SqlRows> RunAsync(string sql, TableInput table) => executor.ExecuteAsync(gate.Parse(sql), [table], TimeSpan.FromMinutes(2));

    private async Task<IEnumerable<string>> LinesAsync(string sql, TableInput table)
        => (await RunAsync(sql, table)).Rows.Select(row => string.Join(' ', row.Select(RandomColumns.Canonical)));

    private async Task<DataFileInput> WriteAsync(ColumnFields schema, params BatchSlice[] slices)
    {
        var written = await writer.WriteAsync(
            new DataFileRequest { Store = new LocalFileIO(), Location = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet"), Schema = schema, Slices = slices });
        return new DataFileInput(written.Location, written.RecordCount);
    }
}
