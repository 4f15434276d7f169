using System.Text.Json;

namespace Frazil.Rig;

/// <summary>Foreign engines that read our tables: PyIceberg, and DuckDB with its Iceberg extension. None of this code knows Frazil's
/// own.</summary>
internal static class Referee
{
    /// <summary>Runs SQL over the rows that PyIceberg reads; the table stands in it as <c>t</c>. Numbers come as text.</summary>
    public static async Task<JsonElement> QueryAsync(string catalogFile, string table, string sql, CancellationToken cancellationToken)
    {
        var text = await Python.RunAsync(Python.OwnScript("referee.py"), [catalogFile, "frazil", table, sql], cancellationToken);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    /// <summary>Changes, or looks at, a table with PyIceberg as any other engine might; see Rig/iceberg_edit.py.</summary>
    public static async Task<JsonElement> EditAsync(
        string catalogFile, string table, string edit, string argument, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await Python.RunAsync(
            Python.OwnScript("iceberg_edit.py"), [catalogFile, "frazil", table, edit, argument], cancellationToken));
        return json.RootElement.Clone();
    }

    /// <summary>Reads the whole table with the kit's read_table.py: schema, row count, a checksum of every column, snapshot summary, files
    /// planned.</summary>
    /// <param name="engine"><c>pyiceberg</c> or <c>duckdb</c>.</param>
    public static Task<JsonElement> ReadAsync(
        string engine, string catalogFile, string table, CancellationToken cancellationToken, params IEnumerable<string> more)
        => ReadAsync(engine, new Uri($"sqlite:///{catalogFile}"), table, cancellationToken, more);

    /// <inheritdoc cref="ReadAsync(string, string, string, CancellationToken, IEnumerable{string})"/>
    public static async Task<JsonElement> ReadAsync(
        string engine, Uri catalog, string table, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        string[] arguments =
            ["--engine", engine, "--catalog", "sql", "--uri", catalog.OriginalString, "--table", table, "--catalog-name", "frazil", "--json", .. more];
        using var json = JsonDocument.Parse(
            await Python.RunAsync(Path.Combine(Kit.Folder!, "python", "read_table.py"), arguments, cancellationToken));
        return json.RootElement.Clone();
    }
}
