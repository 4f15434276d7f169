using System.Text.Json;

namespace Frazil.Rig;

/// <summary>Foreign engines that read our tables: PyIceberg, and DuckDB with its Iceberg extension. None of this code knows Frazil's
/// own.</summary>
public sealed class Referee
{
    private readonly string python;

    private Referee(string python) => this.python = python;

    /// <summary>Installs the kit's Python once.</summary>
    public static async Task<Referee> OpenAsync(CancellationToken cancellationToken)
        => new((await Kit.RunAsync("python/install", [], cancellationToken)).Trim());

    /// <summary>Runs SQL over the rows that PyIceberg reads; the table stands in it as <c>t</c>. Numbers come as text.</summary>
    public async Task<JsonElement> QueryAsync(string catalogFile, string table, string sql, CancellationToken cancellationToken)
    {
        var script = Path.Combine(Path.GetDirectoryName(typeof(Referee).Assembly.Location)!, "Rig", "referee.py");
        var text = await Kit.RunAsync(python, [script, catalogFile, "frazil", table, sql], cancellationToken);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    /// <summary>Changes, or looks at, a table with PyIceberg as any other engine might; see Rig/iceberg_edit.py.</summary>
    public async Task<JsonElement> EditAsync(
        string catalogFile, string table, string edit, string argument, CancellationToken cancellationToken)
    {
        var script = Path.Combine(Path.GetDirectoryName(typeof(Referee).Assembly.Location)!, "Rig", "iceberg_edit.py");
        using var json = JsonDocument.Parse(
            await Kit.RunAsync(python, ["-W", "ignore", script, catalogFile, "frazil", table, edit, argument], cancellationToken));
        return json.RootElement.Clone();
    }

    /// <summary>Reads the whole table with the kit's read_table.py: schema, row count, a checksum of every column, snapshot summary, files
    /// planned.</summary>
    /// <param name="engine"><c>pyiceberg</c> or <c>duckdb</c>.</param>
    public async Task<JsonElement> ReadAsync(
        string engine, string catalogFile, string table, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        string[] arguments =
            [Path.Combine(Kit.Folder!, "python", "read_table.py"), "--engine", engine, "--catalog", "sql", "--uri",
                $"sqlite:///{catalogFile}",
             "--table", table, "--catalog-name", "frazil", "--json", .. more];
        using var json = JsonDocument.Parse(await Kit.RunAsync(python, arguments, cancellationToken));
        return json.RootElement.Clone();
    }
}
