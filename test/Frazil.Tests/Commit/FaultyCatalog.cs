using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;

namespace Frazil.Tests.Commit;

/// <summary>A real catalog behind a line that fails when told to: before the swap, or after it with the answer lost.</summary>
public sealed class FaultyCatalog(ICatalog real) : ICatalog
{
    /// <summary>Runs before a commit reaches the real catalog; may commit something of its own, or throw.</summary>
    public Func<Task>? BeforeCommit { get; set; }

    /// <summary>Runs after the real catalog has committed, before the answer goes back; may throw.</summary>
    public Func<Task>? AfterCommit { get; set; }

    /// <summary>Runs before each look at a table; may throw.</summary>
    public Action BeforeLoad { get; set; } = static () => { };

    /// <summary>Runs after each look at a table, before the answer goes back; may hold it back.</summary>
    public Func<LoadedTable, Task<LoadedTable>> AfterLoad { get; set; } = Task.FromResult;

    /// <summary>The same, by the table that is looked at.</summary>
    public Action<TableIdentifier> BeforeLoadOf { get; set; } = static _ => { };

    public int Commits { get; private set; }

    /// <summary>Where its tables' files are.</summary>
    public IFileIO FileIO { get; } = new LocalFileIO();

    public async Task<LoadedTable> CommitTableAsync(
        TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates,
        CancellationToken cancellationToken = default)
    {
        Commits++;
        var (before, after) = (BeforeCommit, AfterCommit);
        (BeforeCommit, AfterCommit) = (null, null);
        if (before is not null)
        {
            await before();
        }
        var table = await real.CommitTableAsync(identifier, requirements, updates, cancellationToken);
        if (after is not null)
        {
            await after();
        }
        return table;
    }

    public Task<IReadOnlyList<NamespaceName>> ListNamespacesAsync(
        NamespaceName? parent = null, CancellationToken cancellationToken = default)
        => real.ListNamespacesAsync(parent, cancellationToken);

    public Task<bool> NamespaceExistsAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => real.NamespaceExistsAsync(name, cancellationToken);

    public Task<IReadOnlyDictionary<string, string>> LoadNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => real.LoadNamespaceAsync(name, cancellationToken);

    public Task CreateNamespaceAsync(
        NamespaceName name, IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default)
        => real.CreateNamespaceAsync(name, properties, cancellationToken);

    public Task DropNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => real.DropNamespaceAsync(name, cancellationToken);

    public Task<IReadOnlyList<TableIdentifier>> ListTablesAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => real.ListTablesAsync(name, cancellationToken);

    public Task<bool> TableExistsAsync(TableIdentifier identifier, CancellationToken cancellationToken = default)
        => real.TableExistsAsync(identifier, cancellationToken);

    public async Task<LoadedTable> LoadTableAsync(TableIdentifier identifier, CancellationToken cancellationToken = default)
    {
        BeforeLoad();
        BeforeLoadOf(identifier);
        return await AfterLoad(await real.LoadTableAsync(identifier, cancellationToken));
    }

    public Task<LoadedTable> CreateTableAsync(
        TableIdentifier identifier, Schema schema, PartitionSpec? spec = null, SortOrder? sortOrder = null,
        IReadOnlyDictionary<string, string>? properties = null, string? location = null, CancellationToken cancellationToken = default)
        => real.CreateTableAsync(identifier, schema, spec, sortOrder, properties, location, cancellationToken);

    public Task<LoadedTable> RegisterTableAsync(
        TableIdentifier identifier, string metadataLocation, CancellationToken cancellationToken = default)
        => real.RegisterTableAsync(identifier, metadataLocation, cancellationToken);

    public Task DropTableAsync(TableIdentifier identifier, bool purge = false, CancellationToken cancellationToken = default)
        => real.DropTableAsync(identifier, purge, cancellationToken);

    public Task RenameTableAsync(TableIdentifier from, TableIdentifier to, CancellationToken cancellationToken = default)
        => real.RenameTableAsync(from, to, cancellationToken);

    public ValueTask DisposeAsync() => real.DisposeAsync();
}
