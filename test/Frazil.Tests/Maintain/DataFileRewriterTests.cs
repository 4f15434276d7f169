using System.Globalization;
using System.Text.Json;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;
using Frazil.Query;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Maintain;

/// <summary>Files that other engines wrote, rewritten: every value, type and evolved schema of the golden tables.</summary>
public sealed class DataFileRewriterTests : IAsyncDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly LocalFileIO files = new();
    private readonly DataFileReader reader = new();
    private readonly ParquetDataFileWriter writer = new();

    public async ValueTask DisposeAsync()
    {
        reader.Dispose();
        await writer.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task A_rewritten_file_has_every_row_and_value_in_order_under_the_schema_of_today()
    {
        var (rewritten, refused) = (0, new List<string>());
        await GoldenTable.ForAllAsync(async table =>
        {
            var metadata = table.LoadMetadata();
            foreach (var file in await ListAsync(table, metadata, refused))
            {
                rewritten += await CheckAsync(file, metadata, table.Name, refused) ? 1 : 0;
            }
        });
        Assert.True(rewritten > 80, $"only {rewritten} files were rewritten");
        Assert.Contains("del_position_v2", refused);
        Assert.Contains("dv_v3", refused);
        Assert.Contains("format_orc", refused);
        Assert.Contains("name_mapping_imported", refused);
    }

    [Fact]
    public async Task Rows_go_where_they_are_sorted_to_and_many_bytes_make_many_files()
    {
        var table = Make(5_000);
        var rewriter = new DataFileRewriter(reader, writer) { FileBytes = 64 << 10 };
        var numbers = 0;
        var range = new KafkaRange(null, 0, 1000, 2999);

        var written = await rewriter.RewriteAsync(
            table.File, new(Loaded(table.Metadata), "r", () => numbers++), range, offset => offset < 1000 ? 0 : offset > 2999 ? 1 : -1,
            CancellationToken.None);

        Assert.True(written.Length > 2);
        Assert.Equal(3_000, written.Sum(static file => file.RecordCount));
        var offsets = new List<long>();
        foreach (var file in written)
        {
            Assert.NotEqual(RangePlace.Inside, range.PlaceOf(file, table.Metadata.CurrentSchema));
            await new PositionReader(files, table.Metadata.CurrentSchema).VisitOffsetsAsync(
                file, range with { First = 0, Last = long.MaxValue }, offsets.Add, CancellationToken.None);
        }
        Assert.Equal(Enumerable.Range(0, 1000).Concat(Enumerable.Range(3000, 2000)).Select(static i => (long)i), offsets.Order());
    }

    /// <summary>The file was taken into the table from a sibling whose name begins like the table's.</summary>
    [Theory]
    [InlineData("made", "made/data")]
    [InlineData("mad", "mad/data")]
    [InlineData("made/dat", "made/dat/data")]
    public async Task A_rewritten_file_lies_beside_the_old_one_only_where_that_is_the_tables_own_folder(string table, string expected)
    {
        var made = Make(10);
        var target = made.Metadata with { Location = files.LocationFor(Path.Combine(folder.Path, table)) };
        Directory.CreateDirectory(Path.Combine(folder.Path, expected));

        var written = await new DataFileRewriter(reader, writer)
            .RewriteAsync(made.File, new(Loaded(target), "r", static () => 0), null, static _ => 0, CancellationToken.None);

        Assert.Equal($"{files.LocationFor(Path.Combine(folder.Path, expected))}/r-0.parquet", Assert.Single(written).Path);
    }

    [Fact]
    public async Task A_failure_leaves_no_file_behind()
    {
        var table = Make(5_000);
        var before = Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length;
        var (numbers, seen) = (0, 0);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new DataFileRewriter(reader, writer) { FileBytes = 64 << 10 }.RewriteAsync(
            table.File, new(Loaded(table.Metadata), "r", () => numbers++), null,
            _ => ++seen > 4_000 ? throw new InvalidOperationException("enough") : 0, CancellationToken.None));
        Assert.True(numbers > 0);
        Assert.Equal(before, Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length);
    }

    private LoadedTable Loaded(TableMetadata metadata) => new(new(NamespaceName.Parse("shop"), "made"), metadata, "", files);

    private async Task<List<DataFile>> ListAsync(GoldenTable table, TableMetadata metadata, List<string> refused)
    {
        try
        {
            return await LiveFiles.ListAsync(new ManifestCache(files), metadata, metadata.CurrentSnapshot, CancellationToken.None);
        }
        catch (DeletesNotSupportedException error)
        {
            Assert.Contains("cannot be replaced yet", error.Message, StringComparison.Ordinal);
            refused.Add(table.Name);
            return [];
        }
    }

    /// <summary>False where our columns do not have one of the types, or the file has no field ids.</summary>
    private async Task<bool> CheckAsync(DataFile file, TableMetadata metadata, string table, List<string> refused)
    {
        var target = metadata with { Location = files.LocationFor(Path.Combine(folder.Path, Guid.NewGuid().ToString())) };
        var numbers = 0;
        try
        {
            var written = await new DataFileRewriter(reader, writer)
                .RewriteAsync(file, new(Loaded(target), "r", () => numbers++), null, static _ => 0, CancellationToken.None);
            var copy = Assert.Single(written);
            Assert.Equal((file.RecordCount, file.SpecId, file.Partition), (copy.RecordCount, copy.SpecId, copy.Partition));
            Assert.Equal(await TextAsync(file, metadata), await TextAsync(copy, metadata));
            return true;
        }
        catch (Exception error) when (error is DataFileException or ValidationException)
        {
            return false; // fixed(L), timestamp_ns, variant
        }
        catch (SqlException error) when (error.Message.Contains("has no field ids", StringComparison.Ordinal))
        {
            refused.Add(table);
            return false;
        }
    }

    private async Task<List<string>> TextAsync(DataFile file, TableMetadata metadata)
    {
        var text = new List<string>();
        var columns = SqlNames.Apply(ColumnSchemas.FromIceberg(metadata.CurrentSchema.Fields));
        await reader.VisitRowsAsync(file, Loaded(metadata), null, columns, chunk =>
        {
            var rows = new List<object?[]>();
            chunk.ReadRows(rows);
            text.AddRange(rows.Select(static row => string.Join(" | ", row.Select(Text))));
            return Task.CompletedTask;
        }, CancellationToken.None);
        return text;
    }

    private static string Text(object? value) => value switch
    {
        null => "null",
        byte[] bytes => Convert.ToHexString(bytes),
        // DuckDB's dictionaries do not tell -0 from 0 (docs/known-issues.md).
        double number => (number == 0 ? 0 : number).ToString("R", CultureInfo.InvariantCulture),
        float number => (number == 0 ? 0 : number).ToString("R", CultureInfo.InvariantCulture),
        IReadOnlyDictionary<string,
        object?> fields => $"{{{string.Join(", ", fields.Select(static field => $"{field.Key}: {Text(field.Value)}"))}}}",
        object?[] list => $"[{string.Join(", ", list.Select(Text))}]",
        KeyValuePair<object, object?>[] map => $"<{string.Join(", ", map.Select(static pair => $"{Text(pair.Key)}={Text(pair.Value)}"))}>",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value.ToString()),
    };

    /// <summary>A file of partition 0 with offsets from 0 on, written by DuckDB itself.</summary>
    private Made Make(int rows)
    {
        var schema = new Schema(0,
        [
            new(1, "text", false, IcebergType.String), new(
                2, "kafka_partition", false, IcebergType.Int), new(3, "kafka_offset", false, IcebergType.Long),
        ]);
        var location = files.LocationFor(Path.Combine(folder.Path, "made"));
        var metadata = TableMetadataBuilder.Create(
            schema, PartitionSpec.Unpartitioned, SortOrder.Unsorted, location, new Dictionary<string, string>(), TimeProvider.System);
        Directory.CreateDirectory(Path.Combine(folder.Path, "made", "data"));
        var path = Path.Combine(folder.Path, "made", "data", "one.parquet");
        using (var duck = DuckDbInstance.Open(new Dictionary<string, string>()))
        using (var connection = duck.Connect())
        {
            connection.Execute(
                $"COPY (SELECT repeat('x', 40) || i AS text, 0::INTEGER AS kafka_partition, i::BIGINT AS kafka_offset FROM range({rows}) r(i)) TO '{path}' "
                + "(FORMAT parquet, FIELD_IDS {text: 1, kafka_partition: 2, kafka_offset: 3})");
        }
        return new(
            metadata,
            new()
            {
                Path = $"{location}/data/one.parquet",
                SpecId = 0,
                Partition = PartitionTuple.Empty,
                RecordCount = rows,
                FileSizeBytes = new FileInfo(path).Length,
            });
    }

    private sealed record Made(TableMetadata Metadata, DataFile File);
}
