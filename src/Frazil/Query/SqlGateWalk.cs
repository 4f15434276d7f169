using System.Text.Json;
using Frazil.Schemas;

namespace Frazil.Query;

/// <summary>Walks a statement as DuckDB's parser printed it, collects its tables and refuses what is not known to be harmless.</summary>
internal sealed class SqlGateWalk(SqlPositions positions)
{
    private readonly List<SqlTableName> tables = [];
    private readonly HashSet<(string? Namespace, string Name)> seen = [];

    /// <summary>Names of the WITHs around what is visited, and how many each.</summary>
    private readonly Dictionary<string, int> visible = new(SqlNameComparer.Instance);
    private readonly Stack<string> named = new();

    public IReadOnlyList<SqlTableName> Tables => tables;

    public static bool IsShowTables(JsonElement node) =>
        node.TryGetProperty("from_table", out var from) && Text(from, "type") == "SHOW_REF" && Text(from, "table_name") == "\"tables\"";

    /// <summary>The name of the only column of a bare <c>SELECT count(*) FROM table</c>; null for anything more.</summary>
    public static string? CountColumn(JsonElement node)
    {
        string[] absent = ["where_clause", "having", "sample", "qualify"];
        string[] empty = ["modifiers", "group_expressions", "group_sets"];
        if (Text(node, "type") != "SELECT_NODE" || node.GetProperty("select_list").GetArrayLength() != 1 || node.GetProperty("cte_map").GetProperty("map").GetArrayLength() > 0
            || Text(node, "aggregate_handling") != "STANDARD_HANDLING" || absent.Any(property => node.GetProperty(property).ValueKind != JsonValueKind.Null) || empty.Any(property => node.GetProperty(property).GetArrayLength() > 0))
        {
            return null;
        }
        var (column, from) = (node.GetProperty("select_list")[0], node.GetProperty("from_table"));
        var isCount = Text(column, "class") == "FUNCTION" && Text(column, "function_name") == "count_star"
            && column.GetProperty("filter").ValueKind == JsonValueKind.Null
            && Text(from, "type") == "BASE_TABLE" && from.GetProperty("sample").ValueKind == JsonValueKind.Null;
        return !isCount ? null : Text(column, "alias") is { Length: > 0 } alias ? alias : "count_star()";
    }

    public void VisitStatement(JsonElement statement)
    {
        if (statement.GetProperty("named_param_map").GetArrayLength() > 0)
        {
            throw new SqlException("Parameters ($1, ?) are not supported; write the values into the statement.", null);
        }
        Visit(statement.GetProperty("node"));
    }

