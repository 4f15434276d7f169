using System.Globalization;
using System.Text.RegularExpressions;
using Frazil.Iceberg;
using Frazil.Iceberg.Expressions;

namespace Frazil.Tests.Iceberg;

/// <summary>The little SQL that the golden tables' filters are written in.</summary>
internal sealed partial class WhereParser
{
    private readonly List<string> tokens;
    private readonly Schema schema;
    private int position;

    private WhereParser(string where, Schema schema)
    {
        tokens = [.. Token().Matches(where).Select(match => match.Value)];
        this.schema = schema;
    }

    public static Expression Parse(string where, Schema schema)
    {
        var parser = new WhereParser(where, schema);
        var expression = parser.ParseOr();
        return parser.position == parser.tokens.Count
            ? expression
            : throw new InvalidOperationException($"'{where}' goes on at {parser.Peek}");
    }

    [GeneratedRegex("""X'[0-9a-f]*'|'(?:[^']|'')*'|`[^`]*`|<>|<=|>=|[<>=(),]|-?\d+(?:\.\d+)?D?|[\w.]+""")]
    private static partial Regex Token();

    private string Peek => position < tokens.Count ? tokens[position] : "";

    private bool TryTake(string word)
    {
        if (!Peek.Equals(word, StringComparison.OrdinalIgnoreCase))
            return false;
        position++;
        return true;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (TryTake("OR"))
            left |= ParseAnd();
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (TryTake("AND"))
            left &= ParseNot();
        return left;
    }

    private Expression ParseNot() => TryTake("NOT") ? !ParseNot() : ParsePredicate();

    private Expression ParsePredicate()
    {
        var column = tokens[position++].Trim('`');
        switch (Peek.ToUpperInvariant())
        {
            case "IS":
                position++;
                var negated = TryTake("NOT");
                TryTake("NULL");
                return negated ? Expression.NotNull(column) : Expression.IsNull(column);
            case "IN":
                position++;
                TryTake("(");
                var literals = new List<IcebergValue>();
                do
                    literals.Add(ParseLiteral(column));
                while (TryTake(","));
                TryTake(")");
                return Expression.In(column, literals);
            case "BETWEEN":
                position++;
                var low = ParseLiteral(column);
                TryTake("AND");
                return Expression.GreaterThanOrEqual(column, low) & Expression.LessThanOrEqual(column, ParseLiteral(column));
            case "LIKE":
                position++;
                return Expression.StartsWith(column, ParseLiteral(column).AsString().TrimEnd('%'));
            case "=" or "<>" or "<" or "<=" or ">" or ">=":
                var comparison = tokens[position++];
                var literal = ParseLiteral(column);
                return comparison switch
                {
                    "=" => Expression.Equal(column, literal),
                    "<>" => Expression.NotEqual(column, literal),
                    "<" => Expression.LessThan(column, literal),
                    "<=" => Expression.LessThanOrEqual(column, literal),
                    ">" => Expression.GreaterThan(column, literal),
                    _ => Expression.GreaterThanOrEqual(column, literal),
                };
            default:
                return Expression.Equal(column, true);
        }
    }

    private IcebergValue ParseLiteral(string column)
    {
        var token = tokens[position++];
        if (token is "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ")
        {
            var text = tokens[position++].Trim('\'');
            return schema.FindField(column)!.Type.Id == TypeId.TimestampTz ? text + "+00:00" : text;
        }
        if (token.StartsWith("X'", StringComparison.Ordinal))
            return IcebergValue.From(Convert.FromHexString(token[2..^1]));
        if (token.StartsWith('\''))
            return token[1..^1].Replace("''", "'", StringComparison.Ordinal);
        if (token.EndsWith('D'))
            return double.Parse(token[..^1], CultureInfo.InvariantCulture);
        return token.Contains('.', StringComparison.Ordinal)
            ? IcebergValue.From(decimal.Parse(token, CultureInfo.InvariantCulture))
            : long.Parse(token, CultureInfo.InvariantCulture);
    }
}
