using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;

namespace Frazil.Tests.Iceberg;

/// <summary>A golden table of the kit with what a correct reader makes of it.</summary>
internal sealed class GoldenTable(string folder) : IDisposable
{
    private readonly JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));

    public string Name => Path.GetFileName(folder);

    public JsonElement Expected => expected.RootElement;

    public string MetadataPath => Path.Combine(folder, Expected.GetProperty("metadata").GetString()!);

    public byte[] MetadataFile => File.ReadAllBytes(MetadataPath);

    public TableMetadata LoadMetadata() => TableMetadataJson.Parse(MetadataFile, MetadataPath);

    /// <summary>A location relative to the table's folder, whatever scheme the writer gave it.</summary>
    public string Relative(string location) => Path.GetRelativePath(folder, LocalFileIO.PathOf(location));

    public void Dispose() => expected.Dispose();

    /// <summary>Runs a check over every table and reports all failures at once.</summary>
    public static async Task ForAllAsync(Func<GoldenTable, Task> check)
    {
        var root = await IcebergKit.RequireGoldenAsync();
        var failures = new List<string>();
        var count = 0;
        foreach (var file in Directory.EnumerateFiles(root, "expected.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            using var table = new GoldenTable(Path.GetDirectoryName(file)!);
            count++;
            try
            {
                await check(table);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                failures.Add(
                    $"{table.Name}: {e.GetType().Name} {e.Message}\n{string.Join('\n', (e.StackTrace ?? "").Split('\n').Take(3))}");
            }
        }
        Xunit.Assert.True(failures.Count == 0, $"{failures.Count} of {count} tables:\n{string.Join('\n', failures)}");
        Xunit.Assert.Equal(91, count);
    }
}
