using System.Text;

namespace Frazil.Iceberg;

/// <summary>The arithmetic of the transforms: on one value, and on whole columns without allocation.</summary>
public static class TransformFunctions
{
    /// <summary>The Appendix B hash of a value that is not null.</summary>
    public static int Hash(PrimitiveType source, IcebergValue value)
    {
        switch (value.Kind)
        {
            case ValueKind.Int32:
            case ValueKind.Int64 when source.Id is not (TypeId.TimestampNs or TypeId.TimestampTzNs):
                return Murmur3.HashLong(value.AsLong());
            case ValueKind.Int64:
                return Murmur3.HashLong(CalendarOrdinals.MicrosOfNanos(value.AsLong()));
            case ValueKind.Decimal:
                return Murmur3.HashDecimal(value.AsUnscaledDecimal());
            case ValueKind.String:
                return Murmur3.HashBytes(Encoding.UTF8.GetBytes(value.AsString()));
            case ValueKind.Binary:
                return Murmur3.HashBytes(value.AsBinary());
            case ValueKind.Uuid:
                Span<byte> uuid = stackalloc byte[16];
                value.CopyUuidTo(uuid);
                return Murmur3.HashBytes(uuid);
            default:
                throw new ValidationException($"Values of type {source} cannot be bucketed.");
        }
    }

    /// <summary>Truncates a value that is not null.</summary>
    public static IcebergValue Truncate(PrimitiveType source, IcebergValue value, int width) => value.Kind switch
    {
        ValueKind.Int32 => TruncateInt(value.AsInt(), width),
        ValueKind.Int64 => TruncateLong(value.AsLong(), width),
        ValueKind.Decimal => IcebergValue.FromDecimal(TruncateUnscaled(value.AsUnscaledDecimal(), width), value.DecimalScale),
        ValueKind.String => TruncateString(value.AsString(), width),
        ValueKind.Binary => value.AsBinary().Length <= width ? value : IcebergValue.From(value.AsBinary()[..width]),
        _ => throw new ValidationException($"Values of type {source} cannot be truncated."),
    };

    public static int TruncateInt(int value, int width) => unchecked(value - (((value % width) + width) % width));

    public static long TruncateLong(long value, int width) => unchecked(value - (((value % width) + width) % width));

    public static Int128 TruncateUnscaled(Int128 value, int width) => value - (((value % width) + width) % width);

    /// <summary>The first <paramref name="width"/> code points.</summary>
    public static string TruncateString(string value, int width)
    {
        if (value.Length <= width)
            return value;
        var end = 0;
        for (var count = 0; count < width && end < value.Length; count++)
            end += char.IsHighSurrogate(value[end]) && end + 1 < value.Length && char.IsLowSurrogate(value[end + 1]) ? 2 : 1;
        return end >= value.Length ? value : value[..end];
    }

    /// <summary>The bytes that the first <paramref name="width"/> code points of valid UTF-8 take.</summary>
    public static int TruncatedUtf8Length(ReadOnlySpan<byte> utf8, int width)
    {
        if (utf8.Length <= width)
            return utf8.Length;
        var seen = 0;
        for (var i = 0; i < utf8.Length; i++)
            if ((utf8[i] & 0xC0) != 0x80 && seen++ == width)
                return i;
        return utf8.Length;
    }

    /// <summary>Year, month, day or hour of a date or timestamp that is not null.</summary>
    public static IcebergValue Ordinal(TransformKind kind, PrimitiveType source, IcebergValue value)
    {
        if (source.Id == TypeId.Date)
        {
            var day = value.AsInt();
            return kind switch
            {
                TransformKind.Year => CalendarOrdinals.YearOfDay(day),
                TransformKind.Month => CalendarOrdinals.MonthOfDay(day),
                TransformKind.Day => day,
                _ => throw new ValidationException($"{kind.ToString().ToLowerInvariant()} cannot be applied to {source}."),
            };
        }
        var micros = source.Id is TypeId.TimestampNs or TypeId.TimestampTzNs
            ? CalendarOrdinals.MicrosOfNanos(value.AsLong())
            : value.AsLong();
        return kind switch
        {
            TransformKind.Year => CalendarOrdinals.YearOfMicros(micros),
            TransformKind.Month => CalendarOrdinals.MonthOfMicros(micros),
            TransformKind.Day => CalendarOrdinals.DayOfMicros(micros),
            _ => CalendarOrdinals.HourOfMicros(micros),
        };
    }

    /// <summary>
    /// Year, month, day, hour or bucket of a long, time or timestamp column. Nulls are the caller's: their slots get the value of
    /// whatever lies in the buffer.
    /// </summary>
    public static void Apply(Transform transform, PrimitiveType source, ReadOnlySpan<long> values, Span<int> results)
    {
        if (source.Id is TypeId.TimestampNs or TypeId.TimestampTzNs)
        {
            for (var i = 0; i < values.Length; i++)
                results[i] = transform.Apply(source, values[i]).AsInt();
            return;
        }
        switch (transform.Kind)
        {
            case TransformKind.Day:
                CalendarOrdinals.DaysOfMicros(values, results);
                break;
            case TransformKind.Hour:
                CalendarOrdinals.HoursOfMicros(values, results);
                break;
            case TransformKind.Month:
                CalendarOrdinals.MonthsOfMicros(values, results);
                break;
            case TransformKind.Year:
                CalendarOrdinals.YearsOfMicros(values, results);
                break;
            case TransformKind.Bucket:
                for (var i = 0; i < values.Length; i++)
                    results[i] = transform.ToBucket(Murmur3.HashLong(values[i]));
                break;
            default:
                throw new ValidationException($"{transform} of {source} does not give an int column.");
        }
    }

    /// <summary>Identity, year, month, day, bucket or truncate of an int or date column; nulls as in the overload for longs.</summary>
    public static void Apply(Transform transform, PrimitiveType source, ReadOnlySpan<int> values, Span<int> results)
    {
        switch (transform.Kind)
        {
            case TransformKind.Identity:
            case TransformKind.Day when source.Id == TypeId.Date:
                values.CopyTo(results);
                break;
            case TransformKind.Bucket:
                for (var i = 0; i < values.Length; i++)
                    results[i] = transform.ToBucket(Murmur3.HashInt(values[i]));
                break;
            case TransformKind.Truncate:
                for (var i = 0; i < values.Length; i++)
                    results[i] = TruncateInt(values[i], transform.Argument);
                break;
            case TransformKind.Month when source.Id == TypeId.Date:
                for (var i = 0; i < values.Length; i++)
                    results[i] = CalendarOrdinals.MonthOfDay(values[i]);
                break;
            case TransformKind.Year when source.Id == TypeId.Date:
                for (var i = 0; i < values.Length; i++)
                    results[i] = CalendarOrdinals.YearOfDay(values[i]);
                break;
            default:
                throw new ValidationException($"{transform} cannot be applied to a column of {source}.");
        }
    }

    /// <summary>Buckets of a string or binary column in Arrow layout.</summary>
    /// <param name="transform">A bucket transform.</param>
    /// <param name="data">The bytes of all values.</param>
    /// <param name="offsets">One more than there are values; value i is data[offsets[i]..offsets[i+1]].</param>
    /// <param name="results">One bucket a value.</param>
    public static void BucketBytes(Transform transform, ReadOnlySpan<byte> data, ReadOnlySpan<int> offsets, Span<int> results)
    {
        for (var i = 0; i + 1 < offsets.Length; i++)
            results[i] = transform.ToBucket(Murmur3.HashBytes(data[offsets[i]..offsets[i + 1]]));
    }
}
