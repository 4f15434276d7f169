using System.Collections.Concurrent;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// What is remembered of the tables that were seen: the store of each, with the newest keys for it, and the last version with its tag as
/// long as anybody holds it. Owns the stores. Thread-safe.
/// </summary>
internal sealed class RestTables(
    RestCatalogOptions options, IReadOnlyDictionary<string, string> properties,
    Func<TableIdentifier, CancellationToken, Task<LoadedTable>> load) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TableIdentifier, Seen> tables = [];
    private readonly ConcurrentDictionary<string, Lazy<IFileIO>> shared = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<IFileIO> opened = [];

    /// <summary>The version that was seen last and its tag; null where nobody holds it any more, or it had no tag.</summary>
    public (string Tag, LoadedTable Table)? Known(TableIdentifier identifier)
        => tables.TryGetValue(identifier, out var seen) && seen.Tag is { } tag && seen.Version is { } version
            && version.TryGetTarget(out var table)
            ? (tag, table) : null;

    /// <summary>The store of a table that was seen; null of one that was not.</summary>
    public IFileIO? StoreOf(TableIdentifier identifier) => tables.TryGetValue(identifier, out var seen) ? seen.Store : null;

    public void Forget(TableIdentifier identifier) => tables.TryRemove(identifier, out _);

    /// <summary>Takes an answer that loads, creates or registers a table.</summary>
    /// <exception cref="ValidationException">Its store cannot be reached.</exception>
    public LoadedTable Take(TableIdentifier identifier, RestAnswer answer)
    {
        var (metadata, location, keys) = answer.Read($"the table {identifier}", static root
            => (TableMetadataJson.Read(root.Required("metadata")), root.RequiredText("metadata-location"), LentKeys.Read(root)));
        var store = StoreFor(identifier, metadata.Location, keys);
        var table = new LoadedTable(identifier, metadata, location, store.Store);
        tables[identifier] = store with { Tag = answer.Tag, Version = new(table) };
        return table;
    }

    /// <summary>Takes an answer to a commit, which says nothing of the store.</summary>
    public LoadedTable TakeCommitted(TableIdentifier identifier, RestAnswer answer, IFileIO store)
    {
        var (metadata, location) = answer.Read($"the commit to {identifier}", static root
            => (TableMetadataJson.Read(root.Required("metadata")), root.RequiredText("metadata-location")));
        var table = new LoadedTable(identifier, metadata, location, store);
        if (tables.TryGetValue(identifier, out var seen))
            tables[identifier] = seen with { Tag = answer.Tag, Version = new(table) };
        return table;
    }

    public async ValueTask DisposeAsync()
    {
        while (opened.TryTake(out var store))
        {
            if (store is IAsyncDisposable later)
                await later.DisposeAsync().ConfigureAwait(false);
            else
                (store as IDisposable)?.Dispose();
        }
    }

    /// <summary>The store that the table has already, where the answer means the same one. Tables without keys of their own share
    /// one.</summary>
    private Seen StoreFor(TableIdentifier identifier, string location, LentKeys keys)
    {
        var current = keys.PropertiesFor(location, properties);
        if (!keys.Lends)
            return new Seen(Shared(location, keys, current), location, current);
        if (tables.TryGetValue(identifier, out var seen) && seen.Location == location && seen.IsOwn
            && LentKeys.AreAlike(seen.Properties, current))
            return seen with { Properties = current };
        var access = new StoreAccess(location, current, cancellationToken => RenewAsync(identifier, cancellationToken));
        return new Seen(Open(access), location, current) { IsOwn = true };
    }

    private IFileIO Shared(string location, LentKeys keys, IReadOnlyDictionary<string, string> current)
    {
        var place = LentKeys.PlaceOf(location);
        var said = keys.Config.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Key}={pair.Value}");
        var key = string.Join('\n', said.Prepend(place));
        return shared.GetOrAdd(key, _ => new(() => Open(new StoreAccess(location, current)))).Value;
    }

    private IFileIO Open(StoreAccess access)
    {
        var store = options.OpenStore(access);
        opened.Add(store);
        return store;
    }

    /// <summary>Loads the whole table, whatever is known of it: an answer that nothing has changed brings no keys.</summary>
    private async Task<IReadOnlyDictionary<string, string>> RenewAsync(TableIdentifier identifier, CancellationToken cancellationToken)
    {
        await load(identifier, cancellationToken).ConfigureAwait(false);
        return tables.TryGetValue(identifier, out var seen) ? seen.Properties
            : throw new NoSuchTableException($"The table {identifier} is gone, and with it the keys for its files.");
    }

    private sealed record Seen(IFileIO Store, string Location, IReadOnlyDictionary<string, string> Properties)
    {
        public bool IsOwn { get; init; }
        public string? Tag { get; init; }
        public WeakReference<LoadedTable>? Version { get; init; }
    }
}