    private void Visit(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                {
                    Visit(item);
                }
                break;
            case JsonValueKind.Object:
                VisitObject(element);
                break;
            default:
                break;
        }
    }

    private void VisitObject(JsonElement element)
    {
        if (element.TryGetProperty("cte_map", out var ctes))
        {
            VisitQuery(element, ctes);
            return;
        }
        if (element.TryGetProperty("class", out var expressionClass))
        {
            VisitExpression(element, expressionClass.GetString() ?? "");
            return;
        }
        if (Text(element, "id") is { Length: > 0 } named && SqlAllowed.IsDeniedType(named))
        {
            throw Refuse($"The type {named} is not allowed in queries: casting a deep value to it ends the process.", null);
        }
        if (element.TryGetProperty("is_null", out _) && element.TryGetProperty("type", out var type)
            && type.ValueKind == JsonValueKind.Object)
        {
            // A constant: its value may be any JSON, but never means anything but itself.
            return;
        }
        if (element.TryGetProperty("query_location", out _))
        {
            VisitTableReference(element, Text(element, "type"));
            return;
        }
        VisitChildren(element);
    }

    private void VisitChildren(JsonElement element)
    {
        foreach (var property in element.EnumerateObject())
        {
            Visit(property.Value);
        }
    }

    /// <summary>A query's common table expressions are visible to those after them and to its body; to themselves only where
    /// recursive.</summary>
    private void VisitQuery(JsonElement query, JsonElement ctes)
    {
        var type = Text(query, "type");
        if (!SqlAllowed.QueryNodes.Contains(type))
        {
            throw Refuse($"A query of kind {type} is not supported.", null);
        }
        var outer = named.Count;
        foreach (var cte in ctes.GetProperty("map").EnumerateArray())
        {
            Visit(cte.GetProperty("value"));
            Name(Text(cte, "key"), query);
        }
        // The first half of a recursive query does not know its name yet: there DuckDB looks for a table, or a file, that is called so.
        foreach (var property in query.EnumerateObject().Where(static property => property.Name is not ("cte_map" or "right")))
        {
            Visit(property.Value);
        }
        if (type == "RECURSIVE_CTE_NODE")
        {
            Name(Text(query, "cte_name"), query);
        }
        if (query.TryGetProperty("right", out var right))
        {
            Visit(right);
        }
        while (named.Count > outer)
        {
            visible[named.Pop()]--;
        }
    }

    private void Name(string name, JsonElement query)
    {
        if (SqlAllowed.IsForeignName(name))
        {
            throw Refuse(
                $"WITH \"{name}\": a query of this name could be taken for a file or for one of DuckDB's own views. Give it another name.", query);
        }
        named.Push(name);
        visible[name] = visible.GetValueOrDefault(name) + 1;
    }

    private void VisitTableReference(JsonElement reference, string type)
    {
        switch (type)
        {
            case "BASE_TABLE":
                VisitTable(reference);
                VisitChildren(reference);
                break;
            case "TABLE_FUNCTION":
                VisitTableFunction(reference);
                break;
            case "SHOW_REF" when reference.GetProperty("query").ValueKind == JsonValueKind.Object:
                Visit(reference.GetProperty("query"));
                break;
            case "SHOW_REF":
                throw Refuse("Of the SHOW statements only SHOW TABLES, by itself, is supported.", reference);
            default:
                if (!SqlAllowed.TableReferences.Contains(type))
                {
                    throw Refuse($"A table reference of kind {type} is not supported.", reference);
                }
                VisitChildren(reference);
                break;
        }
    }

    private void VisitTable(JsonElement reference)
    {
        var (catalog, schema, name) = (Text(reference, "catalog_name"), Text(reference, "schema_name"), Text(reference, "table_name"));
        if (catalog.Length > 0)
        {
            throw Refuse($"{catalog}.{schema}.{name}: a table is named namespace.table; quote a namespace that has points in it, \"{catalog}.{schema}\".{name}.", reference);
        }
        if (reference.GetProperty("at_clause").ValueKind != JsonValueKind.Null)
        {
            throw Refuse($"{name} AT (…): reading an older snapshot by SQL is not supported yet.", reference);
        }
        if (schema.Length == 0 && visible.GetValueOrDefault(name) > 0)
        {
            return;
        }
        var tableNamespace = schema.Length == 0 ? null : schema;
        if (seen.Add((tableNamespace, name)))
        {
            tables.Add(new SqlTableName(tableNamespace, name, Position(reference)));
        }
    }

    private void VisitTableFunction(JsonElement reference)
    {
        var function = reference.GetProperty("function");
        var name = Text(function, "function_name");
        if (Text(function, "class") != "FUNCTION" || !SqlAllowed.TableFunctions.Contains(name))
        {
            throw Refuse(
                $"The table function {name} is not allowed; allowed are {string.Join(", ", SqlAllowed.TableFunctions.Order())}.", function);
        }
        // Its name was just judged as a table function; its arguments are expressions like any other.
        VisitChildren(function);
    }

    private void VisitExpression(JsonElement expression, string expressionClass)
    {
        if (!SqlAllowed.Expressions.Contains(expressionClass))
        {
            throw Refuse($"An expression of kind {expressionClass} is not supported.", expression);
        }
        if (expressionClass == "CONSTANT")
        {
            return;
        }
        if (expression.TryGetProperty("function_name", out var function) && SqlAllowed.IsDeniedFunction(function.GetString() ?? ""))
        {
            throw Refuse($"The function {function.GetString()} is not allowed: it reaches beyond the tables.", expression);
        }
        VisitChildren(expression);
    }

    private SqlException Refuse(string message, JsonElement? at) => new(message, at is { } element ? Position(element) : null);

    private int? Position(JsonElement element) =>
        element.TryGetProperty("query_location", out var location) && location.TryGetUInt64(out var bytes)
            ? positions.Character(bytes)
            : null;

    private static string Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
