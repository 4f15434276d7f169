using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>How JSON records are decoded.</summary>
public sealed record JsonDecoderOptions
{
    /// <summary>True: a field without a column gives <see cref="DecodeStatus.UnknownField"/> (once it has a value: nulls, empty objects and
    /// empty arrays are passed over until then). False: any such field makes the record bad.</summary>
    public bool EvolveSchema { get; init; } = true;
}

/// <summary>
/// JSON objects, one a record, straight from UTF-8 into columns. Strict RFC 8259; nothing is coerced:
/// <list type="bullet">
/// <item>int, long: integers without fraction or exponent, in range</item>
/// <item>double: any number that is not beyond its range; an integer only if a double holds it exactly</item>
/// <item>float: a number that it holds exactly, or that is written with the float's own digits, up to nine</item>
/// <item>decimal: a number it holds exactly</item>
/// <item>boolean, string: only those; string is valid UTF-8 without lone surrogates</item>
/// <item>date, time, timestamp, timestamptz: strings, see <see cref="IsoTime"/>; uuid: 36 characters; binary, fixed: base64</item>
/// <item>struct: an object; list: an array; map with string keys: an object. A name that stands twice is refused everywhere.</item>
/// </list>
/// Null, or no such field, is null; refused where required. At most 64 levels deep.
/// </summary>
public sealed unsafe class JsonDecoder : RecordDecoder
{
    private readonly bool evolve;
    private readonly JsonCursor cursor;
    private JsonObjectReader? reader;
    private ColumnChunk? chunk;

    public JsonDecoder(JsonDecoderOptions? options = null)
    {
        evolve = (options ?? new()).EvolveSchema;
        cursor = new() { RefuseUnknown = !evolve };
    }

    public override void Bind(ColumnChunk chunk, IReadOnlyList<int> positions)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        ArgumentNullException.ThrowIfNull(positions);
        var columns = positions.Select(position => chunk.Columns[position]).ToArray();
        var reserved = chunk.Schema.Where((_, position) => !positions.Contains(position)).Select(field => field.Name).ToArray();
        reader = JsonObjectReader.ForRecord(columns, reserved);
        this.chunk = chunk;
    }

    public override DecodeResult Decode(in SourceRecord record)
    {
        var value = record.Value;
        var target = chunk ?? throw new InvalidOperationException("Bind comes before Decode");
        if (value.IsEmpty)
        {
            return DecodeResult.Bad(new(DecodeReason.Empty, "", 0, "the value is empty; expected a JSON object"));
        }
        fixed (byte* start = value)
        {
            try
            {
                return ReadRecord(start, value.Length)
                    ? new(DecodeStatus.Ok, null)
                    : Undo(target);
            }
            catch (ChunkFullException full)
            {
                target.TruncateTo(target.Rows);
                return target.Rows > 0
                    ? new(DecodeStatus.ChunkFull, null)
                    : DecodeResult.Bad(new(DecodeReason.TooLarge, "", 0, $"the record alone is too large for a chunk: {full.Message}"));
            }
            catch
            {
                target.TruncateTo(target.Rows);
                throw;
            }
        }
    }

    /// <summary>Frees the scratch memory. The chunk is the caller's.</summary>
    public override void Dispose() => cursor.Dispose();

    private bool ReadRecord(byte* start, int length)
    {
        var p = cursor.Begin(start, length, chunk!.Rows);
        var end = cursor.End;
        p = JsonScan.SkipSpace(p, end);
        if (p >= end)
        {
            cursor.Fail(DecodeReason.Empty, cursor.Start, "only white space"); // not where the caller has it: it may be a copy
            return false;
        }
        p = reader!.Read(p, cursor);
        if (p == null)
        {
            return false;
        }
        p = JsonScan.SkipSpace(p, end);
        if (p < end)
        {
            cursor.Fail(DecodeReason.Syntax, p, "more text after the object");
            return false;
        }
        if (cursor.UnknownKey != null)
        {
            cursor.Fail(DecodeReason.UnknownField, cursor.UnknownKey, "no column holds this field");
            return false;
        }
        return true;
    }

    /// <summary>The chunk as it was before the record, and what went wrong in words.</summary>
    private DecodeResult Undo(ColumnChunk target)
    {
        target.TruncateTo(target.Rows);
        var error = JsonFailure.Describe(cursor);
        return new(error.Reason == DecodeReason.UnknownField && evolve ? DecodeStatus.UnknownField : DecodeStatus.Bad, error);
    }
}
