using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>
/// Decides which SQL of users may run: one SELECT (or EXPLAIN, DESCRIBE, SUMMARIZE of one) over tables, with functions that touch nothing
/// of the machine. DuckDB's own parser reads the statement, as JSON; what the gate does not know it refuses. DuckDB's sandbox settings
/// alone are not enough: COPY, ATTACH, EXPLAIN ANALYZE COPY and enable_logging() pass them. Thread-safe.
/// </summary>
public sealed class SqlGate : IDisposable
{
    /// <summary>Longest statement taken, in characters.</summary>
    public const int MaxLength = 1 << 20;

    private const int MaxDepth = 3000;
    private static readonly string[] ExplainWords = ["EXPLAIN", "ANALYZE"];
    private readonly DuckDbInstance duck;
    private readonly ConcurrentBag<DuckDbConnection> idle = [];

    /// <summary>A gate with a DuckDB of its own, on which no user's SQL ever runs.</summary>
    public SqlGate() => duck = DuckDbInstance.Open(new Dictionary<string, string>
    {
        ["threads"] = "1",
        ["memory_limit"] = "128MiB",
        ["temp_directory"] = "",
        ["enable_external_access"] = "false",
        ["autoinstall_known_extensions"] = "false",
        ["autoload_known_extensions"] = "false",
        ["lock_configuration"] = "true",
    });

    /// <exception cref="SqlException">The statement is wrong or not allowed; says where and why.</exception>
    public GatedSql Parse(string sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        if (sql.Length > MaxLength)
        {
            throw new SqlException($"The statement has {sql.Length} characters; at most {MaxLength} are taken.", null);
        }
        if (sql.IndexOf('\0', StringComparison.Ordinal) is var zero && zero >= 0)
        {
            throw new SqlException("A statement must not hold the character U+0000.", zero);
        }
        var start = ExplainLength(sql);
        var positions = new SqlPositions(sql, start);
        var tree = Serialize(sql[start..]);
        try
        {
            using var document = JsonDocument.Parse(tree, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return Judge(sql, document.RootElement, positions, isExplain: start > 0);
        }
        catch (JsonException failure)
        {
            throw new SqlException(Unreadable(tree), null, failure);
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException)
        {
            throw new SqlException("The statement has a form that is not known to be harmless.", null, failure);
        }
    }

    public void Dispose()
    {
        while (idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
        duck.Dispose();
    }

    private static GatedSql Judge(string sql, JsonElement answer, SqlPositions positions, bool isExplain)
    {
        if (answer.GetProperty("error").GetBoolean())
        {
            throw Refusal(answer, positions);
        }
        var statements = answer.GetProperty("statements");
        if (statements.GetArrayLength() != 1)
        {
            throw new SqlException($"One SELECT statement is wanted; there are {statements.GetArrayLength()} statements.", null);
        }
        var walk = new SqlGateWalk(positions);
        var node = statements[0].GetProperty("node");
        if (!isExplain && SqlGateWalk.IsShowTables(node))
        {
            return new GatedSql(sql, []) { IsShowTables = true };
        }
        walk.VisitStatement(statements[0]);
        return new GatedSql(sql, walk.Tables) { CountColumn = isExplain || walk.Tables.Count != 1 ? null : SqlGateWalk.CountColumn(node) };
    }

    private static SqlException Refusal(JsonElement answer, SqlPositions positions)
    {
        var message = answer.GetProperty("error_message").GetString() ?? "";
        if (answer.TryGetProperty("error_type", out var type) && type.GetString() == "not implemented")
        {
            return new SqlException("Only SELECT statements are allowed here: tables are read by SQL, and written through Kafka.", 0);
        }
        if (!answer.TryGetProperty("position", out var at) || !ulong.TryParse(at.GetString(), CultureInfo.InvariantCulture, out var value))
        {
            return new SqlException(message, null);
        }
        // The grammar counts code points where everything else counts bytes.
        var isGrammar = answer.TryGetProperty("error_subtype", out var subtype) && subtype.GetString() == "SYNTAX_ERROR";
        return new SqlException(message, isGrammar ? positions.CharacterOfCodePoint(value) : positions.Character(value));
    }

    /// <summary>Why what DuckDB wrote is not JSON to us. It writes a number that no DOUBLE can hold as a bare Infinity.</summary>
    private static string Unreadable(string tree)
    {
        var (depth, isText) = (0, false);
        for (var at = 0; at < tree.Length; at++)
        {
            switch (tree[at])
            {
                case '\\' when isText:
                    at++;
                    break;
                case '"':
                    isText = !isText;
                    break;
                case '{' or '[' when !isText && ++depth > MaxDepth:
                    return "The statement is nested too deeply.";
                case '}' or ']' when !isText:
                    depth--;
                    break;
                case 'I' or 'i' or 'N' when !isText:
                    return "A number of the statement is beyond the range of a DOUBLE, which ends at about 1.8e308. Write a smaller one, "
                        + "or 'infinity'::DOUBLE.";
            }
        }
        return "The statement has a form that is not known to be harmless.";
    }

    private string Serialize(string sql)
    {
        if (!idle.TryTake(out var connection))
        {
            connection = duck.Connect();
        }
        try
        {
            using var result = connection.Query("SELECT json_serialize_sql(CAST(? AS VARCHAR))", [sql]);
            return (string)result.ReadRows()[0][0]!;
        }
        catch (DuckDbException failure)
        {
            throw new SqlException(failure.Message, null, failure);
        }
        finally
        {
            idle.Add(connection);
        }
    }

    /// <summary>Characters of a leading EXPLAIN or EXPLAIN ANALYZE. What follows must pass the gate by itself.</summary>
    private static int ExplainLength(string sql)
    {
        var end = 0;
        foreach (var word in ExplainWords)
        {
            var at = end;
            while (at < sql.Length && char.IsAsciiLetterOrDigit(sql[at]) is false && char.IsWhiteSpace(sql[at]))
            {
                at++;
            }
            var after = at + word.Length;
            if (after >= sql.Length || !char.IsWhiteSpace(sql[after])
                || !sql.AsSpan(at, word.Length).Equals(word, StringComparison.OrdinalIgnoreCase))
            {
                break;
            }
            end = after;
        }
        return end;
    }
}

/// <summary>Turns DuckDB's positions (UTF-8 bytes from where its text began) into characters of the whole statement.</summary>
internal sealed class SqlPositions(string sql, int start)
{
    public int? CharacterOfCodePoint(ulong position)
    {
        var at = start;
        for (; position > 0 && at < sql.Length; position--)
        {
            at += char.IsHighSurrogate(sql[at]) && at + 1 < sql.Length ? 2 : 1;
        }
        return at;
    }

    public int? Character(ulong bytePosition)
    {
        // DuckDB says "unknown" with its largest number.
        var bytes = 0UL;
        for (var at = start; at < sql.Length; at++)
        {
            if (bytes >= bytePosition)
            {
                return at;
            }
            bytes += sql[at] < 0x80 ? 1UL : sql[at] < 0x800 || char.IsSurrogate(sql[at]) ? 2UL : 3UL;
        }
        return bytes >= bytePosition ? sql.Length : null;
    }
}
