using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Frazil.Columnar;
using Frazil.Tests.Columnar;

namespace Frazil.Tests.Formats.Json;

/// <summary>What a record should become, by Utf8JsonReader, BigInteger and DateTime: slow, obvious, and sharing nothing with the
/// decoder.</summary>
internal static partial class ReferenceJson
{
    public const string Bad = "bad";
    public const string Unknown = "unknown";

    /// <summary>The row as text, <see cref="Bad"/> or <see cref="Unknown"/>.</summary>
    public static string Decode(ReadOnlySpan<byte> record, ColumnFields schema)
    {
        if (!Utf8.IsValid(record))
        {
            return Bad;
        }
        try
        {
            var reader = new Utf8JsonReader(record, new JsonReaderOptions { MaxDepth = 64 });
            var unknown = false;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return Bad;
            }
            var values = ReadObject(ref reader, schema, ref unknown);
            reader.Read(); // text after the object throws
            return unknown ? Unknown : string.Join(" | ", values.Select(ViewReader.Show));
        }
        catch (Exception refused) when (refused is JsonException or FormatException or InvalidOperationException or OverflowException)
        {
            return Bad;
        }
    }

    private static object?[] ReadObject(ref Utf8JsonReader reader, ColumnFields fields, ref bool unknown)
    {
        var values = new object?[fields.Count];
        var seen = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            Require(seen.Add(name));
            reader.Read();
            var position = fields.IndexOfName(name);
            if (position >= 0)
            {
                values[position] = ReadValue(ref reader, fields[position], ref unknown);
            }
            else
            {
                unknown |= SkipHoldsValue(ref reader);
            }
        }
        for (var position = 0; position < fields.Count; position++)
        {
            Require(fields[position].Nullable || values[position] is not null);
        }
        return values;
    }

    private static bool SkipHoldsValue(ref Utf8JsonReader reader)
    {
        var holds = false;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            var seen = new HashSet<string>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                Require(seen.Add(reader.GetString()!));
                reader.Read();
                holds |= SkipHoldsValue(ref reader);
            }
            return holds;
        }
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                holds |= SkipHoldsValue(ref reader);
            }
            return holds;
        }
        if (reader.TokenType == JsonTokenType.String)
        {
            reader.GetString();
        }
        return reader.TokenType != JsonTokenType.Null;
    }

    private static object? ReadValue(ref Utf8JsonReader reader, ColumnField field, ref bool unknown)
    {
        var type = field.Type;
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                Require(field.Nullable);
                return null;
            case JsonTokenType.True or JsonTokenType.False:
                Require(type.Kind == ColumnKind.Boolean);
                return reader.GetBoolean();
            case JsonTokenType.Number:
                return ReadNumber(Encoding.ASCII.GetString(reader.ValueSpan), type);
            case JsonTokenType.String:
                return ReadText(reader.GetString()!, type);
            case JsonTokenType.StartArray:
                Require(type.Kind == ColumnKind.List);
                var elements = new List<object?>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    elements.Add(ReadValue(ref reader, type.Fields[0], ref unknown));
                }
                return elements.ToArray();
            default:
                return ReadNested(ref reader, type, ref unknown);
        }
    }

    private static object ReadNested(ref Utf8JsonReader reader, ColumnType type, ref bool unknown)
    {
        if (type.Kind == ColumnKind.Struct)
        {
            var values = ReadObject(ref reader, type.Fields, ref unknown);
            return type.Fields.Select((field, index) => (field.Name, values[index])).ToArray();
        }
        Require(type.Kind == ColumnKind.Map);
        var entries = new List<(string, object?)>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            Require(entries.TrueForAll(entry => entry.Item1 != name));
            reader.Read();
            entries.Add((name, ReadValue(ref reader, type.Fields[1], ref unknown)));
        }
        return entries.ToArray();
    }

    private static object ReadNumber(string text, ColumnType type)
    {
        switch (type.Kind)
        {
            case ColumnKind.Int32:
                Require(text.IndexOfAny(['.', 'e', 'E']) < 0);
                return int.Parse(text, CultureInfo.InvariantCulture);
            case ColumnKind.Int64:
                Require(text.IndexOfAny(['.', 'e', 'E']) < 0);
                return long.Parse(text, CultureInfo.InvariantCulture);
            case ColumnKind.Float64:
                return ReadDouble(text);
            case ColumnKind.Float32:
                var single = float.Parse(text, CultureInfo.InvariantCulture);
                Require(float.IsFinite(single));
                Require(single == ReadDouble(text) || HasDigitsOf(text, single));
                return single;
            default:
                Require(type.Kind == ColumnKind.Decimal128);
                var (digits, exponent) = Normalize(text);
                Require(digits.IsZero || (exponent + type.Scale >= 0 && exponent + type.Scale <= type.Precision));
                var value = digits.IsZero ? 0 : digits * BigInteger.Pow(10, (int)exponent + type.Scale);
                Require(BigInteger.Abs(value) < BigInteger.Pow(10, type.Precision));
                return (Int128)value;
        }
    }

    private static double ReadDouble(string text)
    {
        var value = double.Parse(text, CultureInfo.InvariantCulture);
        Require(double.IsFinite(value));
        Require(text.IndexOfAny(['.', 'e', 'E']) >= 0 || new BigInteger(value) == BigInteger.Parse(text, CultureInfo.InvariantCulture));
        return value;
    }

    private static bool HasDigitsOf(string text, float single)
    {
        var written = Normalize(text);
        if (written == Normalize(single.ToString("R", CultureInfo.InvariantCulture)))
        {
            return true;
        }
        var digits = BigInteger.Abs(written.Digits).ToString(CultureInfo.InvariantCulture).Length;
        return digits <= 9 && written == Normalize(single.ToString($"E{digits - 1}", CultureInfo.InvariantCulture));
    }

    /// <summary>Digits without trailing zeros, and the power of ten they are multiplied by.</summary>
    private static (BigInteger Digits, BigInteger Exponent) Normalize(string text)
    {
        var parts = text.Split('e', 'E');
        var exponent = parts.Length > 1 ? BigInteger.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        exponent -= point < 0 ? 0 : parts[0].Length - point - 1;
        var digits = BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        while (!digits.IsZero && digits % 10 == 0)
        {
            digits /= 10;
            exponent++;
        }
        return digits.IsZero ? (0, 0) : (digits, exponent);
    }

    private static object ReadText(string text, ColumnType type)
    {
        switch (type.Kind)
        {
            case ColumnKind.Utf8:
                return text;
            case ColumnKind.Uuid:
                return ViewReader.Hex(Guid.ParseExact(RequireMatch(UuidForm(), text).Value, "D").ToByteArray(bigEndian: true));
            case ColumnKind.Binary or ColumnKind.FixedBinary:
                var bytes = Convert.FromBase64String(text);
                Require(Convert.ToBase64String(bytes) == text && (type.Kind == ColumnKind.Binary || bytes.Length == type.Width));
                return ViewReader.Hex(bytes);
            case ColumnKind.Date32:
                return DateOnly.ParseExact(
                    RequireMatch(DateForm(), text).Value, "yyyy-MM-dd", CultureInfo.InvariantCulture).DayNumber - 719_162;
            case ColumnKind.Time64:
                return ReadTime(RequireMatch(TimeForm(), text));
            default:
                Require(type.Kind is ColumnKind.Timestamp or ColumnKind.TimestampTz);
                return ReadTimestamp(RequireMatch(TimestampForm(), text), type.Kind == ColumnKind.TimestampTz);
        }
    }

    private static long ReadTimestamp(Match match, bool zoned)
    {
        var zone = match.Groups["zone"].Value;
        Require(zoned == zone.Length > 0);
        var day = DateOnly.ParseExact(match.Groups["date"].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture).DayNumber - 719_162L;
        var micros = (day * 86_400_000_000) + ReadTime(match);
        if (zone.Length > 1)
        {
            var hours = int.Parse(zone[1..3], CultureInfo.InvariantCulture);
            var minutes = zone.Length == 3 ? 0 : int.Parse(zone[^2..], CultureInfo.InvariantCulture);
            Require(hours < 24 && minutes < 60);
            micros -= (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000_000L;
        }
        Require(
            micros >= (DateTime.MinValue.Ticks - DateTime.UnixEpoch.Ticks) / 10
                && micros <= (DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks) / 10);
        return micros;
    }

    private static long ReadTime(Match match)
    {
        var time = TimeSpan.ParseExact(match.Groups["time"].Value, "hh\\:mm\\:ss", CultureInfo.InvariantCulture);
        var fraction = match.Groups["fraction"].Value.TrimEnd('0');
        Require(fraction.Length <= 6);
        return (time.Ticks / 10) + (fraction.Length == 0 ? 0 : long.Parse(fraction.PadRight(6, '0'), CultureInfo.InvariantCulture));
    }

    private static Match RequireMatch(Regex form, string text)
    {
        var match = form.Match(text);
        Require(match.Success);
        return match;
    }

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new FormatException();
        }
    }

    [GeneratedRegex(@"\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z")]
    private static partial Regex UuidForm();

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z")]
    private static partial Regex DateForm();

    [GeneratedRegex(@"\A(?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]+))?\z")]
    private static partial Regex TimeForm();

    [GeneratedRegex(@"\A(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]+))?(?<zone>[Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?\z")]
    private static partial Regex TimestampForm();
}
