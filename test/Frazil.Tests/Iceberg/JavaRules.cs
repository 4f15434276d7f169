using System.Net.Http.Json;
using Frazil.Iceberg;

namespace Frazil.Tests.Iceberg;

/// <summary>What Iceberg's Java library asks of names when it loads a table, said anew and without our own code for it.</summary>
internal static class JavaRules
{
    public static List<string> Problems(TableMetadata table)
    {
        var problems = new List<string>();
        foreach (var schema in table.Schemas)
        {
            var full = new Dictionary<string, int>(StringComparer.Ordinal);
            var shorter = new Dictionary<string, int>(StringComparer.Ordinal);
            Index(schema.AsStruct, [], [], full, shorter, problems);
            if (schema.SchemaId != table.CurrentSchemaId)
            {
                continue;
            }
            foreach (var field in table.PartitionSpecs.SelectMany(static spec => spec.Fields))
            {
                if ((full.TryGetValue(field.Name, out var id) || shorter.TryGetValue(field.Name, out id)) && id != field.SourceId)
                {
                    problems.Add($"Cannot create partition from name that exists in schema: {field.Name}");
                }
            }
        }
        return problems;
    }

    private static void Index(
        IcebergType type, string[] path, string[] shortPath, Dictionary<string, int> full, Dictionary<string, int> shorter, List<string> problems)
    {
        foreach (var field in type.Fields)
        {
            var name = string.Join('.', [.. path, field.Name]);
            if (!full.TryAdd(name, field.Id))
            {
                problems.Add($"Invalid schema: multiple fields for name {name}: {full[name]} and {field.Id}");
            }
            shorter.TryAdd(string.Join('.', [.. shortPath, field.Name]), field.Id);
            var isLeftOut = type is not StructType && field.Type is StructType;
            Index(field.Type, [.. path, field.Name], isLeftOut ? shortPath : [.. shortPath, field.Name], full, shorter, problems);
        }
    }
}

/// <summary>The kit's reference REST catalog, a process of Java's library.</summary>
internal sealed class JavaCatalog : IAsyncDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly HttpClient http = new();
    private string uri = "";

    public static async Task<JavaCatalog> StartAsync()
    {
        var catalog = new JavaCatalog();
        var said = await IcebergKit.RunKitAsync("rest-catalog/start", "--port", "0", "--dir", catalog.folder.Path);
        catalog.uri = said.Split('\n').Single(static line => line.StartsWith("uri=", StringComparison.Ordinal))["uri=".Length..].Trim();
        using var made = await catalog.http.PostAsJsonAsync($"{catalog.uri}/v1/namespaces", new Dictionary<string, object> { ["namespace"] = (string[])["shop"] });
        made.EnsureSuccessStatusCode();
        return catalog;
    }

    /// <summary>Has it load a table from its metadata file.</summary>
    /// <exception cref="InvalidOperationException">It refuses; says what it said.</exception>
    public async Task RegisterAsync(string name, string metadataLocation)
    {
        var request = new Dictionary<string, string> { ["name"] = name, ["metadata-location"] = metadataLocation };
        using var answer = await http.PostAsJsonAsync($"{uri}/v1/namespaces/shop/register", request);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"Java does not load {name}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await IcebergKit.RunKitAsync("rest-catalog/stop", "--dir", folder.Path);
        folder.Dispose();
    }
}
