using Frazil.Iceberg.IO;
using System.Data.Common;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// A catalog in a database (a SQLite file, or Postgres), in the layout of Iceberg's JDBC catalog, so that Java, PyIceberg and others use the
/// same one at the same time. A commit is one compare-and-swap of the row's <c>metadata_location</c>.
/// </summary>
public sealed class SqlCatalog : ICatalog
{
    /// <summary>Swaps lost to others before a commit gives up; requirements are checked anew each time.</summary>
    private const int SwapAttempts = 10;

    private readonly SqlStore store;
    private readonly string uri;
    private readonly string warehouse;
    private readonly TimeProvider time;

    private SqlCatalog(SqlStore store, string uri, string warehouse, IFileIO files, TimeProvider time) =>
        (this.store, this.uri, this.warehouse, FileIO, this.time) = (store, uri, warehouse, files, time);

    /// <summary>The store of the warehouse, which its tables get.</summary>
    public IFileIO FileIO { get; }

    /// <summary>Whether a uri is that of a Postgres database.</summary>
    public static bool IsPostgres(string uri) => PostgresLocation.IsOne(uri);

    /// <summary>Looks at a uri without opening anything.</summary>
    /// <exception cref="ValidationException">It is not understood.</exception>
    public static void CheckUri(string uri, IReadOnlyDictionary<string, string> properties)
        => _ = IsPostgres(uri) ? PostgresLocation.Parse(uri, properties).ConnectionString : SqliteLocation.PathOf(uri);

    /// <summary>Opens a catalog, creating the file and its tables where they are missing.</summary>
    /// <param name="uri"><c>sqlite:path</c>, <c>sqlite:///relative</c>, <c>sqlite:////absolute</c> or
    /// <c>postgresql://user:password@host:port/database</c>.</param>
    /// <param name="warehouse">Where new tables go: a path or location that <paramref name="files"/> understands.</param>
    /// <param name="files">The warehouse's files.</param>
    /// <param name="catalogName">The <c>catalog_name</c> of this catalog's rows; other names' rows are invisible.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="properties">The catalog's: <c>jdbc.user</c> and <c>jdbc.password</c>, where the uri has none.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="ValidationException">The uri is not understood.</exception>
    /// <exception cref="CatalogUnavailableException">The database cannot be opened or written.</exception>
    public static async Task<SqlCatalog> OpenAsync(
        string uri, string warehouse, IFileIO files, string catalogName = "frazil", TimeProvider? time = null,
        IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default)
    {
        SqlDatabase? database = null;
        try
        {
            database = SqlDatabase.Of(uri, properties ?? EmptyMap.Strings);
            var store = await Task.Run(() => SqlStore.Open(database, catalogName), cancellationToken).ConfigureAwait(false);
            return new SqlCatalog(store, database.Shown, files.LocationFor(warehouse), files, time ?? TimeProvider.System);
        }
        catch (Exception e) when (e is DbException or IOException or UnauthorizedAccessException)
        {
            throw new CatalogUnavailableException($"The catalog '{database?.Shown ?? uri}' cannot be opened: {e.Message}", e);
        }
    }

    public async Task<IReadOnlyList<NamespaceName>> ListNamespacesAsync(
        NamespaceName? parent = null, CancellationToken cancellationToken = default)
    {
        var all = (await RunAsync(store.ListNamespaces, cancellationToken).ConfigureAwait(false)).Select(NamespaceName.Parse).ToArray();
        var depth = parent?.Levels.Count ?? 0;
        if (depth > 0 && !all.Any(name => StartsWith(name, parent!)))
            throw new NoSuchNamespaceException($"The namespace {parent} does not exist in the catalog '{uri}'.");
        return [.. all.Where(name => name.Levels.Count > depth && (depth == 0 || StartsWith(name, parent!)))
            .Select(name => new NamespaceName([.. name.Levels.Take(depth + 1)])).Distinct()];
    }

    public async Task<bool> NamespaceExistsAsync(NamespaceName name, CancellationToken cancellationToken = default) =>
        (await RunAsync(store.ListNamespaces, cancellationToken).ConfigureAwait(false))
            .Any(known => StartsWith(NamespaceName.Parse(known), name));

    public async Task<IReadOnlyDictionary<string, string>> LoadNamespaceAsync(
        NamespaceName name, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        var properties = await RunAsync(() => store.LoadNamespace(name), cancellationToken).ConfigureAwait(false);
        properties.Remove("exists");        // how the layout marks a namespace without properties
        return properties;
    }

    public async Task CreateNamespaceAsync(
        NamespaceName name, IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default)
    {
        if (name.Levels.Count == 0)
            throw new ValidationException("A namespace needs a name.");
        if (await NamespaceExistsAsync(name, cancellationToken).ConfigureAwait(false)
            || !await RunAsync(() => store.TryCreateNamespace(name, properties ?? EmptyMap.Strings),
                cancellationToken).ConfigureAwait(false))
            throw new NamespaceAlreadyExistsException($"The namespace {name} exists already in the catalog '{uri}'.");
    }

