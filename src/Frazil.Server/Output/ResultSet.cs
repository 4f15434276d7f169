using System.Text.Json;

namespace Frazil.Server.Output;

/// <summary>Rows as text, ready to be shown, whether they came from a server's JSON or from a catalog.</summary>
/// <param name="Columns">Names and SQL types.</param>
/// <param name="Rows">One text a column; null for SQL's null.</param>
public sealed record ResultSet(IReadOnlyList<ResultColumn> Columns, IReadOnlyList<string?[]> Rows)
{
    /// <summary>Reads the answer of <c>POST /v1/sql</c>.</summary>
    public static ResultSet FromJson(JsonElement answer)
    {
        var columns = answer.GetProperty("columns").EnumerateArray()
            .Select(column => new ResultColumn(column.GetProperty("name").GetString() ?? "", column.GetProperty("type").GetString() ?? ""));
        var rows = answer.GetProperty("rows").EnumerateArray().Select(row => row.EnumerateArray().Select(Text).ToArray());
        return new ResultSet([.. columns], [.. rows]);
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };
}

/// <param name="Name">As SQL named it.</param>
/// <param name="Type">SQL type name; decides which side values stand on.</param>
public sealed record ResultColumn(string Name, string Type)
{
    private static readonly string[] NumberTypes = [
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",
        "DOUBLE"];

    public bool IsNumber
        => NumberTypes.Contains(Type, StringComparer.OrdinalIgnoreCase) || Type.StartsWith("DECIMAL", StringComparison.OrdinalIgnoreCase);
}
