using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Xunit;
using static Frazil.Tests.Iceberg.Rest.RestScene;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>Loads: what is not sent again, when a request is, and the keys that come with a table.</summary>
public sealed class RestLoadTests
{
    private const string Lent = ""","config":{"s3.endpoint":"e"},"storage-credentials":[{"prefix":"s3://b/ns/test","config":{"s3.access-key-id":"short"}},{"prefix":"s3://b/ns/test2/","config":{"s3.access-key-id":"right","s3.session-token":"NUMBER"}},{"prefix":"s3","config":{"s3.access-key-id":"any"}}]""";

    [Fact]
    public async Task A_table_that_has_not_changed_is_not_sent_again()
    {
        var metadata = Metadata();
        await using var server = new ScriptedServer(asked => asked.Headers.GetValueOrDefault("if-none-match") == "W/\"one\""
            ? new(304) : new(200, Loaded(metadata), ("ETag", "W/\"one\"")));
        await using var catalog = await OpenAsync(server);
        var first = await catalog.LoadTableAsync(Orders);
        Assert.Same(first, await catalog.LoadTableAsync(Orders));
        metadata = metadata.With(NewSnapshot(7));
        server.Answer = asked => asked.Headers.GetValueOrDefault("if-none-match") == "\"two\"" ? new(304) : new(200, Loaded(metadata, 2), ("ETag", "\"two\""));
        Assert.Equal(7, (await catalog.LoadTableAsync(Orders)).Metadata.CurrentSnapshotId);
        Assert.Equal(["", "W/\"one\"", "W/\"one\""], server.All.Select(static one => one.Headers.GetValueOrDefault("if-none-match", "")));
        var committed = await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        Assert.Same(committed, await catalog.LoadTableAsync(Orders));       // a commit's answer is a version with a tag as well
        GC.KeepAlive(first);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_load_is_sent_again_where_the_failure_may_pass_and_is_unavailable_where_it_does_not(int status)
    {
        var failures = 2;
        await using var server = new ScriptedServer(_ => failures-- > 0 ? Reply.Page(status) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new LocalFileIO());
        await catalog.LoadTableAsync(Orders);
        Assert.Equal(3, server.All.Count);
        failures = int.MaxValue;
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        Assert.Equal(3 + 5, server.All.Count);
    }

    [Fact]
    public async Task A_load_that_breaks_off_is_sent_again()
    {
        var cuts = 2;
        await using var server = new ScriptedServer(_ => cuts-- > 0 ? Reply.Cut : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new LocalFileIO());
        await catalog.LoadTableAsync(Orders);
    }

    [Fact]
    public async Task A_server_that_asks_to_be_left_alone_for_long_is_left_alone()
    {
        var time = new HurriedTime();
        await using var server = new ScriptedServer(static _ => new(429, "", ("Retry-After", "3600")));
        await using var catalog = await OpenAsync(server, time, static _ => new LocalFileIO());
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        Assert.Single(server.All);
        Assert.Empty(time.Waits);
    }

    /// <summary>LESSONS 69: a prefix matches whole parts of a path, the longest first.</summary>
    [Fact]
    public async Task The_keys_of_the_longest_prefix_that_ends_where_a_name_ends_open_the_tables_store()
    {
        await using var server = new ScriptedServer(static _ => new(200, Loaded(Metadata("s3://b/ns/test2"), more: Lent)));
        var opened = new List<StoreAccess>();
        await using var catalog = await OpenAsync(server, TimeProvider.System, access =>
        {
            opened.Add(access);
            return new LocalFileIO();
        });
        await catalog.LoadTableAsync(Orders);
        Assert.Equal(("right", "e"), (opened[0].Properties["s3.access-key-id"], opened[0].Properties["s3.endpoint"]));
        Assert.Equal("vended-credentials", server.All[0].Headers["x-iceberg-access-delegation"]);
        Assert.True(LentKeys.Covers("s3://b/ns/test", "s3a://b/ns/test/data/x.parquet"));
        Assert.True(LentKeys.Covers("s3://b/ns/test/", "s3://b/ns/test"));
        Assert.False(LentKeys.Covers("s3://b/ns/test", "s3://b/ns/test2"));
        Assert.False(LentKeys.Covers("s3://b", "s3://b2/x"));
        Assert.True(LentKeys.Covers("gs://", "gs://b2/x"));
        Assert.False(LentKeys.Covers("gs", "s3://b2/x"));
    }

    /// <summary>LESSONS 69: an answer that nothing has changed brings no keys.</summary>
    [Fact]
    public async Task Keys_are_renewed_by_a_load_of_the_whole_table_and_the_store_stays_the_same()
    {
        var loads = 0;
        var metadata = Metadata("s3://b/ns/test2");
        await using var server = new ScriptedServer(asked => asked.Headers.ContainsKey("if-none-match")
            ? new(304) : new(200, Loaded(metadata, more: Lent.Replace("NUMBER", $"{++loads}", StringComparison.Ordinal)), ("ETag", "\"same\"")));
        var opened = new List<StoreAccess>();
        await using var catalog = await OpenAsync(server, TimeProvider.System, access =>
        {
            opened.Add(access);
            return new LocalFileIO();
        });
        var first = await catalog.LoadTableAsync(Orders);
        await catalog.LoadTableAsync(Orders);
        Assert.Equal(1, loads);
        var renewed = await opened[0].Renew!(TestContext.Current.CancellationToken);
        Assert.Equal((2, "2"), (loads, renewed["s3.session-token"]));
        metadata = metadata.With(NewSnapshot(7));
        var table = await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        Assert.Same(first.FileIO, table.FileIO);
        Assert.Single(opened);
    }

    [Fact]
    public async Task Tables_without_keys_of_their_own_share_a_store_of_each_bucket()
    {
        await using var server = new ScriptedServer(static asked => new(200, Loaded(Metadata(asked.Path.EndsWith('x') ? "s3://other/x" : $"s3://b/{asked.Path}"))));
        var opened = 0;
        await using var catalog = await OpenAsync(server, TimeProvider.System, _ =>
        {
            opened++;
            return new LocalFileIO();
        });
        foreach (var name in (string[])["s.a", "s.b", "s.x"])
            await catalog.LoadTableAsync(TableIdentifier.Parse(name));
        Assert.Equal(2, opened);
    }

    [Fact]
    public async Task Keys_are_not_asked_for_where_the_user_says_so()
    {
        await using var server = new ScriptedServer(static _ => new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, ("header.X-Iceberg-Access-Delegation", ""));
        await catalog.LoadTableAsync(Orders);
        Assert.False(server.All[0].Headers.ContainsKey("x-iceberg-access-delegation"));
    }
}
