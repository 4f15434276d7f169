using System.Text;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>What the network does to requests to a real S3 server: a lost answer is looked up, a cut body is asked for again, and nothing
/// waits for ever.</summary>
public sealed class S3FaultTests(S3Server server) : IClassFixture<S3Server>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Theory]
    [InlineData(100)]
    [InlineData(12 << 20)]
    public async Task A_creation_whose_answer_was_lost_is_known_for_ones_own_when_it_is_sent_again(int bytes)
    {
        using var time = new CancellationTokenSource(Limit);
        var location = $"{server.NewFolder()}/x";
        var way = await OpenWayAsync(time.Token);
        using var direct = server.Minio.Open();
        using var store = server.Minio.Open(
            ("s3.endpoint", way.Endpoint), ("s3.request-timeout", "3"), ("s3.retry.num-retries", "50"), ("s3.multipart.part-size-bytes", $"{5 << 20}"));
        await using var upload = await store.BeginUploadAsync(location, time.Token);
        await upload.WriteAsync(new byte[bytes], time.Token);
        if (bytes > 5 << 20)
            await UntilAsync(async () => (await direct.UnfinishedUploadsAsync(location, time.Token)).Count > 0, time.Token);

        await server.Proxy.HarmAsync(way.Name, "timeout", "timeout", 0, "downstream", time.Token);
        var completion = upload.CompleteAsync(time.Token);
        if (bytes <= 5 << 20) // with parts, the last of them must be answered before the object can be asked for
            await UntilAsync(() => direct.ExistsAsync(location, time.Token), time.Token);
        await server.Proxy.HealAsync(time.Token);
        await completion;

        Assert.Equal(bytes, await direct.LengthAsync(location, time.Token));
    }

    [Fact]
    public async Task A_creation_that_another_won_meanwhile_is_not_taken_for_ones_own()
    {
        using var time = new CancellationTokenSource(Limit);
        var location = $"{server.NewFolder()}/x";
        var way = await OpenWayAsync(time.Token);
        using var direct = server.Minio.Open();
        using var store = server.Minio.Open(("s3.endpoint", way.Endpoint), ("s3.request-timeout", "3"), ("s3.retry.num-retries", "50"));
        await server.Proxy.HarmAsync(way.Name, "timeout", "timeout", 0, "upstream", time.Token); // the request never arrives

        var creation = store.CreateAsync(location, "same"u8.ToArray(), time.Token);
        await direct.CreateAsync(location, "same"u8.ToArray(), time.Token);
        await server.Proxy.HealAsync(time.Token);

        await Assert.ThrowsAsync<ObjectExistsException>(() => creation);
    }

    [Fact]
    public async Task A_body_that_is_cut_is_asked_for_from_where_it_was_cut()
    {
        using var time = new CancellationTokenSource(Limit);
        var location = $"{server.NewFolder()}/x";
        var way = await OpenWayAsync(time.Token);
        using var direct = server.Minio.Open();
        using var store = server.Minio.Open(("s3.endpoint", way.Endpoint));
        var content = new byte[1_000_000];
        new Random(1).NextBytes(content);
        await direct.CreateAsync(location, content, time.Token);
        await server.Proxy.HarmAsync(way.Name, "limit_data", "bytes", 300_000, "downstream", time.Token);

        Assert.Equal(content, await store.ReadAsync(location, time.Token));
        await server.Proxy.HealAsync(time.Token);
    }

    [Fact]
    public async Task A_store_that_is_silent_or_gone_is_an_error_and_not_a_wait()
    {
        using var time = new CancellationTokenSource(Limit);
        var location = $"{server.NewFolder()}/x";
        var way = await OpenWayAsync(time.Token);
        using var store = server.Minio.Open(("s3.endpoint", way.Endpoint), ("s3.request-timeout", "1"), ("s3.retry.num-retries", "1"));
        await server.Proxy.HarmAsync(way.Name, "timeout", "timeout", 0, "downstream", time.Token);

        var silent = await Assert.ThrowsAsync<IOException>(() => store.ReadAsync(location, time.Token));
        await server.Proxy.HealAsync(time.Token);
        await server.Proxy.CloseAsync(way.Name, time.Token);
        await Assert.ThrowsAsync<IOException>(() => store.CreateAsync(location, "x"u8.ToArray(), time.Token));
        await Assert.ThrowsAsync<IOException>(() => store.DeleteManyAsync([location], time.Token));

        Assert.Contains(location, silent.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_keys_are_said_in_words_that_hold_no_secret()
    {
        using var time = new CancellationTokenSource(Limit);
        var location = $"{server.NewFolder()}/x";
        using var store = server.Minio.Open(("s3.secret-access-key", "not-the-secret"));

        var error = await Assert.ThrowsAsync<UnauthorizedAccessException>(() => store.CreateAsync(location, "x"u8.ToArray(), time.Token));

        Assert.Contains("Check the credentials", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_that_a_catalog_lends_are_fetched_anew_before_they_end()
    {
        using var time = new CancellationTokenSource(Limit);
        var folder = server.NewFolder();
        var fetched = 0;
        var lent = server.Minio.Properties;
        var ended = new Dictionary<string, string>(lent)
        {
            ["s3.session-token-expires-at-ms"] = $"{DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds()}",
            ["s3.secret-access-key"] = "of yesterday",
        };
        using var store = S3FileIO.WithVended(ended, _ =>
        {
            fetched++;
            return Task.FromResult<IReadOnlyDictionary<string, string>>(lent);
        });

        await store.CreateAsync($"{folder}/x", Encoding.UTF8.GetBytes("x"), time.Token);

        Assert.Equal(1, fetched);
    }

    private async Task<(string Name, string Endpoint)> OpenWayAsync(CancellationToken cancellationToken)
    {
        var name = $"s3-{Guid.NewGuid():N}";
        return (name, $"http://{await server.Proxy.OpenAsync(name, new Uri(server.Minio.Endpoint).Authority, cancellationToken)}");
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        while (!await condition())
            await Task.Delay(20, cancellationToken);
    }
}
