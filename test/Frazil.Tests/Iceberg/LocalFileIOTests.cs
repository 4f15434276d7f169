using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class LocalFileIOTests : IDisposable
{
    private readonly ScratchFolder folder = new();
    private readonly LocalFileIO files = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task An_object_is_created_whole_and_never_overwritten()
    {
        var location = files.LocationFor($"{folder.Path}/a/b c/d%2Fe.avro");
        Assert.StartsWith("file:///", location);
        await files.CreateAsync(location, "one"u8.ToArray());
        await Assert.ThrowsAsync<ObjectExistsException>(() => files.CreateAsync(location, "two"u8.ToArray()));
        Assert.Equal("one"u8.ToArray(), await files.ReadAsync(location));
        Assert.True(File.Exists($"{folder.Path}/a/b c/d%2Fe.avro"));
        Assert.Single(Directory.GetFiles($"{folder.Path}/a/b c"));
        Assert.Equal(3, await files.LengthAsync(location));
    }

    [Fact]
    public async Task Of_many_creators_of_one_name_one_wins()
    {
        var location = $"file:{folder.Path}/contested";
        var wins = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await files.CreateAsync(location, new[] { (byte)i });
                return i;
            }
            catch (ObjectExistsException)
            {
                return -1;
            }
        }));
        var winner = Assert.Single(wins, i => i >= 0);
        Assert.Equal([(byte)winner], await files.ReadAsync(location));
    }

    [Fact]
    public async Task An_upload_is_seen_when_it_is_completed_and_not_before()
    {
        var location = files.LocationFor($"{folder.Path}/data/a b/one");
        await using (var upload = await files.BeginUploadAsync(location))
        {
            await upload.WriteAsync("01234"u8.ToArray());
            upload.Write("56789"u8);
            Assert.False(await files.ExistsAsync(location));
            await upload.CompleteAsync();
            Assert.Equal("0123456789"u8.ToArray(), await files.ReadAsync(location));
        }
        Assert.Equal("0123456789"u8.ToArray(), await files.ReadAsync(location));
        Assert.Single(Directory.GetFiles($"{folder.Path}/data/a b"));
    }

    [Fact]
    public async Task An_upload_that_is_not_completed_leaves_nothing()
    {
        await using (var upload = await files.BeginUploadAsync($"{folder.Path}/data/one"))
            await upload.WriteAsync("half"u8.ToArray());
        await using (var upload = await files.BeginUploadAsync($"{folder.Path}/data/one"))
        {
            using var cancel = new CancellationTokenSource();
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload.CompleteAsync(cancel.Token));
        }
        Assert.Empty(Directory.GetFiles($"{folder.Path}/data"));
    }

    [Fact]
    public async Task An_upload_to_a_taken_name_fails_and_leaves_what_is_there()
    {
        var location = $"{folder.Path}/data/one";
        await using (var second = await files.BeginUploadAsync(location))
        {
            await second.WriteAsync("second"u8.ToArray());
            await files.CreateAsync(location, "first"u8.ToArray());
            await Assert.ThrowsAsync<ObjectExistsException>(() => second.CompleteAsync());
        }
        await Assert.ThrowsAsync<ObjectExistsException>(() => files.BeginUploadAsync(location));
        Assert.Equal("first"u8.ToArray(), await files.ReadAsync(location));
        Assert.Single(Directory.GetFiles($"{folder.Path}/data"));
    }

    [Fact]
    public async Task Parts_are_read_lists_are_deep_and_missing_objects_say_so()
    {
        await files.CreateAsync($"{folder.Path}/x/y/z", "0123456789"u8.ToArray());
        await using (var part = await files.OpenReadAsync($"file:{folder.Path}/x/y/z", 3, 4))
        using (var reader = new StreamReader(part))
            Assert.Equal("3456", await reader.ReadToEndAsync());
        var listed = new List<StoredObject>();
        await foreach (var one in files.ListAsync($"file://{folder.Path}/x"))
            listed.Add(one);
        Assert.Equal($"file://{folder.Path}/x/y/z", Assert.Single(listed).Location);
        Assert.Equal(10, listed[0].SizeBytes);
        await files.DeleteAsync(listed[0].Location);
        await files.DeleteAsync(listed[0].Location);
        await files.DeleteAsync($"{folder.Path}/none/at/all");
        Assert.False(await files.ExistsAsync(listed[0].Location));
        await Assert.ThrowsAsync<FileNotFoundException>(() => files.ReadAsync($"{folder.Path}/none/at/all"));
        await Assert.ThrowsAsync<FileNotFoundException>(() => files.ReadAsync(listed[0].Location));
    }

    [Fact]
    public void Locations_of_other_stores_are_refused()
    {
        Assert.Throws<ValidationException>(() => files.LocalPathFor("s3://bucket/key"));
        Assert.Throws<ValidationException>(() => files.LocalPathFor("file://host/path"));
        Assert.Equal("/a b", files.LocalPathFor("file:/a b"));
    }
}
