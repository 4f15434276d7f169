using System.Globalization;
using System.Text.Json;
using Frazil.Parquet;
using Frazil.Rig;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Parquet;
using Xunit;

namespace Frazil.EndToEnd.Parquet;

/// <summary>Foreign readers over random files: FRAZIL_PARQUET_FILES says how many, FRAZIL_PARQUET_SEED from which seed on.</summary>
public sealed class ParquetRefereeTests : IDisposable
{
    private const int UsualFiles = 60;

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-referees-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Pyarrow_DuckDB_and_PyIceberg_read_every_value_and_find_the_statistics()
    {
        Assert.SkipWhen(Kit.Folder is null, Kit.Absent);
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(30));
        var files = Number("FRAZIL_PARQUET_FILES", UsualFiles);
        var seed = Number("FRAZIL_PARQUET_SEED", Random.Shared.Next(1_000_000));
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {seed} to {seed + files - 1}");
        var manifest = Path.Combine(folder, "manifest");
        await using (var lines = new StreamWriter(manifest))
        {
            using var buffers = new ParquetBuffers();
            for (var number = 0; number < files; number++)
            {
                await lines.WriteLineAsync(WriteFile(seed + number, buffers));
            }
        }
        using var json = JsonDocument.Parse(await Python.RunAsync(Python.OwnScript("parquet_referee.py"), [manifest], time.Token));
        Assert.Equal(files, json.RootElement.GetProperty("files").GetInt32());
        Assert.Equal("[]", json.RootElement.GetProperty("wrong").GetRawText());
    }

    /// <summary>Writes the file of a seed. Returns its line of the manifest.</summary>
    private string WriteFile(int seed, ParquetBuffers buffers)
    {
        using var memory = new ArrowValues();
        var random = new RandomParquet(seed, memory, maxRows: 1500);
        var path = Path.Combine(folder, $"seed-{seed}.parquet");
        ParquetFileSummary summary;
        using (var file = File.Create(path))
        {
            summary = random.Write(file, buffers);
        }
        return JsonSerializer.Serialize(new
        {
            path,
            records = summary.RecordCount,
            splits = summary.SplitOffsets,
            order = summary.Columns.Keys,
            leaves = summary.Columns.ToDictionary(
                static column => column.Key.ToString(CultureInfo.InvariantCulture),
                static column => new object?[]
                {
                    column.Value.Statistics.ValueCount, column.Value.Statistics.NullCount, column.Value.SizeBytes,
                    Hex(column.Value.Statistics.Lower), Hex(column.Value.Statistics.Upper),
                }),
            rows = Enumerable.Range(0, random.Rows).Select(row => random.Schema.Select(
                (field, column) => RandomColumns.Expected(field.Type, field.Type, random.Columns[column][row])).ToArray()),
        });
    }

    private static string? Hex(byte[]? bytes) => bytes is null ? null : Convert.ToHexStringLower(bytes);

    internal static int Number(string variable, int usual)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
