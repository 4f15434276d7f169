using System.Text.Json;

namespace Frazil.Rig;

/// <summary>What <c>frazil verify --json</c> says of one table.</summary>
public sealed class Verification
{
    private readonly JsonElement table;

    private Verification(int code, JsonElement table) => (Code, this.table) = (code, table);

    public int Code { get; }

    public bool IsProven => table.GetProperty("proven").GetBoolean();

    public string Json => table.GetRawText();

    /// <summary>Every finding as <c>kind [partition] ranges</c>: <c>lost 0 3..5,9</c>; those of the whole table have no
    /// partition.</summary>
    public IReadOnlyList<string> Findings =>
    [
        .. table.GetProperty("findings").EnumerateArray().Select(static finding => Text(finding, "")),
        .. Partitions.SelectMany(
            static partition => partition.GetProperty("findings").EnumerateArray()
                .Select(finding => Text(finding, $"{partition.GetProperty("partition").GetInt32()} "))),
    ];

    public IReadOnlyList<JsonElement> Partitions => [.. table.GetProperty("partitions").EnumerateArray()];

    /// <summary>The sum over all partitions of <c>rows</c>, <c>dead_letters</c> or another number.</summary>
    public long Sum(string number) => Partitions.Sum(partition => partition.GetProperty(number).GetInt64());

    /// <summary>The sum over all partitions of one kind of recorded gaps.</summary>
    public long Gaps(string kind) => Partitions.Sum(partition => partition.GetProperty("gaps").GetProperty(kind).GetInt64());

    /// <summary>Runs the real binary.</summary>
    public static async Task<Verification> RunAsync(
        string folder, string configFile, string table, bool deep, CancellationToken cancellationToken)
    {
        string[] arguments = ["verify", table, "-c", configFile, "--json", .. deep ? (string[])["--deep"] : []];
        var (code, output, errors) = await FrazilProcess.RunAsync(folder, arguments, cancellationToken);
        if (output.Length == 0)
        {
            throw new InvalidOperationException($"frazil verify ended with {code} and wrote nothing but: {errors}");
        }
        using var json = JsonDocument.Parse(output);
        return new(code, json.RootElement.GetProperty("tables")[0].Clone());
    }

    private static string Text(JsonElement finding, string partition)
    {
        var ranges = finding.GetProperty("offsets").EnumerateArray()
            .Select(static range => (First: range[0].GetInt64(), Last: range[1].GetInt64()));
        return $"{finding.GetProperty("kind").GetString()} {partition}{string.Join(',', ranges.Select(static range => range.First == range.Last ? $"{range.First}" : $"{range.First}..{range.Last}"))}".TrimEnd();
    }
}
