using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Xunit;
using static Frazil.Tests.Iceberg.Rest.RestScene;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>What an answer to a commit means, and what is made of one that does not come.</summary>
public sealed class RestCommitTests
{
    private static readonly TableRequirement[] NoneYet = [new TableRequirement.AssertRefSnapshotId(SnapshotRef.MainBranch, null)];

    /// <summary>LESSONS 63: the server has committed and the answer never comes.</summary>
    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_sent_once_and_found_by_its_snapshot()
    {
        var (before, snapshot) = (Metadata(), NewSnapshot(7));
        var committed = false;
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Commit() : new(200, Loaded(committed ? before.With(snapshot) : before, committed ? 2 : 1)));
        Reply Commit()
        {
            committed = true;
            return Reply.Cut;
        }
        await using var catalog = await OpenAsync(server);
        await catalog.LoadTableAsync(Orders);
        var table = await catalog.CommitTableAsync(Orders, NoneYet, Append(snapshot));
        Assert.Equal(7, table.Metadata.CurrentSnapshotId);
        Assert.Equal(1, server.Count("POST", TablePath));
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_and_whose_snapshot_is_not_there_is_unknown_and_never_sent_again()
    {
        await using var server = new ScriptedServer(static asked => asked.Method == "POST" ? Reply.Cut : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server);
        var error = await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.Equal(CommitError.Unknown, CommitErrors.KindOf(error));
        Assert.Equal(1, server.Count("POST", TablePath));
    }

    [Fact]
    public async Task An_answer_that_says_yes_and_breaks_off_is_looked_up()
    {
        var (before, snapshot) = (Metadata(), NewSnapshot(7));
        await using var server = new ScriptedServer(asked => asked.Method == "POST"
            ? new(200, """{"metadata-location":"x","metad""") : new(200, Loaded(asked.Headers.ContainsKey("if-none-match") ? before : before.With(snapshot), 2)));
        await using var catalog = await OpenAsync(server);
        Assert.Equal(7, (await catalog.CommitTableAsync(Orders, NoneYet, Append(snapshot))).Metadata.CurrentSnapshotId);
    }

