using System.Text;
using Frazil.Columnar;
using Frazil.Formats;
using Frazil.Formats.Json;
using Frazil.Tests.Columnar;
using Xunit;

namespace Frazil.Tests.Formats.Json;

/// <summary>Decodes single records for tests.</summary>
internal static class DecodedRow
{
    /// <summary>The row as text (see <see cref="ViewReader.Show"/>), or the error's code.</summary>
    public static string Of(ColumnFields schema, ReadOnlySpan<byte> record, bool evolve = true)
    {
        var (row, error) = Decode(schema, record, evolve);
        return row ?? error!.Code;
    }

    public static string Of(ColumnFields schema, string record, bool evolve = true) => Of(schema, Encoding.UTF8.GetBytes(record), evolve);

    /// <summary>One column named v of this type, in <c>{"v":VALUE}</c>.</summary>
    public static string OfValue(ColumnType type, string value) => Of(new([new("v", type, 1)]), $$"""{"v":{{value}}}""");

    public static DecodeError ErrorOf(ColumnFields schema, string record, bool evolve = true)
        => Decode(schema, Encoding.UTF8.GetBytes(record), evolve).Error ?? throw new Xunit.Sdk.XunitException($"accepted: {record}");

    private static (string? Row, DecodeError? Error) Decode(ColumnFields schema, ReadOnlySpan<byte> record, bool evolve)
    {
        var chunk = new ColumnChunk(schema, 4, new());
        using var decoder = new JsonDecoder(new() { EvolveSchema = evolve });
        try
        {
            decoder.Bind(chunk);
            var result = decoder.Decode(record);
            if (!result.IsOk)
            {
                AssertUntouched(chunk.Columns, 0);
                return (null, result.Error);
            }
            chunk.EndRow();
            chunk.Publish();
            return (ViewReader.ShowRow(chunk.TakeViews(out _), 0), null);
        }
        finally
        {
            chunk.Unpin();
        }
    }

    public static void AssertUntouched(IReadOnlyList<ColumnWriter> columns, int rows)
    {
        foreach (var column in columns)
        {
            if (column.Length != rows)
            {
                Assert.Fail($"column {column.Field.Name} has {column.Length} values, not {rows}");
            }
        }
    }
}
