namespace Frazil.Iceberg.IO;

/// <summary>An object in a store.</summary>
/// <param name="Location">The full location, in the form the store was asked with.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="LastModified">When it was written, by the store's clock.</param>
public readonly record struct StoredObject(string Location, long SizeBytes, DateTimeOffset LastModified);

/// <summary>
/// Immutable objects by location. No operation ever overwrites. Thread-safe. Locations are compared as text; they are never
/// percent-decoded (a file named <c>a%2Fb</c> is spelled so).
/// <para>Errors: what is not there is <see cref="FileNotFoundException"/>, what must not be touched <see
/// cref="UnauthorizedAccessException"/>, a name that is taken <see cref="ObjectExistsException"/>, a location that this store cannot have
/// <see cref="ValidationException"/>, and every other failure of the store, a time-out of its own included, an <see cref="IOException"/>.
/// After any error of a creation but ObjectExistsException the object may be there, whole, or not; never in part. <see
/// cref="OperationCanceledException"/> is thrown only where the caller's token was cancelled, and after it the same holds.</para>
/// </summary>
public interface IFileIO
{
    /// <summary>The location that a path of the user's stands for: absolute, with a scheme, no trailing slash.</summary>
    string LocationFor(string pathOrUri);

    /// <summary>The local path of a location, where other code (DuckDB, say) can read and write it itself; null for remote
    /// stores.</summary>
    string? LocalPathFor(string location);

    /// <summary>Reads a whole object.</summary>
    /// <exception cref="FileNotFoundException">No such object.</exception>
    Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default);

    /// <summary>Opens a part of an object; the caller disposes the stream. Where the object ends within the part, or before it, so does the
    /// stream.</summary>
    /// <param name="location">The object.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes, or null for the rest.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    /// <exception cref="FileNotFoundException">No such object.</exception>
    Task<Stream> OpenReadAsync(string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default);

    /// <summary>Creates an object. On return it is durable and visible whole; before, not at all.</summary>
    /// <exception cref="ObjectExistsException">The location is taken; what is there stays untouched.</exception>
    Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Begins an object that is written piece by piece. The caller disposes it, which gives it up unless it was completed.</summary>
    /// <param name="location">The object; missing folders are made.</param>
    /// <param name="cancellationToken">Cancels the beginning.</param>
    /// <exception cref="ObjectExistsException">The location is taken. A store may also find that only at the end.</exception>
    Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default);

    Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default);

    /// <summary>The length of an object in bytes.</summary>
    /// <exception cref="FileNotFoundException">No such object.</exception>
    Task<long> LengthAsync(string location, CancellationToken cancellationToken = default);

    /// <summary>Deletes an object; none there is fine.</summary>
    Task DeleteAsync(string location, CancellationToken cancellationToken = default);

    /// <summary>Whether, of two creations of one name at the same moment, exactly one succeeds in this folder: what a catalog without a
    /// database rests on.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be.</exception>
    Task<bool> CreatesExclusivelyAsync(string folder, CancellationToken cancellationToken = default) => Task.FromResult(false);

    /// <summary>Every object below a folder, at any depth, in no order; none there is fine.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string folder, CancellationToken cancellationToken = default);
}

/// <summary>An object of this name exists; nothing was written.</summary>
public sealed class ObjectExistsException(string location, Exception? inner = null)
    : IOException($"'{location}' exists already; objects are never overwritten.", inner)
{
    public string Location { get; } = location;
}
