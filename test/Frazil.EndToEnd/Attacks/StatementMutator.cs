using System.Globalization;
using System.Text.RegularExpressions;

namespace Frazil.EndToEnd.Attacks;

/// <summary>
/// Makes statements that nobody has written: takes known ones apart into tokens, and puts in, leaves out, repeats, exchanges, nests and wraps them. Each
/// follows from the seed and its number alone.
/// </summary>
internal sealed partial class StatementMutator
{
    private const int MostChanges = 5, MostLength = 1 << 19, MostTokens = 2000;

    private static readonly string[] Numbers =
    [
        "0", "-1", "1e308", "-0.0", "NULL", "9223372036854775807", "-9223372036854775808", "4294967296", "2147483647", "1e-320", "99999999999999999999999999999999999999", "0.1::DECIMAL(38,37)",
        "170141183460469231731687303715884105727", "'nan'::DOUBLE", "'infinity'::FLOAT", "1::UTINYINT", "1048577", "65536", "2049",
    ];

    private static readonly string[] Texts =
    [
        "''", "'/etc/passwd'", "'W/**'", "'*'", "'%a%a%a%b'", "'(a*)*b'", "'\u0001'", "'é😀'", "'9999-12-31 23:59:59.999999'", "'294247-01-10'", "'-infinity'", "'00000000-0000-0000-0000-000000000000'",
        "'$.a[*].b'", "'[1,[2,[3,{\"a\":null}]]]'", "'{\"a\":{\"b\":[]}}'", "repeat('a', 100000)", "repeat('[', 50000)", "'\\x00\\xFF'::BLOB", "'Europe/Berlin'", "'en_US'", "chr(0)", "'FM9.99'",
    ];

    private static readonly string[] Types =
    [
        "VARCHAR", "BLOB", "JSON", "INT[]", "INT[3]", "STRUCT(a INT, b VARCHAR[])", "MAP(VARCHAR, INT)", "UNION(i INT, s VARCHAR)", "HUGEINT", "DECIMAL(38, 10)", "TIMESTAMPTZ", "TIME", "INTERVAL", "UUID", "BIT",
        "DOUBLE", "DATE", "VARIANT", "TIMESTAMP_NS", "BIGNUM", "ENUM('a', 'b')", "TIMETZ",
    ];

    /// <summary>Around a statement, which stands where the @ is.</summary>
    private static readonly string[] Wraps =
    [
        "(@)", "explain @", "explain analyze @", "describe @", "summarize @", "select * from (@)", "with t as (@) from t", "with recursive t as (@) from t", "with t as materialized (@) select * from t a, t b",
        "select (@)", "select [(@)]", "select exists (@)", "select 1 where 1 in (@)", "(@) union all (@)", "(@) intersect (@)", "(@) union by name (@)", "(@) except all (@)", "select count(*) from (@) a, lateral (@) b",
        "select * from (@) using sample 10%", "pivot (@) on 1 using count(*)", "from (@) limit 10 offset 2", "select array(@)", "select case when (@) is null then (@) end", "with recursive t as ((@) union all from t) from t limit 10",
        "select unnest([(@)])", "select list_transform(range(100), lambda x: (@))", "select coalesce((@), (@))", "from (@) select columns(*)::VARCHAR", "from (@) order by all", "select distinct on (1) * from (@)",
    ];

