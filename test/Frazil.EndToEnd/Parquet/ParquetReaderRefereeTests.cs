using System.Text.Json;
using Frazil.Parquet;
using Frazil.Rig;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Parquet;
using Xunit;

namespace Frazil.EndToEnd.Parquet;

/// <summary>Our reader over files of foreign writers, against pyarrow: FRAZIL_PARQUET_FILES says how many, FRAZIL_PARQUET_SEED from which seed
/// on.</summary>
public sealed class ParquetReaderRefereeTests : IDisposable
{
    private const int UsualFiles = 60;

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-foreign-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Files_that_pyarrow_wrote_in_every_encoding_codec_and_page_version_are_read_as_pyarrow_reads_them()
    {
        Assert.SkipWhen(Kit.Folder is null, Kit.Absent);
        var files = ParquetRefereeTests.Number("FRAZIL_PARQUET_FILES", UsualFiles);
        var seed = ParquetRefereeTests.Number("FRAZIL_PARQUET_SEED", Random.Shared.Next(1_000_000));
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {seed} to {seed + files - 1}");
        var lines = new List<string>();
        using var buffers = new ParquetBuffers();
        for (var number = seed; number < seed + files; number++)
        {
            using var memory = new ArrowValues();
            var (from, to) = (Path.Combine(folder, $"{number}-ours.parquet"), Path.Combine(folder, $"{number}.parquet"));
            await using (var file = File.Create(from))
            {
                new RandomParquet(number, memory, maxRows: 1500).Write(file, buffers);
            }
            lines.Add(JsonSerializer.Serialize(new { from, to, seed = number }));
        }
        var (read, failed) = await CompareAsync(lines);
        Assert.True(failed * 4 < files, $"pyarrow itself could not write {failed} of {files} files");
        Assert.Equal(files - failed, read);
    }

    [Fact]
    public async Task Data_files_of_Spark_and_Java_are_read_as_pyarrow_reads_them()
    {
        Assert.SkipWhen(Kit.Folder is null, Kit.Absent);
        await Kit.RunAsync("golden/unpack", [], TestContext.Current.CancellationToken);
        var files = Directory.EnumerateFiles("/tmp/frazil-golden", "*.parquet", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var (read, failed) = await CompareAsync([.. files.Select(static path => JsonSerializer.Serialize(new { dump = path }))]);
        Assert.True(read > 100, $"{read} of {files.Count} files were read; pyarrow could not read {failed}");
    }

    private async Task<(int Read, int Failed)> CompareAsync(List<string> lines)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(30));
        var manifest = Path.Combine(folder, "manifest");
        await File.WriteAllLinesAsync(manifest, lines, time.Token);
        var (read, failed, wrong) = (0, 0, new List<string>());
        foreach (var line in (await Python.RunAsync(Python.OwnScript("parquet_rewrite.py"), [manifest], time.Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = JsonDocument.Parse(line);
            var path = json.RootElement.GetProperty("path").GetString()!;
            if (!json.RootElement.TryGetProperty("rows", out var rows))
            {
                failed++;
                continue;
            }
            read++;
            try
            {
                Compare(path, rows, await File.ReadAllBytesAsync(path, time.Token), wrong);
            }
            catch (NotSupportedException reason) when (reason.Message.Contains("times of day in nanoseconds", StringComparison.Ordinal))
            {
                // refused by name: there is no such column in any table
            }
            catch (Exception reason)
            {
                wrong.Add($"{path}: {reason.Message}");
            }
        }
        Assert.Equal("", string.Join('\n', wrong.Take(10)));
        return (read, failed);
    }

    private static void Compare(string path, JsonElement rows, byte[] file, List<string> wrong)
    {
        var found = ReadValues.All(file);
        if (found.Count != rows.GetArrayLength())
        {
            wrong.Add($"{path}: {found.Count} rows, not {rows.GetArrayLength()}");
            return;
        }
        for (var row = 0; row < found.Count; row++)
        {
            for (var column = 0; column < found[row].Length; column++)
            {
                var expected = rows[row][column].GetString()!;
                if (Plain(expected) != Plain(found[row][column]))
                {
                    wrong.Add($"{path}: row {row} column {column}: '{found[row][column]}', not '{expected}'");
                    return;
                }
            }
        }
    }

    /// <summary>pyarrow shows some uuids as bytes, INT96 says nothing of zones, and Python knows one NaN only.</summary>
    private static string Plain(string text)
        => text.ToLowerInvariant().Replace("7fc00000", "ffc00000", StringComparison.Ordinal)
            .Replace("7ff8000000000000", "fff8000000000000", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace("+00:00", "", StringComparison.Ordinal);
}
