using System.Net.Http.Headers;
using System.Text;

namespace Frazil.Iceberg.Catalogs;

/// <summary>How requests say who sends them. This one says nothing.</summary>
internal class RestAuth
{
    /// <summary>Adds what the request needs, as its last step: what is signed must not change any more.</summary>
    /// <exception cref="CatalogUnavailableException">No token can be had.</exception>
    public virtual ValueTask ApplyAsync(HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        => ValueTask.CompletedTask;

    /// <summary>The server did not take what a request said. True where the next one says something else.</summary>
    /// <exception cref="CatalogUnavailableException">Something else is needed, and cannot be had.</exception>
    public virtual ValueTask<bool> RenewAsync(HttpRequestMessage refused, CancellationToken cancellationToken)
        => ValueTask.FromResult(false);

    /// <summary>What it holds and no message may.</summary>
    public virtual IEnumerable<string> Secrets => [];

    /// <summary>What to look at where the server refuses it.</summary>
    public virtual string Advice => "set credential, token, or another way of rest.auth.type in the catalog's properties";

    /// <param name="settings">The catalog's.</param>
    /// <param name="options">The catalog's.</param>
    /// <param name="tokens">Asks for tokens.</param>
    public static RestAuth From(RestSettings settings, RestCatalogOptions options, TokenSource tokens)
        => settings.AuthType switch
        {
            "oauth2" => new OAuthTokens(settings, tokens, options.Time),
            "basic" => new BasicAuth(settings.UserName!, settings.Password!),
            "sigv4" => new SignedRequests(settings, options),
            _ => new RestAuth(),
        };
}

/// <summary>A name and a password.</summary>
internal sealed class BasicAuth(string userName, string password) : RestAuth
{
    private readonly string value = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"));

    public override IEnumerable<string> Secrets => [value, password];

    public override string Advice => "look at rest.auth.basic.username and rest.auth.basic.password";

    public override ValueTask ApplyAsync(HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", value);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Signatures of Amazon's kind.</summary>
internal sealed class SignedRequests(RestSettings settings, RestCatalogOptions options) : RestAuth
{
    public override string Advice
        => "look at rest.signing-name, rest.signing-region and the keys (rest.access-key-id or those of the environment), at what they may do, "
            + "and at this machine's clock";

    public override async ValueTask ApplyAsync(HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var keys = settings.SigningKeys ?? await OtherKeysAsync(cancellationToken).ConfigureAwait(false);
        var (now, hash) = (options.Time.GetUtcNow(), AwsSignature.Hash(body.Span));
        request.Headers.TryAddWithoutValidation("x-amz-date", AwsSignature.Moment(now));
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", hash);
        if (keys.SessionToken is not null)
            request.Headers.TryAddWithoutValidation("x-amz-security-token", keys.SessionToken);
        var uri = request.RequestUri!;
        var headers = request.Headers.Where(static header => header.Key.StartsWith("x-amz-", StringComparison.Ordinal))
            .Select(static header => KeyValuePair.Create(header.Key, string.Join(',', header.Value)))
            .Prepend(KeyValuePair.Create("host", uri.IsDefaultPort ? uri.IdnHost : $"{uri.IdnHost}:{uri.Port}"));
        if (request.Content?.Headers.ContentType is { } type)
            headers = headers.Append(KeyValuePair.Create("content-type", type.ToString()));
        var authorization = AwsSignature.Sign(
            request.Method.Method, uri.PathAndQuery, headers, hash, now, (settings.SigningRegion!, settings.SigningName), keys);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
    }

    private async ValueTask<AwsKeys> OtherKeysAsync(CancellationToken cancellationToken)
    {
        if (options.AwsKeys is { } source)
            return await source(cancellationToken).ConfigureAwait(false);
        return Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID") is { Length: > 0 } id
            && Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY") is { Length: > 0 } secret
            ? new AwsKeys(id, secret, Environment.GetEnvironmentVariable("AWS_SESSION_TOKEN") is { Length: > 0 } token ? token : null)
            : throw new CatalogUnavailableException(
                "Requests to the catalog are to be signed, and there are no keys: set rest.access-key-id and rest.secret-access-key, or "
                + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.");
    }
}
