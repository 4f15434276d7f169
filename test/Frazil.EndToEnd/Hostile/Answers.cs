using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Frazil.EndToEnd.Hostile;

/// <summary>The predicates whose answers must be the same whether the rows are in memory or in files, and how often each column has a
/// value.</summary>
internal static class Answers
{
    /// <summary>Beyond the declared columns, so many more are asked for their values' digest.</summary>
    private const int MostOthers = 24;

    private static readonly (string Column, string Type, string[] Predicates)[] Declared =
    [
        ("name", "VARCHAR", [.. OddRecords.Names.Select(static name => $"name = {Text(name)}"), "name is null", "name > 'c'", "name like 'a%'",
            $"name = {Text(new string('a', 256))}", $"name = {Text(string.Concat(Enumerable.Repeat("中", 40)))}", "name in ('..', 'view', '=')"]),
        ("price", "DOUBLE", ["price = 0", "price = -0.0", "price < 0", "price >= 1.5", "price is null", "price = 1e300"]),
        ("amount", "DECIMAL(10,2)", ["amount < 500", "amount = 12.34", "amount is null", "amount > 99999999"]),
        ("at", "TIMESTAMP WITH TIME ZONE", ["\"at\" < '2026-05-01'::timestamptz", "\"at\" is null", "\"at\" > '2100-01-01'::timestamptz", "\"at\" < '1970-01-01'::timestamptz"]),
        ("flag", "BOOLEAN", ["flag", "not flag", "flag is null"]),
        ("kafka_key", "BLOB", [@"kafka_key = '\x00\x00\x00\x00\x07'::blob", "kafka_key is null", "kafka_key = ''::blob", @"kafka_key >= '\xFF'::blob", "kafka_key = 'k1'::blob"]),
        ("kafka_timestamp", "TIMESTAMP WITH TIME ZONE", ["kafka_timestamp < '1971-01-01'::timestamptz", "kafka_timestamp is null"]),
        ("seq", "BIGINT", ["seq < 10", "seq is null", "seq = 7"]),
    ];

    /// <summary>SQL for a digest of every predicate, of the rows whose position lies below given ends.</summary>
    public static string Sql(string table, IReadOnlyList<(string Name, string Type)> columns, IReadOnlyList<long> ends)
    {
        var below = string.Join(" or ", ends.Select((end, partition) => $"(kafka_partition = {partition} and kafka_offset < {end})"));
        var known = Declared.Where(one => columns.Contains((one.Column, one.Type))).SelectMany(static one => one.Predicates).Prepend("true");
        var sql = new StringBuilder();
        foreach (var predicate in known)
        {
            sql.Append(CultureInfo.InvariantCulture,
                $"select {Text(predicate)} as p, count(*) as n, coalesce(sum(kafka_offset * 31 + kafka_partition), 0)::varchar as d from {table} where ({below}) and ({predicate}) union all ");
        }
        foreach (var (name, _) in Distinguishable(columns).Take(MostOthers))
        {
            var column = Quoted(name);
            sql.Append(CultureInfo.InvariantCulture,
                $"select {Text($"values of {name}")}, count({column}), bit_xor(hash({column}))::varchar from {table} where ({below}) union all ");
        }
        return $"select * from ({sql.ToString()[..^" union all ".Length]}) order by all";
    }

    /// <summary>SQL that counts rows, and values of each column.</summary>
    public static string CountSql(string table, IEnumerable<string> columns)
        => $"select count(*), {string.Join(", ", columns.Select(static name => $"count({Quoted(name)})"))} from {table}";

    /// <summary>What two answers differ in; empty where they do not.</summary>
    public static string Difference(JsonElement hot, JsonElement cold)
    {
        var (one, other) = (Lines(hot), Lines(cold));
        return string.Join("; ", one.Except(other).Select(static line => $"at first {line}").Concat(other.Except(one).Select(static line => $"later {line}")));
    }

    private static List<string> Lines(JsonElement answer)
        => [.. answer.GetProperty("rows").EnumerateArray().Select(static row => row.GetRawText())];

    /// <summary>SQL cannot address two columns that differ only by case.</summary>
    private static IEnumerable<(string Name, string Type)> Distinguishable(IReadOnlyList<(string Name, string Type)> columns)
        => columns.GroupBy(static column => column.Name, StringComparer.OrdinalIgnoreCase)
            .Where(static group => group.Count() == 1).Select(static group => group.Single());

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