    public async Task DropNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        var tables = await ListTablesAsync(name, cancellationToken).ConfigureAwait(false);
        var children = await ListNamespacesAsync(name, cancellationToken).ConfigureAwait(false);
        if (tables.Count > 0 || children.Count > 0)
            throw new NamespaceNotEmptyException(
                $"The namespace {name} holds {tables.Count} tables and {children.Count} namespaces: drop or move them first.");
        await RunAsync(() => { store.DropNamespace(name); return true; }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<TableIdentifier>> ListTablesAsync(NamespaceName name, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        var names = await RunAsync(() => store.ListTables(name), cancellationToken).ConfigureAwait(false);
        return [.. names.Select(table => new TableIdentifier(name, table))];
    }

    public async Task<bool> TableExistsAsync(TableIdentifier identifier, CancellationToken cancellationToken = default) =>
        await RunAsync(() => store.FindMetadataLocation(identifier), cancellationToken).ConfigureAwait(false) is not null;

    public async Task<LoadedTable> LoadTableAsync(TableIdentifier identifier, CancellationToken cancellationToken = default)
    {
        var location = await FindAsync(identifier, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            try
            {
                return new LoadedTable(
                    identifier, await MetadataFiles.ReadAsync(FileIO, location, cancellationToken).ConfigureAwait(false), location, FileIO);
            }
            catch (InvalidFormatException e) when (e.InnerException is FileNotFoundException)
            {
                // Another writer may delete an old metadata file right after it moved the pointer on: then the row says something newer.
                var now = await FindAsync(identifier, cancellationToken).ConfigureAwait(false);
                if (now == location)
                    throw;
                location = now;
            }
        }
    }

    public async Task<LoadedTable> CreateTableAsync(
        TableIdentifier identifier, Schema schema, PartitionSpec? spec = null, SortOrder? sortOrder = null,
        IReadOnlyDictionary<string, string>? properties = null, string? location = null, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(identifier.Namespace, cancellationToken).ConfigureAwait(false);
        if (await TableExistsAsync(identifier, cancellationToken).ConfigureAwait(false))
            throw new TableAlreadyExistsException($"The table {identifier} exists already in the catalog '{uri}'.");
        var metadata = TableMetadataBuilder.Create(schema, spec ?? PartitionSpec.Unpartitioned, sortOrder ?? SortOrder.Unsorted,
            FileIO.LocationFor(location ?? TableLocations.Default(warehouse, identifier)), properties ?? EmptyMap.Strings,
            time);
        var metadataLocation = await MetadataFiles.WriteAsync(FileIO, metadata, 0, cancellationToken).ConfigureAwait(false);
        await InsertAsync(identifier, metadataLocation, ownsFile: true, cancellationToken).ConfigureAwait(false);
        return new LoadedTable(identifier, metadata, metadataLocation, FileIO);
    }

    public async Task<LoadedTable> RegisterTableAsync(
        TableIdentifier identifier, string metadataLocation, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(identifier.Namespace, cancellationToken).ConfigureAwait(false);
        var metadata = await MetadataFiles.ReadAsync(FileIO, metadataLocation, cancellationToken).ConfigureAwait(false);
        await InsertAsync(identifier, metadataLocation, ownsFile: false, cancellationToken).ConfigureAwait(false);
        return new LoadedTable(identifier, metadata, metadataLocation, FileIO);
    }

    public async Task DropTableAsync(TableIdentifier identifier, bool purge = false, CancellationToken cancellationToken = default)
    {
        var table = purge ? await LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false) : null;
        if (!await RunAsync(() => store.TryDelete(identifier), cancellationToken).ConfigureAwait(false))
            throw new NoSuchTableException($"The table {identifier} does not exist in the catalog '{uri}'.");
        if (table is not null && table.Metadata.TableProperties.GarbageCollection)
            await TableLocations.DeleteAllAsync(FileIO, table.Metadata.Location, cancellationToken).ConfigureAwait(false);
    }

    public async Task RenameTableAsync(TableIdentifier from, TableIdentifier to, CancellationToken cancellationToken = default)
    {
        await RequireNamespaceAsync(to.Namespace, cancellationToken).ConfigureAwait(false);
        switch (await RunAsync(() => store.TryRename(from, to), cancellationToken).ConfigureAwait(false))
        {
            case null:
                throw new TableAlreadyExistsException($"Cannot rename {from}: the table {to} exists already in the catalog '{uri}'.");
            case false:
                throw new NoSuchTableException($"The table {from} does not exist in the catalog '{uri}'.");
        }
    }

