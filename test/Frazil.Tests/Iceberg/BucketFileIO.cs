using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;

namespace Frazil.Tests.Iceberg;

/// <summary>Objects in memory, by <c>bucket://</c> locations: a store that is no disk, has no folders, and gives nobody a path.</summary>
internal sealed class BucketFileIO : IFileIO
{
    private const string Scheme = "bucket://";

    private readonly ConcurrentDictionary<string, StoredBytes> objects = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Locations => [.. objects.Keys];

    public string LocationFor(string pathOrUri) => Checked(pathOrUri).TrimEnd('/');

    public string? LocalPathFor(string location)
    {
        _ = Checked(location);
        return null;
    }

    public Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default) => Task.FromResult(Of(location).Content);

    public Task<Stream> OpenReadAsync(string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        var content = Of(location).Content;
        var start = (int)Math.Min(offset, content.Length);
        return Task.FromResult<Stream>(
            new MemoryStream(content, start, (int)Math.Min(length ?? long.MaxValue, content.Length - start), writable: false));
    }

    public Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
        => objects.TryAdd(Checked(location), new(content.ToArray(), DateTimeOffset.UtcNow))
            ? Task.CompletedTask : throw new ObjectExistsException(location);

    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult<UploadStream>(new Upload(this, Checked(location)));

    public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult(objects.ContainsKey(Checked(location)));

    public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult((long)Of(location).Content.Length);

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
    {
        objects.TryRemove(Checked(location), out _);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.CompletedTask;
        foreach (var (location, stored) in objects.Where(one => one.Key.StartsWith($"{Checked(folder).TrimEnd('/')}/", StringComparison.Ordinal)))
            yield return new(location, stored.Content.Length, stored.Created);
    }

    private StoredBytes Of(string location)
        => objects.TryGetValue(Checked(location), out var stored) ? stored : throw new FileNotFoundException($"'{location}' does not exist.");

    private static string Checked(string location)
        => location.StartsWith(Scheme, StringComparison.Ordinal) ? location : throw new ValidationException($"'{location}' is not in the bucket.");

    private sealed record StoredBytes(byte[] Content, DateTimeOffset Created);

    private sealed class Upload(BucketFileIO bucket, string location) : UploadStream
    {
        private readonly ArrayBufferWriter<byte> content = new();

        public override Task CompleteAsync(CancellationToken cancellationToken = default)
            => bucket.CreateAsync(location, content.WrittenMemory, cancellationToken);

        public override void Flush() { }

        public override void Write(byte[] buffer, int offset, int count) => content.Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => content.Write(buffer);
    }
}
