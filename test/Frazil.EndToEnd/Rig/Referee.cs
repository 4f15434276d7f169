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
    /// <param name="catalogFile">The database of a SQL catalog, or PyIceberg's properties of a REST catalog as JSON.</param>
    /// <param name="table">Its name.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="more">Further arguments of the script.</param>
    public static async Task<JsonElement> ReadAsync(
        string engine, string catalogFile, string table, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        string[] arguments = ["--engine", engine, "--table", table, .. ToArguments(catalogFile), "--json", .. more];
        return await RunAsync(arguments, cancellationToken);
    }

    /// <summary>The same of one version, by its metadata file.</summary>
    public static Task<JsonElement> ReadFileAsync(string engine, string metadataLocation, CancellationToken cancellationToken)
        => RunAsync(["--engine", engine, "--metadata", metadataLocation, "--json"], cancellationToken);

    private static async Task<JsonElement> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(
            await Python.RunAsync(Path.Combine(Kit.Folder!, "python", "read_table.py"), arguments, cancellationToken));
        return json.RootElement.Clone();
    }

    private static string[] ToArguments(string catalog)
    {
        if (!catalog.StartsWith('{'))
        {
            return ["--catalog", "sql", "--uri", $"sqlite:///{catalog}", "--catalog-name", "frazil"];
        }
        var properties = JsonSerializer.Deserialize<Dictionary<string, string>>(catalog)!;
        return ["--catalog", "rest", "--uri", properties["uri"], .. properties.Where(static pair => pair.Key != "uri")
            .SelectMany(static pair => new[] { "--property", $"{pair.Key}={pair.Value}" })];
    }
}