    public async Task<LoadedTable> CommitTableAsync(
        TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates,
        CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            var current = await LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false);
            TableCommit.Check(identifier, requirements, current.Metadata);
            if (updates.Count == 0)
                return current;
            var (next, dropped) = TableCommit.Apply(current.Metadata, current.MetadataLocation, updates, time);
            var version = Math.Max(MetadataFiles.VersionOf(current.MetadataLocation), -1) + 1;
            var location = await MetadataFiles.WriteAsync(FileIO, next, version, cancellationToken).ConfigureAwait(false);
            var committed = new LoadedTable(identifier, next, location, FileIO);
            string[] unused = next.TableProperties.DeleteMetadataAfterCommit ? [.. dropped] : [];
            if (await SwapAsync(current, committed, updates).ConfigureAwait(false))
            {
                await TableLocations.DeleteQuietlyAsync(FileIO, unused).ConfigureAwait(false);      // from the swap on nothing throws
                return committed;
            }
            await TableLocations.DeleteQuietlyAsync(FileIO, [location]).ConfigureAwait(false);
            if (attempt == SwapAttempts)
                throw new CommitConflictException(
                    $"The commit to {identifier} lost {SwapAttempts} races in a row. Nothing was written; refresh the table and retry.");
        }
    }

    public ValueTask DisposeAsync()
    {
        store.Close();
        return ValueTask.CompletedTask;
    }

    /// <summary>From here on nothing is cancelled: an answer that is thrown away is a commit in an unknown state.</summary>
    private async Task<bool> SwapAsync(LoadedTable from, LoadedTable to, IReadOnlyList<TableUpdate> updates)
    {
        try
        {
            return await Task.Run(() => store.TrySwap(to.Identifier, from.MetadataLocation, to.MetadataLocation)).ConfigureAwait(false);
        }
        catch (DbException e) when (store.Database.IsDefinite(e))
        {
            await TableLocations.DeleteQuietlyAsync(FileIO, [to.MetadataLocation]).ConfigureAwait(false);
            throw new CatalogUnavailableException(
                $"The commit to {to.Identifier} failed and changed nothing: the catalog '{uri}' answers '{e.Message}'.", e);
        }
        catch (Exception e)
        {
            return await ResolveUnknownAsync(from, to, updates, e).ConfigureAwait(false);
        }
    }

    /// <summary>The answer was lost: what the row says now, the history of what it points to, or the snapshot in it tells. Where nothing
    /// does, or it cannot be read, nobody knows.</summary>
    private async Task<bool> ResolveUnknownAsync(LoadedTable from, LoadedTable to, IReadOnlyList<TableUpdate> updates, Exception cause)
    {
        string why;
        try
        {
            var now = await LoadTableAsync(to.Identifier, CancellationToken.None).ConfigureAwait(false);
            if (TableCommit.Happened(now, from.MetadataLocation, to.MetadataLocation, updates) is { } happened)
                return happened;
            why = "the table's log of versions does not reach back to it";
        }
        catch (Exception e)
        {
            why = $"looking it up failed too ({e.Message})";
        }
        throw new CommitStateUnknownException(
            $"The commit of '{to.MetadataLocation}' to {to.Identifier} was sent and its answer lost ({cause.Message}); {why}. "
            + "It may have happened: look for its snapshot before anything else.", cause);
    }

    private async Task InsertAsync(TableIdentifier identifier, string metadataLocation, bool ownsFile, CancellationToken cancellationToken)
    {
        if (await RunAsync(() => store.TryInsert(identifier, metadataLocation), cancellationToken).ConfigureAwait(false))
            return;
        if (ownsFile)
            await TableLocations.DeleteQuietlyAsync(FileIO, [metadataLocation]).ConfigureAwait(false);
        throw new TableAlreadyExistsException($"A table or view {identifier} exists already in the catalog '{uri}'.");
    }

    private async Task<string> FindAsync(TableIdentifier identifier, CancellationToken cancellationToken) =>
        await RunAsync(() => store.FindMetadataLocation(identifier), cancellationToken).ConfigureAwait(false)
        ?? throw new NoSuchTableException($"The table {identifier} does not exist in the catalog '{uri}'.");

    private async Task RequireNamespaceAsync(NamespaceName name, CancellationToken cancellationToken)
    {
        if (!await NamespaceExistsAsync(name, cancellationToken).ConfigureAwait(false))
            throw new NoSuchNamespaceException($"The namespace {name} does not exist in the catalog '{uri}'.");
    }

    private static bool StartsWith(NamespaceName name, NamespaceName prefix) =>
        name.Levels.Count >= prefix.Levels.Count && name.Levels.Take(prefix.Levels.Count).SequenceEqual(prefix.Levels);

    private async Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(call, cancellationToken).ConfigureAwait(false);
        }
        catch (DbException e)
        {
            throw new CatalogUnavailableException($"The catalog '{uri}' cannot be used: {e.Message}", e);
        }
    }
}
