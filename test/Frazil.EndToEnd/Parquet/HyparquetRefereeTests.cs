using System.Text.Json;
using Frazil.Columnar;
using Frazil.Parquet;
using Frazil.Rig;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Parquet;
using Xunit;

namespace Frazil.EndToEnd.Parquet;

/// <summary>A reader in JavaScript over random files: FRAZIL_PARQUET_FILES says how many, FRAZIL_PARQUET_SEED from which seed on.</summary>
public sealed class HyparquetRefereeTests : IDisposable
{
    private const int UsualFiles = 60;

    private static readonly string[] Packages = ["hyparquet@1.33.0", "hyparquet-compressors@1.1.2"];

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-hyparquet-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Hyparquet_reads_every_value()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(30));
        await Npm.InstallAsync(folder, time.Token, Packages);
        var files = ParquetRefereeTests.Number("FRAZIL_PARQUET_FILES", UsualFiles);
        var seed = ParquetRefereeTests.Number("FRAZIL_PARQUET_SEED", Random.Shared.Next(1_000_000));
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {seed} to {seed + files - 1}");
        var manifest = Path.Combine(folder, "manifest");
        using (var buffers = new ParquetBuffers())
        {
            await File.WriteAllLinesAsync(manifest, Enumerable.Range(seed, files).Select(number => WriteFile(number, buffers)), time.Token);
        }
        var script = Path.Combine(AppContext.BaseDirectory, "Rig", "hyparquet.mjs");

        using var json = JsonDocument.Parse(await Kit.RunInAsync(folder, "node", [script, manifest], time.Token));

        Assert.Equal("[]", json.RootElement.GetProperty("wrong").GetRawText());
        Assert.Equal(files, json.RootElement.GetProperty("files").GetInt32());
    }

    /// <summary>Writes the file of a seed. Returns its line of the manifest.</summary>
    private string WriteFile(int seed, ParquetBuffers buffers)
    {
        using var memory = new ArrowValues();
        var random = new RandomParquet(seed, memory, maxRows: 1500);
        var path = Path.Combine(folder, $"seed-{seed}.parquet");
        using (var file = File.Create(path))
        {
            random.Write(file, buffers);
        }
        return JsonSerializer.Serialize(new
        {
            path,
            types = random.Schema.Select(ToTree),
            rows = Enumerable.Range(0, random.Rows).Select(row => random.Schema.Select(
                (field, column) => RandomColumns.Expected(field.Type, field.Type, random.Columns[column][row])).ToArray()),
        });
    }

    private static object ToTree(ColumnField field) => new
    {
        name = field.Name,
        type = new { kind = field.Type.Kind.ToString(), scale = field.Type.Scale, fields = field.Type.Fields.Select(ToTree) },
    };
}
