using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>What the readers of dates and times share: the text in the quotes.</summary>
internal abstract unsafe class JsonTimeTextReader<TWriter>(TWriter column, string expected) : JsonColumnReader<TWriter>(column, expected)
    where TWriter : ColumnWriter
{
    public sealed override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '"')
        {
            return ReadNull(p, cursor);
        }
        var special = JsonScan.SpecialBits(Vector256.Load(p + 1));
        var length = BitOperations.TrailingZeroCount(special);
        var text = p + 1;
        var close = text + length;
        if (special == 0 || *close != '"' || close >= cursor.End)
        {
            close = FindText(ref text, cursor, out length);
            if (close == null)
            {
                return null;
            }
        }
        var outcome = Append(text, length);
        return outcome == IsoOutcome.Ok ? close + 1 : Fail(p, cursor, outcome);
    }

    protected abstract IsoOutcome Append(byte* text, int length);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* FindText(ref byte* text, JsonCursor cursor, out int length)
    {
        length = 0;
        var close = JsonScan.FindStringEnd(text, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        text = JsonScan.Text(text, close, escaped, cursor, out length);
        return text == null ? null : close;
    }

    private byte* Fail(byte* p, JsonCursor cursor, IsoOutcome outcome) => outcome switch
    {
        IsoOutcome.OutOfRange => cursor.Fail(DecodeReason.OutOfRange, p, "no such date or time between the years 0001 and 9999"),
        IsoOutcome.Inexact => cursor.Fail(DecodeReason.Inexact, p, "finer than a microsecond"),
        IsoOutcome.ZoneMissing => cursor.Fail(
            DecodeReason.BadText, p, "expected a zone (Z or +hh:mm) at the end: the column is a timestamptz"),
        IsoOutcome.ZoneUnwanted => cursor.Fail(
            DecodeReason.BadText, p, "a zone, but the column is a timestamp without one; declare it timestamptz"),
        _ => cursor.Fail(DecodeReason.BadText, p, Expected),
    };
}

internal sealed unsafe class JsonTimestampReader(FixedWriter<long> column, bool zoned)
    : JsonTimeTextReader<FixedWriter<long>>(
        column, zoned ? "expected a time such as \"2026-01-31T12:34:56.789Z\"" : "expected a time such as \"2026-01-31T12:34:56.789\"")
{
    protected override IsoOutcome Append(byte* text, int length)
    {
        var outcome = IsoTime.ParseTimestamp(text, length, zoned, out var micros);
        if (outcome == IsoOutcome.Ok)
        {
            Column.Append(micros);
        }
        return outcome;
    }
}

internal sealed unsafe class JsonDateReader(FixedWriter<int> column) : JsonTimeTextReader<FixedWriter<int>>(
    column, "expected a date such as \"2026-01-31\"")
{
    protected override IsoOutcome Append(byte* text, int length)
    {
        var outcome = IsoTime.ParseDate(text, length, out var days);
        if (outcome == IsoOutcome.Ok)
        {
            Column.Append(days);
        }
        return outcome;
    }
}

internal sealed unsafe class JsonTimeReader(FixedWriter<long> column) : JsonTimeTextReader<FixedWriter<long>>(
    column, "expected a time of day such as \"12:34:56.789\"")
{
    protected override IsoOutcome Append(byte* text, int length)
    {
        var outcome = IsoTime.ParseTime(text, length, out var micros);
        if (outcome == IsoOutcome.Ok)
        {
            Column.Append(micros);
        }
        return outcome;
    }
}
