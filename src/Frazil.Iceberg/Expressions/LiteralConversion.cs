namespace Frazil.Iceberg.Expressions;

/// <summary>How a literal relates to the values of a column's type.</summary>
internal enum LiteralFit : byte { Exact, Between, AboveAll, BelowAll }

/// <summary>Brings literals of filters to the types of their columns.</summary>
internal static class LiteralConversion
{
    /// <exception cref="ValidationException">The literal is null or of a kind that the type cannot be compared with.</exception>
    public static (LiteralFit Fit, IcebergValue Value) Convert(IcebergValue literal, PrimitiveType type, string column)
    {
        if (literal.IsNull)
            throw new ValidationException($"The filter compares '{column}' with null, which is never true: ask for IsNull.");
        var converted = literal.Kind switch
        {
            ValueKind.String => FromText(literal.AsString(), type),
            ValueKind.Int32 or ValueKind.Int64 => FromInteger(literal.AsLong(), type),
            ValueKind.Float32 or ValueKind.Float64 => FromDouble(literal.AsDouble(), type),
            ValueKind.Decimal => FromDecimal(literal.AsUnscaledDecimal(), literal.DecimalScale, type),
            _ => null,
        };
        if (converted is { } result)
            return result;
        return type.ValueKind == literal.Kind
            ? (LiteralFit.Exact, literal)
            : throw new ValidationException(
                $"The filter compares '{column}' of type {type} with '{literal}' ({literal.Kind}), which cannot be of that type.");
    }

    private static (LiteralFit, IcebergValue)? FromInteger(long value, PrimitiveType type) => type.ValueKind switch
    {
        ValueKind.Int32 when value > int.MaxValue => (LiteralFit.AboveAll, default),
        ValueKind.Int32 when value < int.MinValue => (LiteralFit.BelowAll, default),
        ValueKind.Int32 => (LiteralFit.Exact, (int)value),
        ValueKind.Int64 => (LiteralFit.Exact, value),
        ValueKind.Float32 or ValueKind.Float64 => FromDouble(value, type),
        ValueKind.Decimal => FromDecimal(value, 0, type),
        _ => null,
    };

    private static (LiteralFit, IcebergValue)? FromDouble(double value, PrimitiveType type)
    {
        switch (type.ValueKind)
        {
            case ValueKind.Float64:
                return (LiteralFit.Exact, value);
            case ValueKind.Float32:
                return (double)(float)value == value || double.IsNaN(value)
                    ? (LiteralFit.Exact, (float)value)
                    : (LiteralFit.Between, default);
            case ValueKind.Int32 or ValueKind.Int64:
                if (double.IsNaN(value))
                    return (LiteralFit.AboveAll, default);
                if (value >= long.MaxValue)
                    return (LiteralFit.AboveAll, default);
                if (value < long.MinValue)
                    return (LiteralFit.BelowAll, default);
                return Math.Floor(value) == value ? FromInteger((long)value, type) : (LiteralFit.Between, default);
            case ValueKind.Decimal:
                return (LiteralFit.Between, default);
            default:
                return null;
        }
    }

    private static (LiteralFit, IcebergValue)? FromDecimal(Int128 unscaled, int scale, PrimitiveType type)
    {
        if (type.ValueKind is ValueKind.Float32 or ValueKind.Float64)
            return FromDouble((double)unscaled / Math.Pow(10, scale), type);
        if (type.ValueKind is ValueKind.Int32 or ValueKind.Int64)
        {
            for (; scale > 0 && unscaled % 10 == 0; scale--)
                unscaled /= 10;
            if (scale > 0 || unscaled > long.MaxValue || unscaled < long.MinValue)
                return scale > 0 ? (LiteralFit.Between, default) : (unscaled > 0 ? LiteralFit.AboveAll : LiteralFit.BelowAll, default);
            return FromInteger((long)unscaled, type);
        }
        if (type.Id != TypeId.Decimal)
            return null;
        for (; scale > type.Scale; scale--)
        {
            if (unscaled % 10 != 0)
                return (LiteralFit.Between, default);
            unscaled /= 10;
        }
        Int128 limit = 1;
        for (var i = 0; i < type.Precision; i++)
            limit *= 10;
        for (; scale < type.Scale; scale++)
        {
            if (Int128.Abs(unscaled) >= limit)
                break;
            unscaled *= 10;
        }
        if (unscaled >= limit)
            return (LiteralFit.AboveAll, default);
        return unscaled <= -limit ? (LiteralFit.BelowAll, default) : (LiteralFit.Exact, IcebergValue.FromDecimal(unscaled, type.Scale));
    }

    private static (LiteralFit, IcebergValue)? FromText(string text, PrimitiveType type)
    {
        switch (type.Id)
        {
            case TypeId.String:
                return (LiteralFit.Exact, text);
            case TypeId.Date:
                return TemporalText.TryParseDate(text, out var day) ? (LiteralFit.Exact, day) : null;
            case TypeId.Time:
                return TemporalText.TryParseTime(text, 1_000_000, out var time) ? (LiteralFit.Exact, time) : null;
            case TypeId.Timestamp or TypeId.TimestampTz or TypeId.TimestampNs or TypeId.TimestampTzNs:
                var perSecond = type.Id is TypeId.Timestamp or TypeId.TimestampTz ? 1_000_000L : 1_000_000_000L;
                var wantsOffset = type.Id is TypeId.TimestampTz or TypeId.TimestampTzNs;
                return TemporalText.TryParseTimestamp(text, perSecond, out var units, out var hasOffset) && hasOffset == wantsOffset
                    ? (LiteralFit.Exact, units)
                    : null;
            case TypeId.Uuid:
                return Guid.TryParse(text, out var uuid) ? (LiteralFit.Exact, IcebergValue.From(uuid)) : null;
            case TypeId.Decimal:
                return DecimalText.TryParse(text, out var unscaled, out var scale) ? FromDecimal(unscaled, scale, type) : null;
            default:
                return null;
        }
    }
}
