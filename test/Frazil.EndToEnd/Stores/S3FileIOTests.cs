using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The store's contract on a real S3 server, and what is S3's own.</summary>
public sealed class S3FileIOTests(S3Server server) : FileIOContract, IClassFixture<S3Server>
{
    [Fact]
    public async Task A_key_of_a_thousand_bytes_is_kept_and_a_longer_one_is_refused_in_words()
    {
        using var time = Time();
        var folder = NewFolder();
        using var store = OpenS3();
        var room = 1000 - (folder.Length - $"s3://{MinioServer.Bucket}/".Length) - 1;
        var part = string.Concat(Enumerable.Repeat("v=", 100)); // path segments have their own limit on that server's disk
        var location = $"{folder}/{string.Join('/', Enumerable.Repeat(part, 5))}"[..(folder.Length + 1 + room)];

        await store.CreateAsync(location, "x"u8.ToArray(), time.Token);

        Assert.Equal(1, await store.LengthAsync(location, time.Token));
        var error = await Assert.ThrowsAsync<IOException>(() => store.CreateAsync(location + new string('a', 100), "x"u8.ToArray(), time.Token));
        Assert.Contains("KeyTooLong", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_that_is_given_up_leaves_nothing()
    {
        using var time = Time();
        var folder = NewFolder();
        using var store = OpenS3();
        await using (var upload = await store.BeginUploadAsync($"{folder}/x", time.Token))
            await upload.WriteAsync(new byte[12 << 20], time.Token);

        Assert.Empty(await store.ListAsync(folder, time.Token).ToListAsync(time.Token));
        Assert.Empty(await store.UnfinishedUploadsAsync(folder, time.Token));
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_said_to_be_missing_and_a_bucket_is_no_object()
    {
        using var time = Time();
        NewFolder();
        using var store = OpenS3();

        await Assert.ThrowsAsync<Iceberg.ValidationException>(() => store.CreateAsync("s3://lake", "x"u8.ToArray(), time.Token));
        var bucket = await Assert.ThrowsAsync<IOException>(() => store.CreateAsync("s3://no-such-bucket/x", "x"u8.ToArray(), time.Token));
        Assert.Contains("bucket does not exist", bucket.Message, StringComparison.Ordinal);
    }

    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => OpenS3();

    private S3FileIO OpenS3() => server.Minio.Open(("s3.multipart.part-size-bytes", $"{5 << 20}"));
}
