using System.Text;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>What every store must do: nothing is overwritten, nothing is seen in part, every name is kept as it is.</summary>
public abstract class FileIOContract
{
    protected static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>A place of its own; skips the test where there is no such store.</summary>
    protected abstract string NewFolder();

    /// <summary>The store, with parts of 5 MiB.</summary>
    protected abstract IFileIO Open();

    [Theory]
    [InlineData("plain.parquet")]
    [InlineData("with space/a+b=c&d.parquet")]
    [InlineData("100%/a%2Fb%20c")]
    [InlineData("#1/what?.parquet")]
    [InlineData("städte/東京/\U0001F9CA.parquet")]
    [InlineData("a//b/.c~!'()*@$,;:.bin")]
    public async Task A_name_is_kept_as_it_is(string name)
    {
        using var time = Time();
        var folder = NewFolder();
        var store = Open();
        var location = $"{folder}/{name}";

        await store.CreateAsync(location, "one"u8.ToArray(), time.Token);

        Assert.Equal("one", Encoding.UTF8.GetString(await store.ReadAsync(location, time.Token)));
        Assert.Equal(3, await store.LengthAsync(location, time.Token));
        var listed = Assert.Single(await store.ListAsync(folder, time.Token).ToListAsync(time.Token));
        Assert.Equal((location, 3L), (listed.Location, listed.SizeBytes));
        await store.DeleteAsync(location, time.Token);
        Assert.False(await store.ExistsAsync(location, time.Token));
        await store.DeleteAsync(location, time.Token); // none there is fine
    }

    [Fact]
    public async Task Parts_of_an_object_are_read_as_asked_and_end_where_it_ends()
    {
        using var time = Time();
        var folder = NewFolder();
        var store = Open();
        await store.CreateAsync($"{folder}/x", "0123456789"u8.ToArray(), time.Token);
        await store.CreateAsync($"{folder}/empty", Array.Empty<byte>(), time.Token);

        Assert.Equal("0123456789", await ReadAsync("x", 0, null));
        Assert.Equal("345", await ReadAsync("x", 3, 3));
        Assert.Equal("789", await ReadAsync("x", 7, 100));
        Assert.Equal("789", await ReadAsync("x", 7, null));
        Assert.Equal("", await ReadAsync("x", 4, 0));
        Assert.Equal("", await ReadAsync("x", 10, null));
        Assert.Equal("", await ReadAsync("x", 50, 5));
        Assert.Equal("", await ReadAsync("empty", 0, null));
        Assert.Equal("", await ReadAsync("empty", 0, 8));
        Assert.Empty(await store.ReadAsync($"{folder}/empty", time.Token));

        async Task<string> ReadAsync(string name, long offset, long? length)
        {
            await using var stream = await store.OpenReadAsync($"{folder}/{name}", offset, length, time.Token);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync(time.Token);
        }
    }

    [Fact]
    public async Task Of_many_that_create_one_name_one_wins()
    {
        using var time = Time();
        var location = $"{NewFolder()}/v2.metadata.json";
        var store = Open();

        var tries = await Task.WhenAll(Enumerable.Range(0, 20).Select(async writer =>
        {
            try
            {
                await store.CreateAsync(location, Encoding.UTF8.GetBytes($"writer {writer}"), time.Token);
                return writer;
            }
            catch (ObjectExistsException)
            {
                return -1;
            }
        }));

        var winner = Assert.Single(tries, writer => writer >= 0);
        Assert.Equal($"writer {winner}", Encoding.UTF8.GetString(await store.ReadAsync(location, time.Token)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(5 << 20)]
    [InlineData((5 << 20) + 1)]
    [InlineData(23_456_789)]
    public async Task An_upload_shows_the_object_whole_at_its_end(int bytes)
    {
        using var time = Time();
        var location = $"{NewFolder()}/x.parquet";
        var store = Open();
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);

        await using (var upload = await store.BeginUploadAsync(location, time.Token))
        {
            for (var at = 0; at < bytes; at += 700_001)
                await upload.WriteAsync(content.AsMemory(at, Math.Min(700_001, bytes - at)), time.Token);
            Assert.False(await store.ExistsAsync(location, time.Token));
            await upload.CompleteAsync(time.Token);
        }

        Assert.Equal(content, await store.ReadAsync(location, time.Token));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(12 << 20)]
    public async Task An_upload_takes_nobodys_name(int bytes)
    {
        using var time = Time();
        var location = $"{NewFolder()}/x.parquet";
        var store = Open();
        await using var upload = await store.BeginUploadAsync(location, time.Token);
        await upload.WriteAsync(new byte[bytes], time.Token);
        await store.CreateAsync(location, "first"u8.ToArray(), time.Token);

        await Assert.ThrowsAsync<ObjectExistsException>(() => upload.CompleteAsync(time.Token));

        Assert.Equal("first", Encoding.UTF8.GetString(await store.ReadAsync(location, time.Token)));
    }

    [Fact]
    public async Task More_objects_than_a_request_takes_are_listed_and_deleted()
    {
        using var time = Time();
        var folder = NewFolder();
        var store = Open();
        var locations = Enumerable.Range(0, 1_250).Select(n => $"{folder}/{n % 7}/{n}").ToList();
        await Parallel.ForEachAsync(locations, time.Token, async (location, token) => await store.CreateAsync(location, "x"u8.ToArray(), token));

        Assert.Equal(locations.Order(), (await store.ListAsync(folder, time.Token).ToListAsync(time.Token)).Select(found => found.Location).Order());
        await store.DeleteManyAsync([.. locations, $"{folder}/never"], time.Token);

        Assert.Empty(await store.ListAsync(folder, time.Token).ToListAsync(time.Token));
    }

    [Fact]
    public async Task What_is_not_there_is_said_to_be_missing()
    {
        using var time = Time();
        var nowhere = $"{NewFolder()}/nothing";
        var store = Open();

        await Assert.ThrowsAsync<FileNotFoundException>(() => store.ReadAsync(nowhere, time.Token));
        await Assert.ThrowsAsync<FileNotFoundException>(() => store.LengthAsync(nowhere, time.Token));
        await Assert.ThrowsAsync<FileNotFoundException>(() => store.OpenReadAsync(nowhere, 5, 0, time.Token));
        Assert.False(await store.ExistsAsync(nowhere, time.Token));
        Assert.Empty(await store.ListAsync(nowhere, time.Token).ToListAsync(time.Token));
        await Assert.ThrowsAsync<Iceberg.ValidationException>(() => store.ReadAsync("file:///etc/passwd", time.Token));
    }

    protected static CancellationTokenSource Time() => new(Limit);
}
