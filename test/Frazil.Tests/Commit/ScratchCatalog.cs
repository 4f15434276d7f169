using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Tests.Iceberg;

namespace Frazil.Tests.Commit;

/// <summary>A real SQL catalog behind a faulty line, with real files, in a folder that goes with the test.</summary>
internal sealed class ScratchCatalog : IAsyncDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly IFileIO files;
    private FaultyCatalog? catalog;

    /// <param name="files">The store of its tables; null for the local one.</param>
    public ScratchCatalog(IFileIO? files = null) => this.files = files ?? new LocalFileIO();

    /// <summary>The folder of catalog and warehouse.</summary>
    public string Path => folder.Path;

    /// <summary>There as soon as a table was created.</summary>
    public FaultyCatalog Catalog => catalog ?? throw new InvalidOperationException("no table was created yet");

    private static Schema OneLong { get; } = new(0, [new NestedField(1, "id", false, IcebergType.Long)]);

    /// <summary>Makes a table, and the catalog and the namespace where they are missing.</summary>
    public async Task<LoadedTable> CreateTableAsync(TableIdentifier name, Schema? schema = null, params IEnumerable<(string Name, string Value)> properties)
    {
        catalog ??= new(await SqlCatalog.OpenAsync($"sqlite:{folder.Path}/catalog.db", $"{folder.Path}/warehouse", files));
        if (!await catalog.NamespaceExistsAsync(name.Namespace))
        {
            await catalog.CreateNamespaceAsync(name.Namespace);
        }
        return await catalog.CreateTableAsync(
            name, schema ?? OneLong, properties: properties.ToDictionary(static pair => pair.Name, static pair => pair.Value));
    }

    /// <summary>The same with retries that wait next to nothing.</summary>
    public Task<LoadedTable> CreateTableAsync(TableIdentifier name)
        => CreateTableAsync(name, null, ("commit.retry.min-wait-ms", "1"), ("commit.retry.max-wait-ms", "10"));

    public async ValueTask DisposeAsync()
    {
        if (catalog is not null)
        {
            await catalog.DisposeAsync();
        }
        folder.Dispose();
    }
}
