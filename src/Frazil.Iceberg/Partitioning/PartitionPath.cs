using System.Globalization;
using System.Text;

namespace Frazil.Iceberg;

/// <summary>Partition values as people and paths see them: <c>event_timestamp_day=2026-08-21/page_trunc=%2Fcart</c>.</summary>
public static class PartitionPath
{
    /// <summary>The path of a partition relative to the data folder, without a trailing slash; empty for an unpartitioned spec.</summary>
    public static string Of(PartitionSpec spec, Schema schema, PartitionTuple partition)
    {
        var path = new StringBuilder();
        for (var i = 0; i < spec.Fields.Count; i++)
        {
            var field = spec.Fields[i];
            if (i > 0)
                path.Append('/');
            var source = schema.FindField(field.SourceId)?.Type as PrimitiveType ?? IcebergType.Unknown;
            AppendEncoded(path, field.Name);
            path.Append('=');
            AppendEncoded(path, HumanText(field.Transform, source, partition[i]));
        }
        return path.ToString();
    }

    /// <summary>A derived value as text: a day as <c>2026-08-21</c>, an hour as <c>2026-08-21-13</c>, null as <c>null</c>.</summary>
    /// <param name="transform">The transform that derived it.</param>
    /// <param name="source">The type of the source column.</param>
    /// <param name="value">The derived value.</param>
    public static string HumanText(Transform transform, PrimitiveType source, IcebergValue value)
    {
        if (value.IsNull)
            return "null";
        switch (transform.Kind)
        {
            case TransformKind.Year:
                return TemporalText.FormatYear(1970L + value.AsInt());
            case TransformKind.Month:
                var months = value.AsInt();
                var year = CalendarOrdinals.FloorDivide(months, 12);
                return string.Create(CultureInfo.InvariantCulture, $"{TemporalText.FormatYear(1970 + year)}-{months - year * 12 + 1:00}");
            case TransformKind.Day:
                return TemporalText.FormatDate(value.AsInt());
            case TransformKind.Hour:
                var day = CalendarOrdinals.FloorDivide(value.AsInt(), 24);
                return string.Create(CultureInfo.InvariantCulture, $"{TemporalText.FormatDate(day)}-{value.AsInt() - day * 24:00}");
            case TransformKind.Identity or TransformKind.Truncate:
                return ValueText(source, value);
            default:
                return value.ToString();
        }
    }

    private static string ValueText(PrimitiveType type, IcebergValue value) => type.Id switch
    {
        TypeId.Date => TemporalText.FormatDate(value.AsInt()),
        TypeId.Time => TemporalText.FormatTimeShort(value.AsLong()),
        TypeId.Timestamp => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000, "", trimZeros: true),
        TypeId.TimestampTz => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000, "+00:00", trimZeros: true),
        TypeId.TimestampNs => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000_000, "", trimZeros: true),
        TypeId.TimestampTzNs => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000_000, "+00:00", trimZeros: true),
        TypeId.Fixed or TypeId.Binary => Convert.ToBase64String(value.AsBinary()),
        _ => value.ToString(),
    };

    /// <summary>Form URL encoding as Java's URLEncoder does it: letters, digits and <c>.-*_</c> stay, a space becomes <c>+</c>.</summary>
    private static void AppendEncoded(StringBuilder path, string text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value is '.' or '-' or '*' or '_'))
            {
                path.Append((char)rune.Value);
                continue;
            }
            if (rune.Value == ' ')
            {
                path.Append('+');
                continue;
            }
            foreach (var part in utf8[..rune.EncodeToUtf8(utf8)])
                path.Append('%').Append(part.ToString("X2", CultureInfo.InvariantCulture));
        }
    }
}