    /// <summary>What is nested, as often as a number says: before, between, after.</summary>
    private static readonly (string Before, string After)[] Nests =
    [
        ("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("- -", ""), ("(select ", ")"), ("case when true then ", " end"), ("[[", "]]"), ("abs(", ")"), ("list_value(", ")"), ("{'a': ", "}"), ("map {1: ", "}"),
        ("(select * from (select ", "))"), ("cast(", " as VARCHAR)"), ("", "::VARCHAR"), ("", "[1]"), ("", ".a"), ("", " || 'a'"), ("", " + 1"), ("", " and true"), ("1 in (", ")"), ("lambda x: ", ""), ("row(", ")"),
        ("", " collate nocase"), ("array[", "]"), ("struct_pack(a := ", ")"),
    ];

    private static readonly int[] Depths = [2, 10, 100, 999, 1001, 5000, 50_000];

    private readonly IReadOnlyList<string[]> corpus;
    private readonly IReadOnlyList<string> functions;

    /// <param name="statements">Those that are changed.</param>
    /// <param name="functions">Names to call.</param>
    public StatementMutator(IEnumerable<string> statements, IReadOnlyList<string> functions)
    {
        corpus = [.. statements.Select(static sql => Token().Matches(sql).Select(static token => token.Value).Take(MostTokens).ToArray())];
        this.functions = functions;
    }

    public string Make(int seed, int number)
    {
        var random = new Random(unchecked((seed * 1_000_003) + number));
        var tokens = Pick(random, corpus).ToList();
        for (var changes = random.Next(1, MostChanges + 1); changes > 0; changes--)
        {
            Change(tokens, random);
        }
        var sql = string.Concat(tokens);
        for (; random.Next(3) == 0 && sql.Length < MostLength / 3; sql = Pick(random, Wraps).Replace("@", sql, StringComparison.Ordinal))
        {
        }
        return sql.Length <= MostLength ? sql : sql[..MostLength];
    }

    private void Change(List<string> tokens, Random random)
    {
        var at = tokens.Count == 0 ? 0 : random.Next(tokens.Count);
        switch (tokens.Count == 0 ? 0 : random.Next(14))
        {
            case 0:
                tokens.InsertRange(at, Part(random));
                break;
            case 1:
                tokens.RemoveRange(at, Math.Min(random.Next(1, 6), tokens.Count - at));
                break;
            case 2:
                tokens.InsertRange(at, tokens.GetRange(at, Math.Min(random.Next(1, 12), tokens.Count - at)));
                break;
            case 3:
                var other = random.Next(tokens.Count);
                (tokens[at], tokens[other]) = (tokens[other], tokens[at]);
                break;
            case 4: // the end of another one
                tokens.RemoveRange(at, tokens.Count - at);
                var end = Pick(random, corpus);
                tokens.AddRange(end[random.Next(end.Length)..]);
                break;
            case 5:
                ReplaceGroup(tokens, random);
                break;
            case 6:
                tokens[at] = Nest(tokens[at], random);
                break;
            case 7: // something that no token is
                tokens[at] = tokens[at].Insert(random.Next(tokens[at].Length + 1), ((char)random.Next(1, random.Next(2) == 0 ? 128 : 65_536)).ToString());
                break;
            default:
                tokens[at] = Instead(tokens[at], random);
                break;
        }
    }

    /// <summary>Another of its kind.</summary>
    private string Instead(string token, Random random) => token[0] switch
    {
        '\'' or '"' => Pick(random, Texts),
        >= '0' and <= '9' => random.Next(3) == 0 ? random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture) : Pick(random, Numbers),
        '_' or (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') => random.Next(3) == 0 ? Pick(random, Types) : Pick(random, functions),
        _ => Pick(random, Pick(random, corpus)),
    };

    /// <summary>A few tokens of any statement, or a call.</summary>
    private IEnumerable<string> Part(Random random)
    {
        if (random.Next(3) == 0)
        {
            var arguments = Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(2) == 0 ? Pick(random, Texts) : Pick(random, Numbers));
            return [$" {Pick(random, functions)}({string.Join(", ", arguments)}) "];
        }
        var from = Pick(random, corpus);
        var start = random.Next(from.Length);
        return [" ", .. from[start..Math.Min(from.Length, start + random.Next(1, 15))], " "];
    }

    /// <summary>What stands in parentheses becomes what stands in those of another statement.</summary>
    private void ReplaceGroup(List<string> tokens, Random random)
    {
        if (GroupOf(tokens, random) is not { } mine)
        {
            return;
        }
        var other = Pick(random, corpus);
        tokens.RemoveRange(mine.Start, mine.Length);
        tokens.InsertRange(mine.Start, GroupOf(other, random) is { } its ? other.Skip(its.Start).Take(its.Length) : other.Prepend("(").Append(")"));
    }

    private static (int Start, int Length)? GroupOf(IReadOnlyList<string> tokens, Random random)
    {
        var opens = Enumerable.Range(0, tokens.Count).Where(index => tokens[index] == "(").ToList();
        if (opens.Count == 0)
        {
            return null;
        }
        var (start, depth) = (Pick(random, opens), 0);
        for (var index = start; index < tokens.Count; index++)
        {
            depth += tokens[index] switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 0)
            {
                return (start, index - start + 1);
            }
        }
        return null;
    }

    private static string Nest(string token, Random random)
    {
        var (before, after) = Pick(random, Nests);
        var depth = Math.Min(Pick(random, Depths), MostLength / 4 / Math.Max(1, before.Length + after.Length));
        return string.Concat(Enumerable.Repeat(before, depth)) + token + string.Concat(Enumerable.Repeat(after, depth));
    }

    private static T Pick<T>(Random random, IReadOnlyList<T> list) => list[random.Next(list.Count)];

    [GeneratedRegex("""'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|/\*.*?\*/|[<>=!|:]{2}|\s+|.""", RegexOptions.Singleline)]
    private static partial Regex Token();
}
