using System.Globalization;
using System.Text;
using Frazil.DuckDb;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;
using Xunit;

namespace Frazil.Tests.Parquet;

/// <summary>
/// Broken files, ours and DuckDB's, give an error: never a crash, a hang, or memory beyond what is allowed. FRAZIL_PARQUET_FUZZ says how many
/// files are broken 150 times each (31 without it), FRAZIL_PARQUET_SEED from which seed on.
/// </summary>
public sealed class ParquetFuzzTests : IDisposable
{
    private const int UsualFiles = 31;
    private const int Attempts = 150;
    private const long MostBytes = 16 << 20;

    /// <summary>What opening a small file may allocate, whatever it claims.</summary>
    private const long MostOpeningBytes = 16 << 20;

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_broken_file_is_an_error_or_other_values_and_nothing_else()
    {
        var files = Number("FRAZIL_PARQUET_FUZZ", UsualFiles);
        var seed = Number("FRAZIL_PARQUET_SEED", Random.Shared.Next(1_000_000));
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {seed} to {seed + files - 1}");
        using var buffers = new ParquetBuffers();
        using var duck = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duck.Connect();
        for (var number = seed; number < seed + files; number++)
        {
            using var memory = new ArrowValues();
            using var ours = new MemoryStream();
            new RandomParquet(number, memory, maxRows: 200).Write(ours, buffers);
            var whole = number % 3 == 0 ? WriteByDuckDb(connection, ours.ToArray(), number) : ours.ToArray();
            var random = new Random(number);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                Read(Break(whole, random), $"seed {number}, attempt {attempt}");
            }
        }
    }

    private static void Read(byte[] file, string context)
    {
        try
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var options = new ParquetReadOptions { VerifyChecksums = false, MaxBytes = MostBytes };
            try
            {
                ReadValues.Wait(ParquetFileReader.OpenAsync(new ParquetMemorySource(file), options));
            }
            finally
            {
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostOpeningBytes);
            }
            ReadValues.All(file, options);
        }
        catch (Exception expected) when (expected is InvalidDataException or NotSupportedException or EndOfStreamException)
        {
            // what a file that is broken may give
        }
        catch (Exception text) when (text is DecoderFallbackException or ArgumentException)
        {
            // the test's own reading of text and times that are none
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{context}: {failure.Message}", failure);
        }
    }

    /// <summary>Mostly near the end, where the footer is.</summary>
    private static byte[] Break(byte[] whole, Random random)
    {
        var bytes = whole.ToArray();
        for (var wounds = random.Next(6); wounds >= 0; wounds--)
        {
            var at = random.Next(3) == 0 ? bytes.Length - random.Next(1, Math.Min(bytes.Length, 1000) + 1) : random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = 0xFF;
                    break;
                case 2:
                    // A length, count or offset of two thousand million, as the footer and the pages write numbers.
                    ReadOnlySpan<byte> lie = [0xFE, 0xFF, 0xFF, 0xFF, 0x0F];
                    lie[..Math.Min(lie.Length, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
                    break;
                case 3:
                    var (from, size) = (random.Next(bytes.Length), random.Next(1, 64));
                    size = Math.Min(size, Math.Min(bytes.Length - from, bytes.Length - at));
                    bytes.AsSpan(from, size).ToArray().CopyTo(bytes.AsSpan(at));
                    break;
                case 4:
                    bytes.AsSpan(at, Math.Min(random.Next(1, 16), bytes.Length - at)).Clear();
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }
        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private byte[] WriteByDuckDb(DuckDbConnection connection, byte[] file, int number)
    {
        string[] codecs = ["uncompressed", "snappy", "gzip", "zstd", "lz4", "lz4_raw", "brotli"];
        var (from, to) = (Path.Combine(folder, "ours.parquet"), Path.Combine(folder, $"{number}.parquet"));
        File.WriteAllBytes(from, file);
        connection.Execute(
            $"COPY (SELECT * FROM read_parquet({SqlText.Literal(from)})) TO {SqlText.Literal(to)} "
            + $"(FORMAT parquet, CODEC '{codecs[number % codecs.Length]}', PARQUET_VERSION {(number % 2 == 0 ? "v1" : "v2")})");
        return File.ReadAllBytes(to);
    }

    private static int Number(string variable, int usual)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : usual;
}