    [Theory]
    [InlineData(409, "CommitFailedException", CommitError.Conflict)]
    [InlineData(404, "NoSuchTableException", CommitError.Refused)]
    [InlineData(400, "ValidationException", CommitError.Refused)]
    [InlineData(400, "BadRequestException", CommitError.Refused)]
    [InlineData(422, "UnprocessableEntity", CommitError.Refused)]
    [InlineData(406, "UnsupportedOperationException", CommitError.Refused)]
    [InlineData(500, "CommitStateUnknownException", CommitError.Unknown)]
    [InlineData(500, "InternalServerError", CommitError.Unknown)]
    [InlineData(502, "CommitStateUnknownException", CommitError.Unknown)]
    [InlineData(503, "ServiceUnavailableException", CommitError.Unknown)]
    [InlineData(504, "CommitStateUnknownException", CommitError.Unknown)]
    [InlineData(507, "", CommitError.Unknown)]
    public async Task What_the_catalog_says_of_a_commit_is_what_it_means(int status, string type, CommitError meaning)
    {
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Reply.Error(status, type) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server);
        var error = await Assert.ThrowsAnyAsync<IcebergException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.Equal(meaning, CommitErrors.KindOf(error));
        Assert.Equal(meaning == CommitError.Unknown, error is CommitStateUnknownException);
        Assert.Equal(1, server.Count("POST", TablePath));
    }

    /// <summary>LESSONS 63: a proxy's word is not the catalog's. Its 404 drops no table, its 409 is no conflict.</summary>
    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task What_a_gateway_says_of_a_commit_is_unknown(int status)
    {
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Reply.Page(status) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server);
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.Equal(1, server.Count("POST", TablePath));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(429)]
    public async Task A_commit_that_was_not_taken_at_all_changed_nothing_and_is_unavailable(int status)
    {
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Reply.Page(status) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new Frazil.Iceberg.IO.LocalFileIO());
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_changed_nothing()
    {
        var server = new ScriptedServer(static _ => new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new Frazil.Iceberg.IO.LocalFileIO());
        await catalog.LoadTableAsync(Orders);
        await server.DisposeAsync();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAnyAsync<IcebergException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.True(error is CatalogUnavailableException or CommitStateUnknownException, error.Message); // the latter where the old connection looked alive
    }

    /// <summary>LESSONS 63: the same key, and a conflict that our own first sending caused is none.</summary>
    [Fact]
    public async Task With_an_operation_key_a_lost_commit_is_sent_again_under_it_and_a_conflict_then_is_looked_up()
    {
        var (before, snapshot) = (Metadata(), NewSnapshot(7));
        var posts = 0;
        await using var server = new ScriptedServer(
            asked => asked.Method != "POST" ? new(200, Loaded(posts > 0 ? before.With(snapshot) : before))
                : ++posts == 1 ? Reply.Page(504) : Reply.Error(409, "CommitFailedException", "main is at 7 by now"),
            """{"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT30M"}""");
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new Frazil.Iceberg.IO.LocalFileIO());
        Assert.Equal(7, (await catalog.CommitTableAsync(Orders, NoneYet, Append(snapshot))).Metadata.CurrentSnapshotId);
        var keys = server.All.Where(static one => one.Method == "POST").Select(static one => one.Headers["idempotency-key"]).ToArray();
        Assert.Equal(2, keys.Length);
        Assert.Equal(keys[0], keys[1]);
        Assert.Equal('7', keys[0][14]);     // version 7, as the protocol wants
    }

    /// <summary>A certain no to the second sending says nothing of the first.</summary>
    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(400)]
    public async Task A_second_sending_that_is_refused_for_certain_leaves_the_first_one_in_doubt(int status)
    {
        var posts = 0;
        await using var server = new ScriptedServer(
            asked => asked.Method != "POST" ? new(200, Loaded(Metadata())) : ++posts == 1 ? Reply.Cut : Reply.Error(status, "SomeException"),
            """{"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT30M"}""");
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new Frazil.Iceberg.IO.LocalFileIO());
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.Equal(2, posts);
    }

    [Fact]
    public async Task A_token_that_cannot_be_renewed_after_a_lost_answer_leaves_it_in_doubt()
    {
        var (posts, bought) = (0, 0);
        await using var server = new ScriptedServer(
            asked => asked.Path.EndsWith("/tokens", StringComparison.Ordinal) ? ++bought == 1 ? new(200, """{"access_token":"one"}""") : new(400)
                : asked.Method != "POST" ? new(200, Loaded(Metadata())) : ++posts == 1 ? Reply.Cut : new(401),
            """{"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT30M"}""");
        await using var catalog = await OpenAsync(server, new HurriedTime(), static _ => new Frazil.Iceberg.IO.LocalFileIO(), ("credential", "a:secret"));
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7))));
        Assert.Equal((2, 2), (posts, bought));
    }

    [Fact]
    public async Task Two_commits_have_two_operation_keys_and_without_the_servers_word_none()
    {
        var metadata = Metadata();
        await using var server = new ScriptedServer(_ => new(200, Loaded(metadata)), """{"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT30M"}""");
        await using var catalog = await OpenAsync(server);
        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        Assert.Equal(2, server.All.Where(static one => one.Method == "POST").Select(static one => one.Headers["idempotency-key"]).Distinct().Count());

        server.Config = """{"defaults":{},"overrides":{}}""";
        await using var plain = await OpenAsync(server);
        await plain.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        Assert.False(server.All[^1].Headers.ContainsKey("idempotency-key"));
    }

    [Fact]
    public async Task A_503_that_says_when_to_come_again_is_waited_for_and_a_conflict_after_it_is_doubted()
    {
        var (before, snapshot, time) = (Metadata(), NewSnapshot(7), new HurriedTime());
        var posts = 0;
        await using var server = new ScriptedServer(asked => asked.Method != "POST" ? new(200, Loaded(before))
            : ++posts == 1 ? new(503, "", ("Retry-After", "7")) : Reply.Error(409, "CommitFailedException"));
        await using var catalog = await OpenAsync(server, time, static _ => new Frazil.Iceberg.IO.LocalFileIO());
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, NoneYet, Append(snapshot)));
        Assert.Equal(2, posts);
        Assert.Equal(TimeSpan.FromSeconds(7), Assert.Single(time.Waits));
    }

    /// <summary>A snapshot that was planned on an older version: older servers call that a bad request.</summary>
    [Fact]
    public async Task A_snapshot_whose_number_is_taken_is_a_conflict_whatever_the_server_calls_it()
    {
        var now = Metadata().With(NewSnapshot(5, sequence: 3));
        await using var server = new ScriptedServer(
            asked => asked.Method == "POST" ? Reply.Error(400, "ValidationException", "Cannot add snapshot with sequence number 3 older than last sequence number 3") : new(200, Loaded(now)));
        await using var catalog = await OpenAsync(server);
        await Assert.ThrowsAsync<CommitConflictException>(() => catalog.CommitTableAsync(Orders, [], Append(NewSnapshot(7, sequence: 3, parent: 5))));
        await Assert.ThrowsAsync<ValidationException>(() => catalog.CommitTableAsync(Orders, [], Append(NewSnapshot(7, sequence: 4, parent: 5))));
    }

    /// <summary>LESSONS 64: a field that is left out may be read as "any".</summary>
    [Fact]
    public async Task That_a_branch_must_not_exist_yet_is_said_in_words()
    {
        await using var server = new ScriptedServer(static _ => new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server);
        await catalog.CommitTableAsync(Orders, NoneYet, Append(NewSnapshot(7)));
        Assert.Contains("""{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}""", server.All[^1].Body);
    }
}
