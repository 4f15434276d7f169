using System.Globalization;
using System.Text;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// A catalog without a database, in the layout of Iceberg's Hadoop catalog: <c>warehouse/namespace/table/metadata/vN.metadata.json</c>
/// and <c>version-hint.text</c>. A commit is the creation of the next version's file, which fails where another was first; the hint is
/// only a hint. Needs a file IO whose create-new is atomic (<see cref="LocalFileIO"/> is; plain S3 without conditional writes is not).
/// </summary>
public sealed class FilesystemCatalog : ICatalog
{
    private const string Hint = "version-hint.text";
    private const int CommitAttempts = 10;

    private readonly string warehouse;
    private readonly TimeProvider time;

    /// <param name="warehouse">A path or location that <paramref name="files"/> understands.</param>
    /// <param name="files">The warehouse's files.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public FilesystemCatalog(string warehouse, IFileIO files, TimeProvider? time = null) =>
        (this.warehouse, FileIO, this.time) = (files.LocationFor(warehouse), files, time ?? TimeProvider.System);

    /// <summary>The store of the warehouse, which its tables get.</summary>
    public IFileIO FileIO { get; }

    public async Task<IReadOnlyList<NamespaceName>> ListNamespacesAsync(
        NamespaceName? parent = null, CancellationToken cancellationToken = default)
    {
        var (folder, depth) = (FolderOf(parent ?? NamespaceName.Empty), parent?.Levels.Count ?? 0);
        if (depth > 0 && !await NamespaceExistsAsync(parent!, cancellationToken).ConfigureAwait(false))
            throw new NoSuchNamespaceException($"The namespace {parent} does not exist in the warehouse '{warehouse}'.");
        var children = await ChildrenAsync(folder, cancellationToken).ConfigureAwait(false);
        return [.. children.Where(child => !child.IsTable).Select(child => new NamespaceName([.. parent?.Levels ?? [], child.Name]))];
    }

    public async Task<bool> NamespaceExistsAsync(NamespaceName name, CancellationToken cancellationToken = default)
    {
        if (FileIO.LocalPathFor(FolderOf(name)) is { } path)
            return Directory.Exists(path) && !Directory.Exists(Path.Combine(path, "metadata"));
        await foreach (var _ in FileIO.ListAsync(FolderOf(name), cancellationToken).ConfigureAwait(false))
            return true;
        return false;
    }

    public async Task<IReadOnlyDictionary<string, string>> LoadNamespaceAsync(
        NamespaceName name, CancellationToken cancellationToken = default) =>
        await NamespaceExistsAsync(name, cancellationToken).ConfigureAwait(false)
            ? EmptyMap.Strings
            : throw new NoSuchNamespaceException($"The namespace {name} does not exist in the warehouse '{warehouse}'.");

    /// <summary>Makes the folder; in stores without folders a namespace exists once a table is in it.</summary>
    /// <exception cref="NamespaceAlreadyExistsException"/>
    /// <exception cref="ValidationException">Properties are given: this layout has no place for them.</exception>
    public async Task CreateNamespaceAsync(
        NamespaceName name, IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default)
    {
        if (properties is { Count: > 0 } || name.Levels.Count == 0)
            throw new ValidationException(
                $"The namespace '{name}' cannot be created: it needs a name, and a filesystem catalog has no place for properties.");
        if (await NamespaceExistsAsync(name, cancellationToken).ConfigureAwait(false))
            throw new NamespaceAlreadyExistsException($"The namespace {name} exists already in the warehouse '{warehouse}'.");
        if (FileIO.LocalPathFor(FolderOf(name)) is { } path)
            Directory.CreateDirectory(path);
    }

