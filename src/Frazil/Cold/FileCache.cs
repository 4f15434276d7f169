using System.Collections.Concurrent;
using Frazil.Iceberg.IO;

namespace Frazil.Cold;

/// <summary>A data file in a store that has no paths.</summary>
/// <param name="Store">Where it is.</param>
/// <param name="Location">Names one content for ever: objects are never overwritten.</param>
/// <param name="SizeBytes">As its manifest has it.</param>
internal sealed record RemoteFile(IFileIO Store, string Location, long SizeBytes)
{
    /// <summary>Stores are opened anew; a file stays what it is.</summary>
    public bool Equals(RemoteFile? other) => other is not null && (Location, SizeBytes) == (other.Location, other.SizeBytes);

    public override int GetHashCode() => HashCode.Combine(Location, SizeBytes);
}

/// <summary>
/// Copies of data files on the local disk, for DuckDB, which reads paths only. A copy has the name of its location's hash and its size, is
/// written beside its place and named when it is whole, and is compared with its checksum when a process meets it first: what a crash or a
/// disk did to it, another fetch mends. Files that queries read are held; of the others those go that were read longest ago, once all of them
/// are more than the limit. Thread-safe.
/// </summary>
internal sealed class FileCache
{
    private const int FetchesAtOnce = 8;

    private readonly CacheFolder folder;
    private readonly long mostBytes;
    private readonly SemaphoreSlim seats = new(FetchesAtOnce);
    private readonly ConcurrentDictionary<string, Task> fetches = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CachedFile> files = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private long turn;

    /// <param name="path">The cache's own folder; made with the first file.</param>
    /// <param name="mostBytes">Beyond that, files that nobody reads go. Queries that read more than that at one time have more.</param>
    public FileCache(string path, long mostBytes)
    {
        (folder, this.mostBytes) = (new CacheFolder(path), mostBytes);
        foreach (var (name, bytes) in folder.List())
            files[name] = new CachedFile { Bytes = bytes };
    }

    /// <summary>Bytes of all copies.</summary>
    public long Bytes
    {
        get
        {
            lock (gate)
                return files.Values.Sum(static file => file.Bytes);
        }
    }

    /// <summary>Where the copy of a file is, or will be.</summary>
    public string PathOf(RemoteFile file) => folder.PathOf(CacheFolder.NameOf(file));

    /// <summary>Brings what is missing, and keeps all of them until what it returns is disposed.</summary>
    /// <exception cref="FileNotFoundException">The store does not have one of them any more.</exception>
    /// <exception cref="IOException">The store does not answer, or the disk is full.</exception>
    public async Task<IDisposable> HoldAsync(IReadOnlyCollection<RemoteFile> wanted, CancellationToken cancellationToken)
    {
        var byName = wanted.DistinctBy(CacheFolder.NameOf).ToDictionary(CacheFolder.NameOf);
        var hold = new Hold(this, [.. byName.Keys]);
        try
        {
            await Task.WhenAll(byName.Select(file => BringAsync(file.Key, file.Value, cancellationToken)));
            return hold;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    /// <summary>One fetch of a file serves all who want it; one of them going away does not end it.</summary>
    private async Task BringAsync(string name, RemoteFile file, CancellationToken cancellationToken)
    {
        while (!IsKnownGood(name))
        {
            var fetch = fetches.GetOrAdd(name, _ => Task.Run(() => FetchAsync(name, file), CancellationToken.None));
            try
            {
                await fetch.WaitAsync(cancellationToken);
            }
            finally
            {
                if (fetch.IsCompleted)
                    fetches.TryRemove(KeyValuePair.Create(name, fetch));
            }
        }
    }

    private async Task FetchAsync(string name, RemoteFile file)
    {
        await seats.WaitAsync();
        try
        {
            if (!folder.IsWhole(name, file.SizeBytes))
                await folder.FetchAsync(name, file);
            lock (gate)
            {
                var cached = files.TryGetValue(name, out var known) ? known : files[name] = new CachedFile();
                (cached.Bytes, cached.IsGood) = (file.SizeBytes, true);
            }
            Trim();
        }
        finally
        {
            seats.Release();
        }
    }

    private bool IsKnownGood(string name)
    {
        lock (gate)
            return files.TryGetValue(name, out var file) && file.IsGood;
    }

    private void Trim()
    {
        lock (gate)
        {
            var over = files.Values.Sum(static file => file.Bytes) - mostBytes;
            foreach (var (name, file) in files.Where(static file => file.Value.Holders == 0).OrderBy(static file => file.Value.LastUse).ToList())
            {
                if (over <= 0)
                    break;
                folder.Delete(name);
                files.Remove(name);
                over -= file.Bytes;
            }
        }
    }

    private sealed class CachedFile
    {
        /// <summary>Zero while it is only wanted.</summary>
        public long Bytes { get; set; }

        /// <summary>This process has compared it with its checksum.</summary>
        public bool IsGood { get; set; }
        public int Holders { get; set; }
        public long LastUse { get; set; }
    }

    /// <summary>What one query holds.</summary>
    private sealed class Hold : IDisposable
    {
        private readonly FileCache cache;
        private readonly string[] names;
        private bool isOver;

        public Hold(FileCache cache, string[] names)
        {
            (this.cache, this.names) = (cache, names);
            lock (cache.gate)
                foreach (var name in names)
                    (cache.files.TryGetValue(name, out var file) ? file : cache.files[name] = new CachedFile()).Holders++;
        }

        public void Dispose()
        {
            lock (cache.gate)
            {
                if (isOver)
                    return;
                isOver = true;
                var now = ++cache.turn;
                foreach (var name in names)
                    if (cache.files.TryGetValue(name, out var file))
                        (file.Holders, file.LastUse) = (file.Holders - 1, now);
            }
            cache.Trim();
        }
    }
}
