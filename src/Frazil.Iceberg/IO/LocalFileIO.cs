using System.Runtime.CompilerServices;

namespace Frazil.Iceberg.IO;

/// <summary>
/// Objects as local files. Takes plain paths and <c>file:/…</c>, <c>file:///…</c> locations. A new file is written beside its
/// place under another name, flushed to disk, and linked into place: it appears whole or not at all, and never replaces another.
/// </summary>
public sealed class LocalFileIO : IFileIO
{
    private const string Scheme = "file:";

    public string LocationFor(string pathOrUri)
    {
        var path = Path.GetFullPath(PathOf(pathOrUri)).TrimEnd('/');
        // Readers that take a location for a URI cut it at these, and know no escapes in file: locations. A plain path they take whole.
        var scheme = path.AsSpan().IndexOfAny('#', '?') >= 0 ? "" : "file://";
        return scheme + (path.Length == 0 ? "/" : path);
    }

    public string? LocalPathFor(string location) => PathOf(location);

    public async Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default) =>
        await Translated(location, () => File.ReadAllBytesAsync(PathOf(location), cancellationToken)).ConfigureAwait(false);

    public Task<Stream> OpenReadAsync(string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        var path = PathOf(location);
        if (!File.Exists(path))
            throw new FileNotFoundException($"'{location}' does not exist.", path);
        var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024, FileOptions.Asynchronous);
        file.Position = offset;
        return Task.FromResult<Stream>(length is null ? file : new BoundedStream(file, length.Value));
    }

    public async Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        var upload = await BeginUploadAsync(location, cancellationToken).ConfigureAwait(false);
        await using (upload.ConfigureAwait(false))
        {
            await upload.WriteAsync(content, cancellationToken).ConfigureAwait(false);
            await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
    {
        var path = Path.GetFullPath(PathOf(location));
        LocalFiles.PrepareFolder(Path.GetDirectoryName(path)!);
        return File.Exists(path)
            ? throw new ObjectExistsException(location)
            : Task.FromResult<UploadStream>(new LocalUpload(location, path));
    }

    public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult(File.Exists(PathOf(location)));

    public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
    {
        var info = new FileInfo(PathOf(location));
        return info.Exists ? Task.FromResult(info.Length) : throw new FileNotFoundException($"'{location}' does not exist.", info.FullName);
    }

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
    {
        var path = PathOf(location);
        if (Directory.Exists(Path.GetDirectoryName(path)))
            File.Delete(path);
        return Task.CompletedTask;
    }

    /// <summary>True where the file system knows hard links. Without them a name is looked for and then taken, in two steps.</summary>
    public async Task<bool> CreatesExclusivelyAsync(string folder, CancellationToken cancellationToken = default)
    {
        var path = Path.GetFullPath(PathOf(folder));
        LocalFiles.PrepareFolder(path);
        if (OperatingSystem.IsWindows())
            return true;        // a move does it there
        var (one, other) = (Path.Combine(path, $".frazil-link-{Guid.NewGuid():N}"), Path.Combine(path, $".frazil-link-{Guid.NewGuid():N}"));
        try
        {
            await File.WriteAllBytesAsync(one, [], cancellationToken).ConfigureAwait(false);
            return HardLink.TryCreate(one, other, out _);
        }
        finally
        {
            File.Delete(one);
            File.Delete(other);
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var root = new DirectoryInfo(PathOf(folder));
        if (!root.Exists)
            yield break;
        var prefix = folder.TrimEnd('/');
        foreach (var file in root.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            file.Refresh();
            if (!file.Exists)
                continue; // an upload that was completed, or given up, since it was listed
            var relative = Path.GetRelativePath(root.FullName, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            yield return new StoredObject($"{prefix}/{relative}", file.Length, file.LastWriteTimeUtc);
        }
    }

    /// <summary>The path of a location: the scheme goes, nothing is decoded.</summary>
    /// <exception cref="ValidationException">The location names another scheme or a host.</exception>
    internal static string PathOf(string location)
    {
        if (location.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            var rest = location[Scheme.Length..];
            if (!rest.StartsWith("//", StringComparison.Ordinal))
                return rest;
            var path = rest[2..];
            return path.StartsWith('/') ? path
                : path.StartsWith("localhost/", StringComparison.OrdinalIgnoreCase) ? path["localhost".Length..]
                : throw new ValidationException($"'{location}' names a host; a local location is file:///path.");
        }
        return location.Contains("://", StringComparison.Ordinal)
            ? throw new ValidationException(
                $"'{location}' is not a local location: this build reads and writes plain paths and file: locations.")
            : location;
    }

    private static async Task<T> Translated<T>(string location, Func<Task<T>> read)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new FileNotFoundException($"'{location}' does not exist.", e);
        }
    }
}