    public async Task DropNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default)
    {
        await LoadNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        var children = await ChildrenAsync(FolderOf(name), cancellationToken).ConfigureAwait(false);
        if (children.Count > 0)
            throw new NamespaceNotEmptyException(
                $"The namespace {name} holds {children.Count} tables and namespaces ('{children[0].Name}' is one): drop them first.");
        if (FileIO.LocalPathFor(FolderOf(name)) is { } path)
            Directory.Delete(path);
    }

    public async Task<IReadOnlyList<TableIdentifier>> ListTablesAsync(NamespaceName name, CancellationToken cancellationToken = default)
    {
        await LoadNamespaceAsync(name, cancellationToken).ConfigureAwait(false);
        var children = await ChildrenAsync(FolderOf(name), cancellationToken).ConfigureAwait(false);
        return [.. children.Where(child => child.IsTable).Select(child => new TableIdentifier(name, child.Name))];
    }

    public async Task<bool> TableExistsAsync(TableIdentifier identifier, CancellationToken cancellationToken = default) =>
        await FindVersionAsync(identifier, cancellationToken).ConfigureAwait(false) is not null;

    public async Task<LoadedTable> LoadTableAsync(TableIdentifier identifier, CancellationToken cancellationToken = default) =>
        (await LoadVersionAsync(identifier, cancellationToken).ConfigureAwait(false)).Table;

    public async Task<LoadedTable> CreateTableAsync(
        TableIdentifier identifier, Schema schema, PartitionSpec? spec = null, SortOrder? sortOrder = null,
        IReadOnlyDictionary<string, string>? properties = null, string? location = null, CancellationToken cancellationToken = default)
    {
        var folder = TableLocations.Default(warehouse, identifier);
        if (location is not null && FileIO.LocationFor(location) != folder)
            throw new ValidationException(
                $"The table {identifier} cannot lie at '{location}': in a filesystem catalog its place is '{folder}'.");
        if (!await NamespaceExistsAsync(identifier.Namespace, cancellationToken).ConfigureAwait(false)
            && FileIO.LocalPathFor(folder) is not null)
            throw new NoSuchNamespaceException($"The namespace {identifier.Namespace} does not exist in the warehouse '{warehouse}'.");
        if (await TableExistsAsync(identifier, cancellationToken).ConfigureAwait(false))
            throw new TableAlreadyExistsException($"The table {identifier} exists already in the warehouse '{warehouse}'.");
        var metadata = TableMetadataBuilder.Create(
            schema, spec ?? PartitionSpec.Unpartitioned, sortOrder ?? SortOrder.Unsorted, folder, properties ?? EmptyMap.Strings, time);
        var metadataLocation = VersionFile(folder, 1, metadata.TableProperties.CompressMetadata);
        if (!await TryCreateAsync(identifier, metadataLocation, TableMetadataJson.WriteFile(metadata)).ConfigureAwait(false))
            throw new TableAlreadyExistsException($"The table {identifier} was created by another at this moment.");
        await WriteHintAsync(folder, 1).ConfigureAwait(false);
        return new LoadedTable(identifier, metadata, metadataLocation, FileIO);
    }

    /// <summary>Not possible: the place of a table's metadata is its name here.</summary>
    /// <exception cref="ValidationException">Always.</exception>
    public Task<LoadedTable> RegisterTableAsync(
        TableIdentifier identifier, string metadataLocation, CancellationToken cancellationToken = default) =>
        throw new ValidationException("A filesystem catalog cannot register a table: its metadata must lie in the table's own folder.");

    /// <exception cref="ValidationException">Without <paramref name="purge"/>: here a table is its files, forgetting them means deleting
    /// them.</exception>
    /// <exception cref="NoSuchTableException"/>
    public async Task DropTableAsync(TableIdentifier identifier, bool purge = false, CancellationToken cancellationToken = default)
    {
        var table = await LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false);
        if (!purge || !table.Metadata.TableProperties.GarbageCollection)
            throw new ValidationException(
                $"In a filesystem catalog dropping {identifier} deletes its files: ask for a purge, with gc.enabled not false.");
        var folder = TableLocations.Default(warehouse, identifier);
        // first: from here it is no table
        await TableLocations.DeleteAllAsync(FileIO, folder + "/metadata", cancellationToken).ConfigureAwait(false);
        await TableLocations.DeleteAllAsync(FileIO, folder, cancellationToken).ConfigureAwait(false);
        if (FileIO.LocalPathFor(folder) is { } path && Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }

    /// <summary>Not possible: files name each other by their full location.</summary>
    /// <exception cref="ValidationException">Always.</exception>
    public Task RenameTableAsync(TableIdentifier from, TableIdentifier to, CancellationToken cancellationToken = default) =>
        throw new ValidationException("A filesystem catalog cannot rename a table: its files name each other by their location.");

    public async Task<LoadedTable> CommitTableAsync(
        TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates,
        CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (current, version) = await LoadVersionAsync(identifier, cancellationToken).ConfigureAwait(false);
            TableCommit.Check(identifier, requirements, current.Metadata);
            if (updates.Count == 0)
                return current;
            var (next, dropped) = TableCommit.Apply(current.Metadata, current.MetadataLocation, updates, time);
            // Named by the version it builds on: two writers of one version must fight for the same name, whatever codec they set.
            var compress = current.Metadata.TableProperties.CompressMetadata;
            var location = VersionFile(TableLocations.Default(warehouse, identifier), version + 1, compress);
            var content = TableMetadataJson.WriteFile(next, compress);
            string[] unused = next.TableProperties.DeleteMetadataAfterCommit ? [.. dropped] : [];
            if (await TryCreateAsync(identifier, location, content).ConfigureAwait(false))
            {
                // From the creation on nothing throws.
                await WriteHintAsync(TableLocations.Default(warehouse, identifier), version + 1).ConfigureAwait(false);
                await TableLocations.DeleteQuietlyAsync(FileIO, unused).ConfigureAwait(false);
                return new LoadedTable(identifier, next, location, FileIO);
            }
            if (attempt == CommitAttempts)
                throw new CommitConflictException(
                    $"The commit to {identifier} lost {CommitAttempts} races in a row. Nothing was written; refresh the table and retry.");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>False where another created the version first. Not cancelled: an answer that is thrown away is a commit in an unknown
    /// state.</summary>
    private async Task<bool> TryCreateAsync(TableIdentifier identifier, string location, byte[] content)
    {
        try
        {
            await FileIO.CreateAsync(location, content, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            // Also where it exists: a store that sends a request again after a lost answer meets what it wrote itself.
            return await ResolveUnknownAsync(identifier, location, content, e).ConfigureAwait(false);
        }
    }

    private async Task<bool> ResolveUnknownAsync(TableIdentifier identifier, string location, byte[] content, Exception cause)
    {
        try
        {
            return (await FileIO.ReadAsync(location, CancellationToken.None).ConfigureAwait(false)).AsSpan().SequenceEqual(content);
        }
        catch (FileNotFoundException) when (cause is not ObjectExistsException)
        {
            throw new CatalogUnavailableException(
                $"The commit to {identifier} failed and changed nothing: '{location}' cannot be created ({cause.Message}).", cause);
        }
        catch (Exception e)
        {
            throw new CommitStateUnknownException($"The creation of '{location}' for {identifier} failed ({cause.Message}), and so did looking for it ({e.Message}). "
                + "The commit may have happened: look for its snapshot before anything else.", cause);
        }
    }

    private async Task<(LoadedTable Table, int Version)> LoadVersionAsync(TableIdentifier identifier, CancellationToken cancellationToken)
    {
        var (location, version) = await FindVersionAsync(identifier, cancellationToken).ConfigureAwait(false)
            ?? throw new NoSuchTableException($"The table {identifier} does not exist in the warehouse '{warehouse}'.");
        return (new LoadedTable(identifier, await MetadataFiles.ReadAsync(FileIO, location, cancellationToken).ConfigureAwait(false), location, FileIO), version);
    }

    /// <summary>The newest version: from the hint on as far as versions go; by listing where the hint is missing or wrong.</summary>
    private async Task<(string Location, int Version)?> FindVersionAsync(TableIdentifier identifier, CancellationToken cancellationToken)
    {
        var folder = TableLocations.Default(warehouse, identifier);
        var version = await ReadHintAsync(folder, cancellationToken).ConfigureAwait(false);
        var found = version > 0 ? await LocateAsync(folder, version, cancellationToken).ConfigureAwait(false) : null;
        if (found is null)
        {
            await foreach (var stored in FileIO.ListAsync(folder + "/metadata", cancellationToken).ConfigureAwait(false))
                version = Math.Max(version, VersionIn(stored.Location));
            found = version > 0 ? await LocateAsync(folder, version, cancellationToken).ConfigureAwait(false) : null;
        }
        if (found is null)
            return null;
        while (await LocateAsync(folder, version + 1, cancellationToken).ConfigureAwait(false) is { } newer)
            (found, version) = (newer, version + 1);
        return (found, version);
    }

    private async Task<int> ReadHintAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            var text = Encoding.UTF8.GetString(await FileIO.ReadAsync($"{folder}/metadata/{Hint}", cancellationToken).ConfigureAwait(false))
                .Trim();
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>Other readers (DuckDB, Java) start at the hint. A hint that could not be written, or is old, costs them a look
    /// further.</summary>
    private async Task WriteHintAsync(string folder, int version)
    {
        var location = $"{folder}/metadata/{Hint}";
        var content = Encoding.UTF8.GetBytes(version.ToString(CultureInfo.InvariantCulture));
        try
        {
            if (FileIO.LocalPathFor(location) is { } path)
            {
                var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
                await File.WriteAllBytesAsync(temporary, content).ConfigureAwait(false);
                File.Move(temporary, path, overwrite: true);
                return;
            }
            await FileIO.DeleteAsync(location).ConfigureAwait(false);
            await FileIO.CreateAsync(location, content).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The commit stands: versions are found from an older hint, or without one.
        }
    }

    private async Task<string?> LocateAsync(string folder, int version, CancellationToken cancellationToken)
    {
        foreach (var compressed in new[] { false, true })
        {
            var location = VersionFile(folder, version, compressed);
            if (await FileIO.ExistsAsync(location, cancellationToken).ConfigureAwait(false))
                return location;
        }
        return null;
    }

    private async Task<List<(string Name, bool IsTable)>> ChildrenAsync(string folder, CancellationToken cancellationToken)
    {
        if (FileIO.LocalPathFor(folder) is { } path)
            return !Directory.Exists(path) ? [] : [.. Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal)
                .Select(child => (Path.GetFileName(child), Directory.Exists(Path.Combine(child, "metadata"))))];
        var children = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        await foreach (var stored in FileIO.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            var parts = stored.Location[(folder.Length + 1)..].Split('/');
            if (parts.Length > 1)
                children[parts[0]] = children.GetValueOrDefault(parts[0])
                    || (parts.Length == 3 && parts[1] == "metadata" && VersionIn(stored.Location) > 0);
        }
        return [.. children.Select(child => (child.Key, child.Value))];
    }

    internal static int VersionIn(string location)
    {
        var name = location.AsSpan(location.LastIndexOf('/') + 1);
        if (!name.StartsWith("v") || !name.EndsWith(".metadata.json"))
            return 0;
        var digits = name[1..name.IndexOf('.')];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }

    private static string VersionFile(string folder, int version, bool compressed) =>
        string.Create(CultureInfo.InvariantCulture, $"{folder}/metadata/v{version}{(compressed ? ".gz" : "")}.metadata.json");

    private string FolderOf(NamespaceName name)
    {
        TableLocations.RequireFolderNames(name.Levels, name);
        return name.Levels.Count == 0 ? warehouse : $"{warehouse}/{string.Join('/', name.Levels)}";
    }
}
