using System.Globalization;
using System.Text;

namespace Frazil.Tests.Formats.Json;

/// <summary>Records, sound ones and ones broken in the ways that break parsers, from a seed.</summary>
internal sealed class JsonMutations(Random random)
{
    private static readonly string[] Zones = ["Z", "z", "+05:30", "-0530", "+05", "-00"];

    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "null", "true", "false", " ", "\t", "\n", "\r", "\0", "\u0001", "\u007f", "\uFEFF", "é",
        "€", "😀", "\\u0041", "\\ud83d\\ude00", "\\ud83d", "\\ude00",
        "\\n", "\\x", "\\u12", "\\\"", "\\\\", "\\/", "0", "-0", "1", "-", "+", ".", "e", "E", "e5", "E+5", "e-5", "e400", "-1", "01",
        "1.0", "0.1", "1e2", "NaN", "Infinity", "2147483647", "2147483648", "-2147483648",
        "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9007199254740992",
        "9007199254740993", "18446744073709551616", "12345678", "1234567812345678", "99999999999999999999",
        "0.30000000000000004", "1.7976931348623157e308", "1.8e308", "5e-324", "2e-324", "2.2250738585072011e-308", "123456789.123456789",
        "0.00000001", "12345.678900", "1e22", "1e23", "16777217", "0.1234567", "3.4028236e38",
        "2026-01-01T00:00:00.000Z", "2026-02-29", "1969-12-31", "23:59:59.999999", "T", "Z", "+00:00", "-05:30", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z", ".1234567", ".123456000",
        "AAEC", "AA==", "AAE=", "=", "123e4567-e89b-12d3-a456-426614174000", "\"id\":", "\"s\":", ",\"n\":null", ",\"n\":1",
        ",\"n\":{\"a\":null,\"a\":null}", ",\"n\":[[[]]]", "/*x*/", "//", "'",
    ];

    public byte[] Next()
    {
        var record = Encoding.UTF8.GetBytes(Record());
        for (var mutations = random.Next(4); mutations > 0; mutations--)
        {
            record = Mutate(record);
        }
        return record;
    }

    private byte[] Mutate(byte[] record)
    {
        var at = random.Next(record.Length + 1);
        var length = Math.Min(random.Next(1, 12), record.Length - at);
        switch (random.Next(8))
        {
            case 0 when at < record.Length:
                var flipped = record.ToArray();
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1 when at < record.Length:
                var replaced = record.ToArray();
                replaced[at] = (byte)random.Next(256);
                return replaced;
            case 2:
                return [.. record[..at], .. record[(at + length)..]];
            case 3:
                return [.. record[..(at + length)], .. record[at..]];
            case 4 when random.Next(3) == 0:
                return record[..at];
            default:
                var token = Encoding.UTF8.GetBytes(Tokens[random.Next(Tokens.Length)]);
                return random.Next(2) == 0
                    ? [.. record[..at], .. token, .. record[at..]]
                    : [.. record[..at], .. token, .. record[(at + length)..]];
        }
    }

    private string Record()
    {
        var fields = new List<string> { $"\"id\":{Integer()}" };
        Maybe("b", () => random.Next(2) == 0 ? "true" : "false");
        Maybe("i", () => random.Next(-100_000, 100_000).ToString(CultureInfo.InvariantCulture));
        Maybe(
            "f",
            () => random.Next(2) == 0
                ? random.NextSingle().ToString(CultureInfo.InvariantCulture)
                : $"{random.Next(1000)}.{random.Next(100)}");
        Maybe("d", Number);
        Maybe("dec", () => $"{random.Next(-1000, 1000)}.{random.Next(10_000)}");
        Maybe("date", () => Quote(Instant().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        Maybe("time", () => Quote(Instant().ToString(random.Next(2) == 0 ? "HH:mm:ss" : "HH:mm:ss.ffffff", CultureInfo.InvariantCulture)));
        Maybe("ts", () => Quote(Instant().ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture)));
        Maybe(
            "tz",
            () => Quote(
                Instant().ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture) + Zones[random.Next(Zones.Length)]));
        Maybe("s", Text);
        Maybe("bin", () => Quote(Convert.ToBase64String(Bytes(random.Next(20)))));
        Maybe("fix", () => Quote(Convert.ToBase64String(Bytes(5))));
        Maybe("uuid", () => Quote(new Guid(Bytes(16)).ToString()));
        Maybe(
            "st", () => $"{{\"x\":{random.Next(100)},\"y\":{Text()},\"a_key_that_is_longer_than_one_vector\":{{\"w\":{random.Next(9)}}}}}");
        Maybe("li", () => $"[{string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => $"[{string.Join(", ", Enumerable.Range(0, random.Next(3)).Select(_ => Integer()))}]"))}]");
        Maybe("m", () => $"{{{string.Join(",", Enumerable.Range(0, random.Next(4)).Select(index => $"\"k{index}\":{Number()}"))}}}");
        Maybe("new", () => random.Next(2) == 0 ? "{\"a\":[null,{}]}" : "[{\"deep\":[true]}]", 20);
        if (random.Next(4) == 0)
        {
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(fields));
        }
        var space = random.Next(4) == 0 ? " " : "";
        return $"{{{space}{string.Join($",{space}", fields)}{space}}}";

        void Maybe(string name, Func<string> value, int rarity = 2)
        {
            if (random.Next(rarity) == 0)
            {
                fields.Add($"\"{name}\":{(random.Next(4) == 0 ? " " : "")}{(random.Next(8) == 0 ? "null" : value())}");
            }
        }
    }

    private string Integer() => (random.NextInt64() >> random.Next(63)).ToString(CultureInfo.InvariantCulture);

    private string Number() => random.Next(4) switch
    {
        0 => Integer(),
        1 => BitConverter.Int64BitsToDouble(random.NextInt64()) is var any && double.IsFinite(any)
            ? any.ToString("R", CultureInfo.InvariantCulture)
            : "0",
        2 => $"{random.Next(10_000)}.{random.Next(10_000)}",
        _ => $"{random.NextInt64() >> random.Next(63)}.{random.NextInt64()}e{random.Next(-330, 320)}",
    };

    private DateTime Instant()
        => new DateTime(1, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(random.NextInt64(315_537_897_599L))
            .AddMicroseconds(random.Next(1_000_000));

    private string Text()
    {
        string[] parts = ["a", "plain text ", "é", "日本語", "😀", "\\n", "\\u00e9", "\\ud83d\\ude00", "x", "0123456789abcdef0123456789abcdef"];
        return Quote(string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => parts[random.Next(parts.Length)])));
    }

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Quote(string text) => $"\"{text}\"";
}
