using System.Globalization;
using System.Text.RegularExpressions;

namespace Frazil.Bench;

/// <summary>One sample.</summary>
/// <param name="Thread">The thread's name, which Linux cuts to 15 characters.</param>
/// <param name="Module">The library, or <c>managed</c>.</param>
/// <param name="Function">Its name as far as it is known.</param>
internal sealed partial record ProfileSample(string Thread, string Module, string Function)
{
    /// <returns>Null for what is no sample.</returns>
    public static ProfileSample? Parse(string line, JitMap map)
    {
        if (Line().Match(line.Replace(" (deleted)", "", StringComparison.Ordinal)) is not { Success: true } match)
        {
            return null;
        }
        var address = ulong.Parse(match.Groups["ip"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var (thread, function, module) = (match.Groups["comm"].Value, match.Groups["sym"].Value, match.Groups["dso"].Value);
        return map.Find(address) is { } managed
            ? new(thread, "managed", managed)
            : new(thread, module[(module.LastIndexOf('/') + 1)..], function);
    }

    [GeneratedRegex(@"^\s*(?<comm>.*?)\s+(?<ip>[0-9a-f]+) (?<sym>.*) \((?<dso>.*)\)\s*$")]
    private static partial Regex Line();
}

/// <summary>Functions that the runtime compiled, by address, as it tells perf.</summary>
internal sealed class JitMap
{
    private readonly SortedList<ulong, (ulong End, string Name)> functions = [];

    public static JitMap Read(string path)
    {
        var map = new JitMap();
        foreach (var line in File.ReadLines(path))
        {
            var parts = line.Split(' ', 3);
            if (parts.Length == 3 && TryNumber(parts[0], out var start) && TryNumber(parts[1], out var size))
            {
                map.functions[start] = (start + size, parts[2]); // a later one has taken the place of an earlier one
            }
        }
        return map.functions.Count > 0 ? map : throw new InvalidDataException($"{path} names no function: its form is not known.");
    }

    /// <summary>Hexadecimal, with 0x before it or without: runtimes differ.</summary>
    private static bool TryNumber(string text, out ulong number) => ulong.TryParse(
        text.StartsWith("0x", StringComparison.Ordinal) ? text.AsSpan(2) : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out number);

    public string? Find(ulong address)
    {
        var (low, high) = (0, functions.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = functions.Keys[middle] <= address ? (middle + 1, high) : (low, middle);
        }
        return low > 0 && address < functions.Values[low - 1].End ? functions.Values[low - 1].Name : null;
    }
}
