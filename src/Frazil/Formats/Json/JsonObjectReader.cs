using System.Runtime.CompilerServices;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>
/// Reads an object into one value for each of some columns: a record into the bound columns, or an object into a struct's children.
/// A column whose length is one more than the row's number has its value already: that shows duplicates and what is missing.
/// </summary>
internal sealed unsafe class JsonObjectReader : JsonValueReader
{
    private readonly StructWriter? owner;
    private readonly JsonField[] fields;
    private readonly JsonNames names;
    private JsonField? first;

    /// <summary>Reads structs.</summary>
    public JsonObjectReader(StructWriter owner)
        : this(owner, owner.Field, owner.Children, [])
    {
    }

    private JsonObjectReader(StructWriter? owner, ColumnField field, IReadOnlyList<ColumnWriter> columns, IReadOnlyList<string> reserved)
        : base(field, "expected an object")
    {
        this.owner = owner;
        fields = [.. columns.Select(column => new JsonField(column.Field.Name, column, Create(column)))];
        for (var index = 0; index < fields.Length; index++)
        {
            fields[index].Next = fields[(index + 1) % fields.Length];
        }
        first = fields.Length > 0 ? fields[0] : null;
        names = new([.. fields, .. reserved.Select(name => new JsonField(name, null, null))]);
    }

    /// <summary>Reads whole records.</summary>
    public static JsonObjectReader ForRecord(IReadOnlyList<ColumnWriter> columns, IReadOnlyList<string> reserved)
        => new(null, new("", ColumnType.Struct([]), 0, Nullable: false), columns, reserved);

    protected override void AppendNull() => owner!.AppendNull();

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
        var row = owner is null ? cursor.Row : owner.Length;
        var filled = 0;
        p = JsonScan.SkipSpace(p + 1, cursor.End);
        if (p >= cursor.End || *p != '}')
        {
            p = ReadFields(p, cursor, row, ref filled);
            if (p == null)
            {
                return null;
            }
        }
        if (filled != fields.Length && !FillMissing(row, p, cursor))
        {
            return null;
        }
        owner?.EndStruct();
        cursor.Depth--;
        return p + 1;
    }

    /// <summary>Reads from the first key to the closing brace.</summary>
    private byte* ReadFields(byte* p, JsonCursor cursor, int row, ref int filled)
    {
        var end = cursor.End;
        var expected = first;
        JsonField? previous = null;
        var frame = 0; // of unknown keys; 0 until there is one
        do
        {
            JsonField? field;
            if (expected is not null && expected.Matches(p, end))
            {
                field = expected;
                p = JsonScan.SkipSpace(p + field.KeyLength, end);
            }
            else
            {
                p = FindField(p, cursor, previous, expected, ref frame, out field);
                if (p == null)
                {
                    return null;
                }
            }
            if (field is null)
            {
                continue; // unknown, and passed over
            }
            if (p >= end)
            {
                return cursor.Fail(DecodeReason.Syntax, end, "a value is missing");
            }
            if (field.Column.Length != row)
            {
                return cursor.Fail(DecodeReason.DuplicateField, p, "a name that stands twice in its object");
            }
            p = field.Reader.Read(p, cursor);
            if (p == null)
            {
                return null;
            }
            filled++;
            previous = field;
            expected = field.Next;
        }
        while (JsonScan.NextItem(ref p, '}', cursor));
        return p;
    }

    /// <summary>For a key other than the expected one: finds its field and passes to its value. An unknown field's value is checked and
    /// passed over, with <paramref name="field"/> null.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* FindField(byte* p, JsonCursor cursor, JsonField? previous, JsonField? expected, ref int frame, out JsonField? field)
    {
        field = null;
        if (expected is not null && expected.Next.Matches(p, cursor.End))
        {
            // One optional field was left out: worth no new prediction.
            field = expected.Next;
            return JsonScan.SkipSpace(p + field.KeyLength, cursor.End);
        }
        if (p >= cursor.End || *p != '"')
        {
            return cursor.Fail(DecodeReason.Syntax, p, "expected a name in quotes");
        }
        var key = p;
        var close = JsonScan.FindStringEnd(p + 1, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var name = JsonScan.Text(p + 1, close, escaped, cursor, out var length);
        if (name == null)
        {
            return null;
        }
        field = names.Find(name, length);
        if (field is null)
        {
            return SkipUnknown(key, close, new(name, length), cursor, ref frame);
        }
        if (field.IsReserved)
        {
            return cursor.Fail(
                DecodeReason.ReservedField, key,
                "the name of a column that is filled from the record's Kafka position; rename the field or the column");
        }
        Predict(previous, field);
        return JsonScan.SkipColon(close + 1, cursor);
    }

    private void Predict(JsonField? previous, JsonField found)
    {
        if (previous is null)
        {
            first = found;
        }
        else
        {
            previous.Next = found;
        }
    }

    private byte* SkipUnknown(byte* key, byte* close, ReadOnlySpan<byte> name, JsonCursor cursor, ref int frame)
    {
        if (frame == 0)
        {
            frame = cursor.Keys.OpenFrame();
        }
        if (!cursor.Keys.Add(frame, name))
        {
            return cursor.Fail(DecodeReason.DuplicateField, key, "a name that stands twice in its object");
        }
        var p = JsonScan.SkipColon(close + 1, cursor);
        if (p == null)
        {
            return null;
        }
        var holdsValue = cursor.RefuseUnknown;
        p = JsonScan.SkipValue(p, cursor, ref holdsValue);
        if (p != null && holdsValue && cursor.UnknownKey == null)
        {
            cursor.UnknownKey = key;
        }
        return p;
    }

    private bool FillMissing(int row, byte* at, JsonCursor cursor)
    {
        foreach (var field in fields)
        {
            if (field.Column.Length == row)
            {
                if (!field.Column.Field.Nullable)
                {
                    cursor.FailMissing(at, field.Text);
                    return false;
                }
                field.Column.AppendNull();
            }
        }
        return true;
    }
}
