using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>Reads the values of one column.</summary>
internal abstract unsafe class JsonValueReader(ColumnField field, string expected)
{
    /// <summary>What a value must look like, for messages.</summary>
    protected string Expected { get; } = expected;

    /// <summary>Reads the value that begins at <paramref name="p"/> (before the record's end) and appends it. The byte after it, at most
    /// the record's end; null after a failure, with the column in an undefined state that truncation mends.</summary>
    public abstract byte* Read(byte* p, JsonCursor cursor);

    protected abstract void AppendNull();

    /// <summary>For a value that does not begin as this column's values do: a null, or a failure.</summary>
    protected byte* ReadNull(byte* p, JsonCursor cursor)
    {
        if (*p == 'n')
        {
            var after = JsonScan.SkipLiteral(p, "null"u8, cursor);
            if (after == null)
            {
                return null;
            }
            if (!field.Nullable)
            {
                return cursor.Fail(DecodeReason.MissingRequired, p, "required, but null");
            }
            AppendNull();
            return after;
        }
        return FailType(p, cursor);
    }

    /// <summary>Fails for the value at <paramref name="p"/>: as malformed where it is no JSON at all, as of the wrong type
    /// otherwise.</summary>
    protected byte* FailType(byte* p, JsonCursor cursor)
    {
        var ignored = false;
        return JsonScan.SkipValue(p, cursor, ref ignored) == null ? null : cursor.Fail(DecodeReason.WrongType, p, Expected);
    }

    /// <summary>The reader for a column, nested ones with theirs. One that JSON cannot fill, which only another engine can have made, takes
    /// nulls and nothing else.</summary>
    public static JsonValueReader Create(ColumnWriter column) => (column, column.Field.Type.Kind) switch
    {
        (BooleanWriter writer, _) => new JsonBooleanReader(writer),
        (FixedWriter<int> writer, ColumnKind.Int32) => new JsonInt32Reader(writer),
        (FixedWriter<int> writer, ColumnKind.Date32) => new JsonDateReader(writer),
        (FixedWriter<long> writer, ColumnKind.Int64) => new JsonInt64Reader(writer),
        (FixedWriter<long> writer, ColumnKind.Time64) => new JsonTimeReader(writer),
        (FixedWriter<long> writer, ColumnKind.Timestamp) => new JsonTimestampReader(writer, zoned: false),
        (FixedWriter<long> writer, ColumnKind.TimestampTz) => new JsonTimestampReader(writer, zoned: true),
        (FixedWriter<float> writer, _) => new JsonFloat32Reader(writer),
        (FixedWriter<double> writer, _) => new JsonFloat64Reader(writer),
        (FixedWriter<Int128> writer, _) => new JsonDecimalReader(writer),
        (BytesWriter writer, ColumnKind.Utf8) => new JsonUtf8Reader(writer),
        (BytesWriter writer, ColumnKind.Binary) => new JsonBinaryReader(writer),
        (FixedBytesWriter writer, ColumnKind.FixedBinary) => new JsonFixedReader(writer),
        (FixedBytesWriter writer, ColumnKind.Uuid) => new JsonUuidReader(writer),
        (StructWriter writer, _) => new JsonObjectReader(writer),
        (ListWriter writer, ColumnKind.List) => new JsonListReader(writer),
        (ListWriter writer, ColumnKind.Map) when JsonMapReader.CanRead(writer) => new JsonMapReader(writer),
        _ => new JsonNothingReader(column),
    };
}

/// <summary>A reader that knows its column's writer.</summary>
internal abstract class JsonColumnReader<TWriter>(TWriter column, string expected) : JsonValueReader(column.Field, expected)
    where TWriter : ColumnWriter
{
    protected TWriter Column { get; } = column;

    protected sealed override void AppendNull() => Column.AppendNull();
}

/// <summary>For a column that JSON has no values for: a null, or a failure.</summary>
internal sealed unsafe class JsonNothingReader(ColumnWriter column)
    : JsonColumnReader<ColumnWriter>(column, $"expected null: JSON has no values for a column of type {column.Field.Type}")
{
    public override byte* Read(byte* p, JsonCursor cursor) => ReadNull(p, cursor);
}
