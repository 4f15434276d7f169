using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Frazil.Server.Demo;

/// <summary>
/// A shop's events as JSON, the same for the same seed (but for their timestamps): visitors who look around, fill carts and sometimes
/// buy. A few visitors cause most of it, as in life. Not thread-safe.
/// </summary>
internal sealed class ShopEvents : IDisposable
{
    private const int Visitors = 20_000;

    private static readonly (string Type, int Weight)[] Types =
        [("page_view", 52), ("product_view", 24), ("search", 9), ("add_to_cart", 9), ("checkout", 3), ("purchase", 3)];

    private static readonly string[] Pages = [
        "/", "/sale", "/new", "/category/shoes", "/category/jackets", "/category/garden", "/help", "/account"];
    private static readonly string[] Currencies = ["EUR", "EUR", "EUR", "USD", "USD", "GBP", "CHF", "PLN"];
    private static readonly (string Os, string[] Browsers)[] Systems =
    [
        ("Android", ["Chrome", "Firefox", "Samsung Internet"]), ("iOS", ["Safari", "Chrome"]), ("Windows", ["Chrome", "Edge", "Firefox"]),
        ("macOS", ["Safari", "Chrome"]), ("Linux", ["Firefox", "Chrome"]),
    ];

    private static readonly string[] Tags = ["returning", "newsletter", "mobile", "campaign-spring", "beta", "vip", "gift", "first-visit"];

    private readonly Random random;
    private readonly ArrayBufferWriter<byte> buffer = new(1024);
    private readonly Utf8JsonWriter json;
    private readonly byte[] key = new byte[16];
    private int keyLength;

    public ShopEvents(int seed)
    {
        random = new Random(seed);
        json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
    }

    /// <summary>The visitor of the last event, as text; the record's key.</summary>
    public ReadOnlySpan<byte> Key => key.AsSpan(0, keyLength);

    /// <summary>Makes the next event.</summary>
    /// <param name="now">Its <c>event_timestamp</c>.</param>
    /// <returns>UTF-8 JSON, valid until the next call.</returns>
    public ReadOnlySpan<byte> Next(DateTimeOffset now)
    {
        // The square of a uniform number gathers at the low end: the busy visitors.
        var uniform = random.NextDouble();
        var visitor = (int)(uniform * uniform * Visitors);
        var type = PickType();
        Utf8Formatter.TryFormat(visitor, key, out keyLength);
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        json.WriteNumber("user_id"u8, visitor);
        json.WriteString("event_type"u8, type);
        WriteAmount(type);
        WriteTimestamp(now);
        WriteSession(visitor, now);
        WritePage(type);
        WriteDevice(visitor);
        WriteTags(visitor);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }

    public void Dispose() => json.Dispose();

    private string PickType()
    {
        var pick = random.Next(100);
        foreach (var (type, weight) in Types)
        {
            pick -= weight;
            if (pick < 0)
            {
                return type;
            }
        }
        return Types[0].Type;
    }

    private void WriteAmount(string type)
    {
        if (type is "purchase" or "checkout" or "add_to_cart")
        {
            json.WriteNumber("amount"u8, new decimal(random.Next(199, 49_999), 0, 0, false, 2));
            json.WriteString("currency"u8, Currencies[random.Next(Currencies.Length)]);
        }
        else
        {
            json.WriteNull("amount"u8);
            json.WriteNull("currency"u8);
        }
    }

    private void WriteTimestamp(DateTimeOffset now)
    {
        Span<byte> text = stackalloc byte[40];
        now.UtcDateTime.TryFormat(text, out var written, "yyyy-MM-ddTHH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        json.WriteString("event_timestamp"u8, text[..written]);
    }

    /// <summary>A visitor's session lasts for half an hour of the clock.</summary>
    private void WriteSession(int visitor, DateTimeOffset now)
    {
        Span<byte> text = stackalloc byte[32];
        Encoding.UTF8.TryGetBytes("s-", text, out var length);
        Utf8Formatter.TryFormat(now.ToUnixTimeSeconds() / 1800, text[length..], out var written, 'x');
        length += written;
        text[length++] = (byte)'-';
        Utf8Formatter.TryFormat(visitor, text[length..], out written, 'x');
        json.WriteString("session_id"u8, text[..(length + written)]);
    }

    private void WritePage(string type)
    {
        if (type is "page_view" or "search")
        {
            json.WriteString("page"u8, type == "search" ? "/search" : Pages[random.Next(Pages.Length)]);
            return;
        }
        if (type is "checkout" or "purchase")
        {
            json.WriteString("page"u8, "/checkout"u8);
            return;
        }
        Span<byte> text = stackalloc byte[24];
        Encoding.UTF8.TryGetBytes("/product/", text, out var length);
        Utf8Formatter.TryFormat(random.Next(1, 2_000), text[length..], out var written);
        json.WriteString("page"u8, text[..(length + written)]);
    }

    private void WriteDevice(int visitor)
    {
        var (os, browsers) = Systems[visitor % Systems.Length];
        json.WriteStartObject("device"u8);
        json.WriteString("os"u8, os);
        json.WriteString("browser"u8, browsers[visitor % browsers.Length]);
        json.WriteNumber("version"u8, 100 + (visitor % 40));
        json.WriteEndObject();
    }

    private void WriteTags(int visitor)
    {
        json.WriteStartArray("tags"u8);
        for (var index = 0; index < visitor % 4; index++)
        {
            json.WriteStringValue(Tags[(visitor + (index * 3)) % Tags.Length]);
        }
        json.WriteEndArray();
    }
}
