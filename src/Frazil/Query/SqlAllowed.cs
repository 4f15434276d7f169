using System.Collections.Frozen;

namespace Frazil.Query;

/// <summary>The names that the gate goes by. Kinds of syntax and table functions are allowed by name; scalar functions, of which DuckDB has
/// seven hundred harmless ones, are denied by name (a test pins the list that was reviewed to libduckdb's version).</summary>
internal static class SqlAllowed
{
    public static readonly FrozenSet<string> QueryNodes = FrozenSet.Create(
        "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE");

    public static readonly FrozenSet<string> TableReferences = FrozenSet.Create("SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT");

    public static readonly FrozenSet<string> Expressions = FrozenSet.Create(
        "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA", "LAMBDA_REF",
        "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW");

    public static readonly FrozenSet<string> TableFunctions = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "unnest");

    private static readonly FrozenSet<string> DeniedFunctions = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        // The process, its settings, logs and sequences.
        "getenv", "current_setting", "getvariable", "write_log", "nextval", "currval", "sleep_ms", "pg_sleep",
        // SQL inside of text.
        "query", "query_table", "json_serialize_sql", "json_deserialize_sql", "json_serialize_plan", "json_execute_serialized_sql",
        // They trust bytes that a user could make up.
        "combine", "finalize", "variant_bytes_to_variant",
        // Files, in case a later DuckDB offers them as scalar functions too.
        "read_text", "read_blob", "read_csv", "read_json", "read_parquet", "parquet_scan", "glob");

    public static bool IsDeniedFunction(string name) =>
        DeniedFunctions.Contains(name) || name.StartsWith("__internal", StringComparison.OrdinalIgnoreCase);
}
