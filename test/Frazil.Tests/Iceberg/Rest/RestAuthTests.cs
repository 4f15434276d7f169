using System.Globalization;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Xunit;
using static Frazil.Tests.Iceberg.Rest.RestScene;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>Who a request says it comes from, and tokens that end.</summary>
public sealed class RestAuthTests
{
    private const string Tokens = "/v1/oauth/tokens";
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly HurriedTime time = new();
    private int bought;

    private static Reply Token(string value, int seconds = 100)
        => new(200, string.Create(CultureInfo.InvariantCulture, $$"""{"access_token":"{{value}}","token_type":"bearer","expires_in":{{seconds}}}"""));

    private Reply Sell(int seconds = 100) => Token($"token-{++bought}", seconds);

    private Task<RestCatalog> OpenAsync(ScriptedServer server, params (string, string)[] properties)
        => RestScene.OpenAsync(server, time, static _ => new LocalFileIO(), properties);

    [Fact]
    public async Task A_credential_buys_a_token_with_scope_audience_and_resource()
    {
        await using var server = new ScriptedServer(asked => asked.Path == "/auth/token" ? Sell() : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(
            server, ("credential", "me:s3cret&:x"), ("oauth2-server-uri", "auth/token"), ("scope", "PRINCIPAL_ROLE:ALL"), ("audience", "a"), ("resource", "r"));
        await catalog.LoadTableAsync(Orders);
        Assert.Equal(
            "grant_type=client_credentials&client_id=me&client_secret=s3cret%26%3Ax&scope=PRINCIPAL_ROLE%3AALL&audience=a&resource=r", server.All[0].Body);
        Assert.Equal("application/x-www-form-urlencoded", server.All[0].Headers["content-type"]);
        Assert.Null(server.All[0].Token);
        Assert.Equal("Bearer token-1", server.Configs[0].Token);
        Assert.Equal("Bearer token-1", server.All[^1].Token);
        Assert.Equal(1, bought);
    }

    [Fact]
    public async Task A_token_is_bought_anew_before_it_ends_and_once_for_all_requests()
    {
        await using var server = new ScriptedServer(asked => asked.Path == Tokens ? Sell() : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, ("credential", "me:secret"));
        time.Pass(89 * Second);
        await catalog.LoadTableAsync(Orders);
        Assert.Equal(1, bought);
        time.Pass(2 * Second);      // in the last tenth of its life
        await catalog.LoadTableAsync(Orders);
        Assert.Equal((2, "Bearer token-2"), (bought, server.All[^1].Token));
        time.Pass(200 * Second);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => catalog.LoadTableAsync(Orders)));
        Assert.Equal(3, bought);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(419)]
    public async Task A_token_that_the_server_refuses_is_bought_anew_and_the_request_sent_again(int status)
    {
        await using var server = new ScriptedServer(
            asked => asked.Path == Tokens ? Sell() : asked.Token == "Bearer token-1" ? new(status) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, ("credential", "me:secret"));
        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveProperties(["a"])]);
        Assert.Equal(2, bought);
        Assert.Equal(1, server.Count("POST", TablePath));
        server.Answer = asked => asked.Path == Tokens ? Sell() : new(status);
        var error = await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        Assert.Contains("credential", error.Message);
        Assert.Equal(3, bought);        // once for a request, not for ever
    }

    /// <summary>LESSONS 69.</summary>
    [Fact]
    public async Task One_failed_renewal_of_a_token_does_not_end_renewing_and_the_old_one_is_used_while_it_holds()
    {
        var isDown = false;
        await using var server = new ScriptedServer(asked => asked.Path != Tokens ? new(200, Loaded(Metadata())) : isDown ? new(503) : Sell());
        await using var catalog = await OpenAsync(server, ("credential", "me:secret"), ("rest.client.max-retries", "0"));
        time.Pass(91 * Second);
        isDown = true;
        await catalog.LoadTableAsync(Orders);
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("Bearer token-1", server.All[^1].Token);
        Assert.Equal(2, server.Count("POST", Tokens));      // one bought, one failed; the next attempt is not at once
        time.Pass(6 * Second);
        isDown = false;
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("Bearer token-2", server.All[^1].Token);
        time.Pass(200 * Second);
        isDown = true;
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        isDown = false;
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("Bearer token-3", server.All[^1].Token);
    }

    [Fact]
    public async Task A_wrong_credential_is_told_with_what_to_look_at_and_without_the_secret()
    {
        await using var server = new ScriptedServer(
            static _ => new(401, """{"error":"unauthorized_client","error_description":"client me with hunter22 is not known"}"""));
        var error = await Assert.ThrowsAsync<CatalogUnavailableException>(() => OpenAsync(server, ("credential", "me:hunter22")));
        Assert.Contains("unauthorized_client", error.Message);
        Assert.Contains("credential, scope and oauth2-server-uri", error.Message);
        Assert.DoesNotContain("hunter22", error.ToString());
        Assert.Single(server.All);
    }

    [Fact]
    public async Task A_given_token_is_carried_and_its_refusal_told_without_it()
    {
        await using var server = new ScriptedServer(static asked => Reply.Error(401, "NotAuthorizedException", $"{asked.Token} has ended"));
        await using var catalog = await OpenAsync(server, ("token", "abcdef-123456"), ("header.X-Tenant", "tenant-number-9"));
        var error = await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        Assert.Equal(("Bearer abcdef-123456", "tenant-number-9"), (server.All[0].Token, server.All[0].Headers["x-tenant"]));
        Assert.DoesNotContain("abcdef", error.ToString());
        Assert.Contains("the token has ended or is a wrong one", error.Message);
    }

    [Fact]
    public async Task A_credential_renews_a_given_token()
    {
        await using var server = new ScriptedServer(
            asked => asked.Path == Tokens ? Sell() : asked.Token == "Bearer given" ? new(401) : new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(server, ("token", "given"), ("credential", "me:secret"));
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("Bearer token-1", server.All[^1].Token);
    }

    [Fact]
    public async Task A_name_and_a_password_go_as_basic_authentication()
    {
        await using var server = new ScriptedServer(static _ => new(200, Loaded(Metadata())));
        await using var catalog = await OpenAsync(
            server, ("rest.auth.type", "basic"), ("rest.auth.basic.username", "Aladdin"), ("rest.auth.basic.password", "open sesame"));
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", server.All[0].Token);
    }

    [Fact]
    public async Task Requests_are_signed_for_the_path_as_it_is_sent()
    {
        await using var server = new ScriptedServer(
            static _ => new(200, """{"identifiers":[]}"""), """{"defaults":{},"overrides":{"prefix":"arn%3Aaws%3As3tables%3Aeu-west-1%3A1%3Abucket%2Fb"}}""");
        await using var catalog = await OpenAsync(
            server, ("rest.sigv4-enabled", "true"), ("rest.signing-name", "s3tables"), ("rest.signing-region", "eu-west-1"),
            ("rest.access-key-id", "AKID"), ("rest.secret-access-key", "very-secret"), ("rest.session-token", "session"));
        await catalog.ListTablesAsync(NamespaceName.Parse("shop"));
        var asked = server.All[0];
        Assert.Equal("/v1/arn%3Aaws%3As3tables%3Aeu-west-1%3A1%3Abucket%2Fb/namespaces/shop/tables", asked.Path);
        KeyValuePair<string, string>[] headers =
        [
            new("host", asked.Headers["host"]), new("x-amz-date", "20261128T120000Z"), new("x-amz-content-sha256", AwsSignature.Hash([])),
            new("x-amz-security-token", "session"),
        ];
        Assert.Equal(
            AwsSignature.Sign("GET", asked.Path, headers, AwsSignature.Hash([]), time.GetUtcNow(), ("eu-west-1", "s3tables"), new("AKID", "very-secret")), asked.Token);
        Assert.All(headers, header => Assert.Equal(header.Value, asked.Headers[header.Key]));
    }

    [Fact]
    public void Properties_that_cannot_be_are_named()
    {
        static string Names(params (string Name, string Value)[] properties) => string.Join(' ', RestCatalogOptions.Problems(
            properties.ToDictionary(static pair => pair.Name, static pair => pair.Value)).Select(static problem => problem.Name));
        Assert.Equal("", Names(("token", "x"), ("header.X-Any", "y"), ("rest.client.max-retries", "0")));
        Assert.Equal("rest.client.max-retries", Names(("rest.client.max-retries", "many")));
        Assert.Equal("rest.client.socket-timeout-ms", Names(("rest.client.socket-timeout-ms", "0")));
        Assert.Equal("token-refresh-enabled", Names(("token-refresh-enabled", "yes")));
        Assert.Equal("header.X Y", Names(("header.X Y", "1")));
        Assert.Equal("header.X", Names(("header.X", "a\nb")));
        Assert.Equal("rest.auth.type", Names(("rest.auth.type", "google")));
        Assert.Equal("rest.auth.basic.username", Names(("rest.auth.type", "basic")));
        Assert.Equal("rest.access-key-id", Names(("rest.access-key-id", "x")));
    }
}
