using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>Reads arrays into a list column.</summary>
internal sealed unsafe class JsonListReader(ListWriter column) : JsonColumnReader<ListWriter>(column, "expected an array")
{
    private readonly JsonValueReader element = Create(column.First);

    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '[')
        {
            return ReadNull(p, cursor);
        }
        if (++cursor.Depth > JsonCursor.MaxDepth)
        {
            return JsonScan.FailTooDeep(p, cursor);
        }
        p = JsonScan.SkipSpace(p + 1, cursor.End);
        if (p >= cursor.End || *p != ']')
        {
            p = ReadElements(p, cursor);
            if (p == null)
            {
                return null;
            }
        }
        Column.EndList();
        cursor.Depth--;
        return p + 1;
    }

    private byte* ReadElements(byte* p, JsonCursor cursor)
    {
        do
        {
            if (p >= cursor.End)
            {
                return cursor.Fail(DecodeReason.Syntax, cursor.End, "a value is missing");
            }
            p = element.Read(p, cursor);
            if (p == null)
            {
                return null;
            }
        }
        while (JsonScan.NextItem(ref p, ']', cursor));
        return p;
    }
}

/// <summary>Reads objects into a map column: every name a key.</summary>
internal sealed unsafe class JsonMapReader : JsonColumnReader<ListWriter>
{
    private readonly BytesWriter keys;
    private readonly JsonUtf8Reader key;
    private readonly JsonValueReader value;

    public JsonMapReader(ListWriter column)
        : base(column, "expected an object (a map)")
    {
        keys = (BytesWriter)column.First;
        key = new(keys);
        value = Create(column.Children[1]);
    }

    /// <summary>The names of a JSON object are strings, so the map's keys must be.</summary>
    public static bool CanRead(ListWriter column) => column.First is BytesWriter { Field.Type.Kind: ColumnKind.Utf8 };

    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '{')
        {
            return ReadNull(p, cursor);
        }
        if (++cursor.Depth > JsonCursor.MaxDepth)
        {
            return JsonScan.FailTooDeep(p, cursor);
        }
        p = JsonScan.SkipSpace(p + 1, cursor.End);
        if (p >= cursor.End || *p != '}')
        {
            p = ReadEntries(p, cursor);
            if (p == null)
            {
                return null;
            }
        }
        Column.EndList();
        cursor.Depth--;
        return p + 1;
    }

    private byte* ReadEntries(byte* p, JsonCursor cursor)
    {
        var frame = cursor.Keys.OpenFrame();
        do
        {
            var start = p;
            if (p >= cursor.End || *p != '"')
            {
                return cursor.Fail(DecodeReason.Syntax, p, "expected a name in quotes");
            }
            p = key.Read(p, cursor);
            if (p == null)
            {
                return null;
            }
            if (!cursor.Keys.Add(frame, keys.ValueAt(keys.Length - 1)))
            {
                return cursor.Fail(DecodeReason.DuplicateField, start, "a name that stands twice in its object");
            }
            p = JsonScan.SkipColon(p, cursor);
            if (p == null)
            {
                return null;
            }
            if (p >= cursor.End)
            {
                return cursor.Fail(DecodeReason.Syntax, p, "a value is missing");
            }
            p = value.Read(p, cursor);
            if (p == null)
            {
                return null;
            }
        }
        while (JsonScan.NextItem(ref p, '}', cursor));
        return p;
    }
}
