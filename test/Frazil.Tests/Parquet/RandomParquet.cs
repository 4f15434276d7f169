using Frazil.Columnar;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>Rows of a random schema, cut into slices of every kind, and random options to write them with; all from one seed.</summary>
internal sealed class RandomParquet
{
    private readonly RandomColumns random;

    public RandomParquet(int seed, ArrowValues memory, int maxRows = 3000)
    {
        random = new(seed);
        Schema = new(random.Fields(random.Random.Next(1, 6)));
        var rows = random.Random.Next(1, maxRows);
        Columns = [.. Schema.Select(field => ValuesOf(field.Type, rows))];
        Slices = [.. Cut(memory.Slice(Schema, Columns), rows)];
        Options = new()
        {
            Codec = Pick(ParquetCodec.Uncompressed, ParquetCodec.Snappy, ParquetCodec.Gzip, ParquetCodec.Zstd, ParquetCodec.Lz4Raw),
            Encodings = Pick(ParquetEncodings.Basic, ParquetEncodings.Delta, ParquetEncodings.All),
            PageRows = Pick(1, 7, 100, 20_000),
            PageBytes = Pick(1, 300, 1 << 20),
            RowGroupRows = Pick(50, 700, 1_000_000),
            RowGroupBytes = Pick(5000, 100_000, 100_000_000),
            DictionaryBytes = Pick(0, 100, 1 << 20),
            HasPageIndex = random.Random.Next(4) > 0,
            HasPageChecksums = random.Random.Next(4) > 0,
            BloomFilters = Enumerable.Range(1, random.Random.Next(2) * 60).ToDictionary(static id => id, _ => Pick(0.001, 0.01, 0.3)),
        };
    }

    public ColumnFields Schema { get; }

    public List<object?>[] Columns { get; }

    public IReadOnlyList<BatchSlice> Slices { get; }

    public ParquetOptions Options { get; }

    public int Rows => Columns[0].Count;

    public ParquetFileSummary Write(Stream output, ParquetBuffers buffers)
    {
        using var writer = new ParquetFileWriter(output, Schema, buffers, Options, new Dictionary<string, string> { ["seed"] = "é\"" });
        writer.Write(Slices);
        return writer.Finish();
    }

    /// <summary>Some columns repeat a few values, in runs or not, so that dictionaries, runs and differences all come up.</summary>
    private List<object?> ValuesOf(ColumnType type, int rows)
    {
        var values = random.Values(type, rows);
        var few = random.Random.Next(1, 40);
        return random.Random.Next(4) switch
        {
            0 => [.. Enumerable.Range(0, rows).Select(_ => values[random.Random.Next(Math.Min(few, rows))])],
            1 => [.. Enumerable.Range(0, rows).Select(row => values[row / few])],
            2 when type.Kind is ColumnKind.Int64 => [.. Enumerable.Range(0, rows).Select(row => (object?)(1_700_000_000_000L + row * few))],
            _ => values,
        };
    }

    /// <summary>The same rows as ranges and as selections.</summary>
    private IEnumerable<BatchSlice> Cut(BatchSlice whole, int rows)
    {
        for (var start = 0; start < rows;)
        {
            var count = random.Random.Next(3) == 0 ? rows - start : random.Random.Next(1, rows - start + 1);
            yield return random.Random.Next(2) == 0
                ? new() { Schema = whole.Schema, Columns = whole.Columns, Start = start, Count = count }
                : new() { Schema = whole.Schema, Columns = whole.Columns, Count = count, Selection = [.. Enumerable.Range(start, count)] };
            start += count;
        }
    }

    private T Pick<T>(params T[] choices) => choices[random.Random.Next(choices.Length)];
}
