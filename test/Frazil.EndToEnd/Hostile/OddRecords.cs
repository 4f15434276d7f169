using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Frazil.EndToEnd.Hostile;

/// <summary>
/// The grammar of what producers send: plain records, which every table of the suite declares columns for, and odd ones, each of a named
/// shape. What a shape gives follows from the random numbers alone.
/// </summary>
internal static partial class OddRecords
{
    /// <summary>Values that predicates ask for, too.</summary>
    public static readonly string[] Names = ["view", "cart", "buy", "naïve", "中文", "", " ", "a/b", "%2F"];

    private static readonly Dictionary<string, Func<Random, long, OddRecord>> Shapes = Odd()
        .Concat(Broken()).Concat(Envelopes()).ToDictionary(static one => one.Shape, static one => one.Make);

    /// <summary>Names of all shapes, in a fixed order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Shapes.Keys];

    public static OddRecord Make(string shape, Random random, long seq) => Shapes[shape](random, seq) with { Shape = shape };

    /// <summary>One that fits the declared columns; all it says follows from the random numbers.</summary>
    public static OddRecord Plain(Random random, long seq)
    {
        var text = $$"""{"seq": {{seq}}, {{Declared(random)}}}""";
        var key = random.Next(3) switch { 0 => null, 1 => (byte[])[0, 0, 0, 0, (byte)random.Next(8)], _ => Encoding.UTF8.GetBytes($"k{seq % 5}") };
        return new("plain", RecordKind.Plain, seq, Encoding.UTF8.GetBytes(text)) { Key = key };
    }

    private static string Declared(Random random) => string.Create(CultureInfo.InvariantCulture, $"""
        "name": {Quoted(Any(random, Names))}, "amount": {random.Next(100_000) / 100m}, "price": {Any(random, "0", "-0.0", "1.5", "-2.25", "1e300")}, "at": "2026-0{random.Next(1, 10)}-1{random.Next(10)}T12:00:0{random.Next(10)}Z", "flag": {Any(random, "true", "false", "null")}
        """);

    /// <summary>A record of given members, after the sequence number.</summary>
    private static OddRecord Record(RecordKind kind, long seq, string members)
        => new("", kind, seq, Encoding.UTF8.GetBytes(members.Length == 0 ? $$"""{"seq": {{seq}}}""" : $$"""{"seq": {{seq}}, {{members}}}"""));

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private static T Any<T>(Random random, params T[] of) => of[random.Next(of.Length)];
}
