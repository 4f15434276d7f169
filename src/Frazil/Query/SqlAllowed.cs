using System.Buffers;
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
        // They recurse into what they are given, and end the process where that is deep.
        "json_structure", "json_group_structure", "json_contains", "json_merge_patch", "json_transform", "json_transform_strict",
        "from_json", "from_json_strict",
        // They keep their effect for the next one who is given the session, or show what is none of a user's business.
        "setseed", "pg_get_viewdef",
        // Files, in case a later DuckDB offers them as scalar functions too.
        "read_text", "read_blob", "read_csv", "read_json", "read_parquet", "parquet_scan", "glob");

    /// <summary>Types whose casts and functions end or freeze the process where values are deep.</summary>
    private static readonly FrozenSet<string> DeniedTypes = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "VARIANT");

    /// <summary>Names that DuckDB looks for in its own catalog, or on the disk, where nothing else has them.</summary>
    private static readonly string[] InternalPrefixes = ["duckdb_", "pg_", "pragma_", "sqlite_"];

    private static readonly SearchValues<char> FileLetters = SearchValues.Create("/\\.*?[:");

    public static bool IsDeniedFunction(string name) =>
        DeniedFunctions.Contains(name) || name.StartsWith("__internal", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("variant_", StringComparison.OrdinalIgnoreCase);

    public static bool IsDeniedType(string name) => DeniedTypes.Contains(name);

    /// <summary>A name that could be meant for a file or for one of DuckDB's own views.</summary>
    public static bool IsForeignName(string name) =>
        name.AsSpan().IndexOfAny(FileLetters) >= 0
            || InternalPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
