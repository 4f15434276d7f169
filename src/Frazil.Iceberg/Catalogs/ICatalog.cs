using Frazil.Iceberg.IO;

namespace Frazil.Iceberg.Catalogs;

/// <summary>A table as a catalog knows it at one moment. Immutable.</summary>
/// <param name="Identifier">Its name.</param>
/// <param name="Metadata">Its current version.</param>
/// <param name="MetadataLocation">Where that version lies.</param>
/// <param name="FileIO">Reads and writes the table's files, perhaps with keys of its own; owned by the catalog.</param>
public sealed record LoadedTable(TableIdentifier Identifier, TableMetadata Metadata, string MetadataLocation, IFileIO FileIO);

/// <summary>
/// Names of tables and the pointer to each one's current metadata, in the shape of the REST catalog protocol. Thread-safe.
/// Dispose frees connections; tables stay as they are.
/// </summary>
public interface ICatalog : IAsyncDisposable
{
    /// <summary>The namespaces directly below <paramref name="parent"/>, or the outermost ones where it is null.</summary>
    /// <exception cref="NoSuchNamespaceException">The parent does not exist.</exception>
    Task<IReadOnlyList<NamespaceName>> ListNamespacesAsync(NamespaceName? parent = null, CancellationToken cancellationToken = default);

    Task<bool> NamespaceExistsAsync(NamespaceName name, CancellationToken cancellationToken = default);

    /// <exception cref="NoSuchNamespaceException"/>
    Task<IReadOnlyDictionary<string, string>> LoadNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default);

    /// <exception cref="NamespaceAlreadyExistsException"/>
    Task CreateNamespaceAsync(
        NamespaceName name, IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default);

    /// <exception cref="NoSuchNamespaceException"/>
    /// <exception cref="NamespaceNotEmptyException"/>
    Task DropNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default);

    /// <exception cref="NoSuchNamespaceException"/>
    Task<IReadOnlyList<TableIdentifier>> ListTablesAsync(NamespaceName name, CancellationToken cancellationToken = default);

    Task<bool> TableExistsAsync(TableIdentifier identifier, CancellationToken cancellationToken = default);

    /// <exception cref="NoSuchTableException"/>
    Task<LoadedTable> LoadTableAsync(TableIdentifier identifier, CancellationToken cancellationToken = default);

    /// <summary>Creates a table; its namespace must exist. On return it is durable.</summary>
    /// <param name="identifier">Its name.</param>
    /// <param name="schema">Its schema; field ids are assigned anew from 1.</param>
    /// <param name="spec">Its partitioning by the given schema's ids; null for none.</param>
    /// <param name="sortOrder">Its sort order by the given schema's ids; null for none.</param>
    /// <param name="properties">Its properties; <c>format-version</c> chooses 2 (the default) or 3.</param>
    /// <param name="location">Its location; null for the catalog's default.</param>
    /// <param name="cancellationToken">Cancels before the pointer is written.</param>
    /// <exception cref="TableAlreadyExistsException"/>
    /// <exception cref="NoSuchNamespaceException"/>
    /// <exception cref="ValidationException">The spec or order does not fit the schema.</exception>
    Task<LoadedTable> CreateTableAsync(
        TableIdentifier identifier, Schema schema, PartitionSpec? spec = null, SortOrder? sortOrder = null,
        IReadOnlyDictionary<string, string>? properties = null, string? location = null, CancellationToken cancellationToken = default);

    /// <summary>Makes an existing metadata file a table of this catalog.</summary>
    /// <exception cref="TableAlreadyExistsException"/>
    Task<LoadedTable> RegisterTableAsync(
        TableIdentifier identifier, string metadataLocation, CancellationToken cancellationToken = default);

    /// <summary>Forgets the table.</summary>
    /// <param name="identifier">Its name.</param>
    /// <param name="purge">True deletes its files too (below its own location only), where <c>gc.enabled</c> allows it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NoSuchTableException"/>
    Task DropTableAsync(TableIdentifier identifier, bool purge = false, CancellationToken cancellationToken = default);

    /// <exception cref="NoSuchTableException"/>
    /// <exception cref="TableAlreadyExistsException"/>
    Task RenameTableAsync(TableIdentifier from, TableIdentifier to, CancellationToken cancellationToken = default);

    /// <summary>
    /// Checks the requirements against the table as it is now, applies the updates and swaps the pointer, all or nothing. On return
    /// the new version is durable and visible to every reader. From the swap on nothing throws: what an implementation has to do after it,
    /// such as deleting old metadata files, may fail in silence. What each error means is <see cref="CommitErrors.KindOf"/>.
    /// </summary>
    /// <exception cref="CommitConflictException">Definitely not committed: refresh, re-validate, retry.</exception>
    /// <exception cref="CommitStateUnknownException">Perhaps committed: look before anything else.</exception>
    /// <exception cref="NoSuchTableException">The table is gone.</exception>
    /// <exception cref="ValidationException">The updates cannot be applied.</exception>
    Task<LoadedTable> CommitTableAsync(
        TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates,
        CancellationToken cancellationToken = default);
}
