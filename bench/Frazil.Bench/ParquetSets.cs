using System.Text;
using Frazil.Columnar;
using Frazil.Formats.Json;

namespace Frazil.Bench;

/// <summary>Columns to write as Parquet, made once.</summary>
internal sealed record ParquetSet(string Name, ColumnFields Schema, ColumnChunk Chunk) : IDisposable
{
    private const int Seed = 11;

    public int Rows => Chunk.PublishedRows;

    public BatchSlice ToSlice()
    {
        var views = Chunk.TakeViews(out var rows);
        return new() { Schema = Schema, Columns = views, Count = rows };
    }

    public void Dispose() => Chunk.Unpin();

    /// <summary>The kit's events, decoded from their JSON.</summary>
    public static ParquetSet Events(RecordStream stream, byte[][] records)
    {
        using var decoder = new JsonDecoder();
        var chunk = new ColumnChunk(stream.Schema, records.Length, new MemoryAccount());
        decoder.Bind(chunk, StageBench.Positions(stream));
        StageBench.Fill(decoder, chunk, records);
        return new(stream.Name, stream.Schema, chunk);
    }

    /// <summary>200 columns of which half the values are null.</summary>
    public static ParquetSet Wide(int rows)
    {
        ColumnType[] kinds = [ColumnType.Int64, ColumnType.Float64, ColumnType.Utf8, ColumnType.TimestampTz, ColumnType.Boolean];
        var schema = new ColumnFields(Enumerable.Range(0, 200).Select(n => new ColumnField($"c{n:000}", kinds[n % kinds.Length], n + 1)));
        var random = new Random(Seed);
        var chunk = new ColumnChunk(schema, rows, new MemoryAccount());
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < schema.Count; column++)
            {
                Append(chunk.Columns[column], column, row, random);
            }
            chunk.EndRow();
        }
        chunk.Publish();
        return new("wide", schema, chunk);
    }

    /// <summary>Text that hardly repeats: hexadecimal ids, addresses, sentences.</summary>
    public static ParquetSet Strings(int rows)
    {
        var schema = new ColumnFields([
            new("id", ColumnType.Utf8, 1), new("url", ColumnType.Utf8, 2), new("message", ColumnType.Utf8, 3),
            new("agent", ColumnType.Utf8, 4)]);
        string[] words = ["ice", "water", "river", "crystal", "night", "current", "slush", "surface", "drift", "freeze", "anchor", "glass"];
        var random = new Random(Seed);
        var chunk = new ColumnChunk(schema, rows, new MemoryAccount());
        for (var row = 0; row < rows; row++)
        {
            Append(chunk, 0, random.NextInt64().ToString("x16"));
            Append(chunk, 1, $"https://example.com/{Word()}/{Word()}?id={random.Next(1_000_000)}");
            Append(chunk, 2, string.Join(' ', Enumerable.Range(0, random.Next(4, 14)).Select(_ => Word())));
            Append(chunk, 3, $"Mozilla/5.0 (X11; Linux x86_64) Chrome/{random.Next(90, 140)}.0.{random.Next(9999)}.{random.Next(200)}");
            chunk.EndRow();
        }
        chunk.Publish();
        return new("strings", schema, chunk);

        string Word() => words[random.Next(words.Length)];
    }

    /// <summary>Orders with lines and attributes: a list of structs, a map, a struct in a struct.</summary>
    public static ParquetSet Nested(int rows)
    {
        var line = ColumnType.Struct(
            new("sku", ColumnType.Utf8, 12), new("price", ColumnType.Float64, 13), new("count", ColumnType.Int32, 14));
        var point = ColumnType.Struct(new("x", ColumnType.Float64, 32), new("y", ColumnType.Float64, 33));
        var schema = new ColumnFields([
            new("order", ColumnType.Int64, 1),
            new("lines", ColumnType.List(new("element", line, 11)), 10),
            new("attributes", ColumnType.Map(new("key", ColumnType.Utf8, 21, Nullable: false), new("value", ColumnType.Int64, 22)), 20),
            new("place", ColumnType.Struct(new("city", ColumnType.Utf8, 31), new("at", point, 34)), 30)]);
        var random = new Random(Seed);
        var chunk = new ColumnChunk(schema, rows, new MemoryAccount());
        for (var row = 0; row < rows; row++)
        {
            AppendOrder(chunk, row, random);
            chunk.EndRow();
        }
        chunk.Publish();
        return new("nested", schema, chunk);
    }

    private static void AppendOrder(ColumnChunk chunk, int row, Random random)
    {
        chunk.Column<FixedWriter<long>>(0).Append(row);
        var lines = chunk.Column<ListWriter>(1);
        var line = (StructWriter)lines.First;
        for (var count = random.Next(6); count > 0; count--)
        {
            ((BytesWriter)line.Children[0]).Append(Encoding.UTF8.GetBytes($"sku-{random.Next(20_000)}"));
            ((FixedWriter<double>)line.Children[1]).Append(random.Next(10_000) / 100.0);
            ((FixedWriter<int>)line.Children[2]).Append(random.Next(1, 10));
            line.EndStruct();
        }
        lines.EndList();
        var attributes = chunk.Column<ListWriter>(2);
        for (var count = random.Next(4); count > 0; count--)
        {
            ((BytesWriter)attributes.First).Append(Encoding.UTF8.GetBytes($"key{count}"));
            ((FixedWriter<long>)attributes.Children[1]).Append(random.Next(1000));
        }
        attributes.EndList();
        var place = chunk.Column<StructWriter>(3);
        ((BytesWriter)place.Children[0]).Append(Encoding.UTF8.GetBytes($"city {random.Next(300)}"));
        var at = (StructWriter)place.Children[1];
        ((FixedWriter<double>)at.Children[0]).Append(random.NextDouble() * 180);
        ((FixedWriter<double>)at.Children[1]).Append(random.NextDouble() * 360);
        at.EndStruct();
        place.EndStruct();
    }

    private static void Append(ColumnWriter writer, int column, int row, Random random)
    {
        if (random.Next(2) == 0)
        {
            writer.AppendNull();
            return;
        }
        switch (writer)
        {
            case FixedWriter<long> longs when writer.Field.Type.Kind == ColumnKind.TimestampTz:
                longs.Append(1_767_225_600_000_000 + (row * 1_000_000L) + random.Next(1_000_000));
                break;
            case FixedWriter<long> longs:
                longs.Append(random.Next(column * 500 + 10));
                break;
            case FixedWriter<double> doubles:
                doubles.Append(random.NextDouble());
                break;
            case BytesWriter bytes:
                bytes.Append(Encoding.UTF8.GetBytes($"value {random.Next(column * 20 + 5)}"));
                break;
            case BooleanWriter flags:
                flags.Append(random.Next(2) == 0);
                break;
        }
    }

    private static void Append(ColumnChunk chunk, int column, string text)
        => chunk.Column<BytesWriter>(column).Append(Encoding.UTF8.GetBytes(text));
}
