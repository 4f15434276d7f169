using System.Text;
using Frazil.Cold;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.Tests.Cold;

/// <summary>Copies of data files: whole or not there, of the file that is asked for and no other, and no more of them than told.</summary>
public sealed class FileCacheTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-cache-").FullName;

    private string CacheFolderPath => Path.Combine(folder, "cache");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_is_held_is_there_and_is_fetched_once()
    {
        var store = new CountingStore();
        var cache = new FileCache(CacheFolderPath, long.MaxValue);
        var files = Enumerable.Range(0, 20).Select(n => File(store, $"file {n}")).ToList();

        using var first = await cache.HoldAsync(files, default);
        using var second = await cache.HoldAsync(files, default);

        Assert.All(files, file => Assert.Equal(Content(file), System.IO.File.ReadAllText(cache.PathOf(file))));
        Assert.Equal(20, store.Opened);
        Assert.Equal(files.Sum(file => file.SizeBytes), cache.Bytes);
    }

    [Fact]
    public async Task Many_who_want_one_file_wait_for_one_fetch_and_one_who_goes_does_not_end_it()
    {
        var store = new CountingStore { Gate = new TaskCompletionSource() };
        var cache = new FileCache(CacheFolderPath, long.MaxValue);
        var file = File(store, "wanted");
        using var gone = new CancellationTokenSource();
        var leaver = cache.HoldAsync([file], gone.Token);
        var others = Enumerable.Range(0, 5).Select(_ => cache.HoldAsync([file], default)).ToList();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaver);
        store.Gate.SetResult();
        var holds = await Task.WhenAll(others);

        Assert.Equal(1, store.Opened);
        Assert.Equal("wanted", System.IO.File.ReadAllText(cache.PathOf(file)));
        Array.ForEach(holds, hold => hold.Dispose());
    }

    [Fact]
    public async Task Beyond_the_limit_those_go_that_were_read_longest_ago_and_none_that_is_held()
    {
        var store = new CountingStore();
        var cache = new FileCache(CacheFolderPath, mostBytes: 20);
        var (held, old, fresh) = (File(store, "0123456789"), File(store, "abcdefghij"), File(store, "klmnopqrst"));
        using var hold = await cache.HoldAsync([held], default);
        (await cache.HoldAsync([old], default)).Dispose();

        (await cache.HoldAsync([fresh], default)).Dispose();

        Assert.True(System.IO.File.Exists(cache.PathOf(held)));
        Assert.False(System.IO.File.Exists(cache.PathOf(old)));
        Assert.True(System.IO.File.Exists(cache.PathOf(fresh)));
        Assert.Equal(20, cache.Bytes);
    }

    [Fact]
    public async Task A_query_may_hold_more_than_the_limit_until_it_is_done()
    {
        var store = new CountingStore();
        var cache = new FileCache(CacheFolderPath, mostBytes: 5);
        var files = Enumerable.Range(0, 4).Select(n => File(store, $"0123456789{n}")).ToList();

        var hold = await cache.HoldAsync(files, default);
        Assert.All(files, file => Assert.True(System.IO.File.Exists(cache.PathOf(file))));
        hold.Dispose();

        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public async Task Copies_outlive_the_process_and_those_that_were_harmed_meanwhile_are_fetched_again()
    {
        var store = new CountingStore();
        var files = Enumerable.Range(0, 4).Select(n => File(store, $"content {n}")).ToList();
        var first = new FileCache(CacheFolderPath, long.MaxValue);
        (await first.HoldAsync(files, default)).Dispose();
        await System.IO.File.WriteAllTextAsync(first.PathOf(files[0]), "CONTENT 0"); // flipped
        await System.IO.File.WriteAllTextAsync(first.PathOf(files[1]), "cont"); // cut short
        System.IO.File.Delete(Path.ChangeExtension(first.PathOf(files[2]), ".sum")); // killed between the two
        await System.IO.File.WriteAllTextAsync(Path.Combine(CacheFolderPath, "x.y.tmp"), "under way");

        var second = new FileCache(CacheFolderPath, long.MaxValue);
        using var hold = await second.HoldAsync(files, default);

        Assert.All(files, file => Assert.Equal(Content(file), System.IO.File.ReadAllText(second.PathOf(file))));
        Assert.Equal(4 + 3, store.Opened);
        Assert.False(System.IO.File.Exists(Path.Combine(CacheFolderPath, "x.y.tmp")));
    }

    [Fact]
    public async Task A_file_of_another_size_than_the_table_says_is_refused_and_leaves_nothing()
    {
        var store = new CountingStore();
        var cache = new FileCache(CacheFolderPath, long.MaxValue);
        var file = File(store, "short") with { SizeBytes = 500 };

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => cache.HoldAsync([file], default));

        Assert.Contains("5 bytes, where the table says 500", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(CacheFolderPath));
    }

    [Fact]
    public async Task A_fetch_that_failed_is_tried_again_by_the_next_who_asks()
    {
        var store = new CountingStore { Failures = 1 };
        var cache = new FileCache(CacheFolderPath, long.MaxValue);
        var file = File(store, "later");

        await Assert.ThrowsAsync<IOException>(() => cache.HoldAsync([file], default));
        using var hold = await cache.HoldAsync([file], default);

        Assert.Equal("later", System.IO.File.ReadAllText(cache.PathOf(file)));
    }

    private RemoteFile File(CountingStore store, string content)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.parquet");
        System.IO.File.WriteAllText(path, content);
        return new RemoteFile(store, path, Encoding.UTF8.GetByteCount(content));
    }

    private static string Content(RemoteFile file) => System.IO.File.ReadAllText(file.Location);

    /// <summary>Local files that say that they have no paths.</summary>
    private sealed class CountingStore : IFileIO
    {
        private readonly LocalFileIO files = new();
        private int opened;

        public int Opened => opened;
        public int Failures { get; set; }
        public TaskCompletionSource? Gate { get; init; }

        public string LocationFor(string pathOrUri) => files.LocationFor(pathOrUri);
        public string? LocalPathFor(string location) => null;
        public Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default) => files.ReadAsync(location, cancellationToken);

        public async Task<Stream> OpenReadAsync(string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref opened);
            if (Gate is not null)
                await Gate.Task;
            return Failures-- > 0 ? throw new IOException("the store is away") : await files.OpenReadAsync(location, offset, length, cancellationToken);
        }

        public Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => files.CreateAsync(location, content, cancellationToken);
        public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default) => files.BeginUploadAsync(location, cancellationToken);
        public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default) => files.ExistsAsync(location, cancellationToken);
        public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default) => files.LengthAsync(location, cancellationToken);
        public Task DeleteAsync(string location, CancellationToken cancellationToken = default) => files.DeleteAsync(location, cancellationToken);
        public IAsyncEnumerable<StoredObject> ListAsync(string folder, CancellationToken cancellationToken = default) => files.ListAsync(folder, cancellationToken);
    }
}
