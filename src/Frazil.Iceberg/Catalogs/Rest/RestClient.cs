using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// Sends requests to a catalog: with what they need to say who sends them, within a deadline, again where that can do no harm, and tells
/// what came of them. Never sends one again whose first sending may have changed something, unless the server makes it once all the same
/// (an operation key) or says when to come again. Messages hold no secrets. Thread-safe.
/// </summary>
internal sealed class RestClient : IDisposable
{
    private const int LongestMessage = 1000;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Shorter than servers and what stands before them keep a connection, so that a commit does not meet one that is just
    /// being closed.</summary>
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(15);

    private readonly HttpClient http;
    private readonly RestSettings settings;
    private readonly TimeProvider time;
    private readonly RestAuth auth;
    private readonly Uri tokenUri;

    /// <param name="uri">The catalog's address, without a slash at its end.</param>
    /// <param name="properties">The catalog's properties.</param>
    /// <param name="options">As the catalog was opened with.</param>
    /// <exception cref="ValidationException">A property cannot be as it is, or the address is none.</exception>
    public RestClient(string uri, IReadOnlyDictionary<string, string> properties, RestCatalogOptions options)
    {
        Address = AddressOf(uri);
        (settings, time) = (new RestSettings(properties), options.Time);
        tokenUri = settings.TokenUri is { } named
            ? named.Contains("://", StringComparison.Ordinal) ? new Uri(AddressOf(named)) : new Uri($"{Address}/{named.TrimStart('/')}")
            : new Uri($"{Address}/v1/oauth/tokens");
        http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,      // a redirected POST would come as a GET, and tokens would go to another host
            AutomaticDecompression = DecompressionMethods.All,
            ConnectTimeout = settings.ConnectTimeout,
            PooledConnectionIdleTimeout = LongestIdle,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseCookies = false,
        }) { Timeout = Timeout.InfiniteTimeSpan };
        auth = RestAuth.From(settings, options, BuyTokenAsync);
    }

    /// <summary>Where the catalog is; holds no secrets.</summary>
    public string Address { get; }

    public string? PageSize => settings.PageSize;

    /// <summary>Sends a request until there is an answer that counts.</summary>
    /// <exception cref="RestFailure">There is none that says yes.</exception>
    /// <exception cref="CatalogUnavailableException">No token can be had; nothing was sent.</exception>
    public async Task<RestAnswer> SendAsync(RestCall call, CancellationToken cancellationToken)
    {
        var (mayHaveHappened, wasRenewed) = (false, false);
        for (var retries = 0; ;)
        {
            try
            {
                return await SendOnceAsync(call, cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedIdentityException refused)
            {
                // Renewed once: what is refused with a new token is refused for another reason.
                if (wasRenewed || !await RenewAsync(refused, mayHaveHappened, cancellationToken).ConfigureAwait(false))
                    throw Doubted(refused.Failure, mayHaveHappened);
                wasRenewed = true;
            }
            catch (CatalogUnavailableException e) when (mayHaveHappened)
            {
                throw new RestFailure(e.Message, e) { MayHaveHappened = true };      // an earlier sending was carried out, perhaps
            }
            catch (RestFailure failure)
            {
                mayHaveHappened |= failure.MayHaveHappened;
                if (retries >= settings.Retries || PauseBefore(call, failure, retries) is not { } pause)
                    throw Doubted(failure, mayHaveHappened);
                retries++;
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>The text without anything that is secret.</summary>
    public string Shown(string text)
    {
        foreach (var secret in settings.Secrets.Concat(auth.Secrets))
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        return text.Length > LongestMessage ? $"{text[..LongestMessage]}…" : text;
    }

    /// <summary>What to do where the server does not take who we are.</summary>
    public string Advice => auth.Advice;

    /// <summary>How long to wait before the request may be sent again; null where it may not.</summary>
    private static TimeSpan? PauseBefore(RestCall call, RestFailure failure, int retries)
    {
        var isPassing = failure.Status is 0 or 408 or 429 or >= 500 and not 501 and not 505;
        var mayGoAgain = call.IsRead || !failure.MayHaveHappened || call.OperationKey is not null
            || (failure.Status == 503 && failure.RetryAfter is not null);
        if (!isPassing || !mayGoAgain || failure.RetryAfter > LongestPause)
            return null;
        var usual = FirstPause * Math.Pow(2, retries) * (0.5 + (Random.Shared.NextDouble() / 2));
        return failure.RetryAfter is { } asked && asked > usual ? asked : usual;
    }

    private async Task<bool> RenewAsync(RefusedIdentityException refused, bool mayHaveHappened, CancellationToken cancellationToken)
    {
        try
        {
            return await auth.RenewAsync(refused.Request, cancellationToken).ConfigureAwait(false);
        }
        catch (CatalogUnavailableException e) when (mayHaveHappened)
        {
            throw new RestFailure(e.Message, e) { MayHaveHappened = true };
        }
    }

    /// <summary>The last sending may have been refused for certain, and an earlier one been carried out all the same.</summary>
    private static RestFailure Doubted(RestFailure last, bool mayHaveHappened) => mayHaveHappened == last.MayHaveHappened ? last
        : new(last.Message, last.InnerException)
        {
            Status = last.Status,
            Type = last.Type,
            IsCatalogs = last.IsCatalogs,
            RetryAfter = last.RetryAfter,
            MayHaveHappened = mayHaveHappened,
        };

    private async Task<RestAnswer> SendOnceAsync(RestCall call, CancellationToken cancellationToken)
    {
        using var request = RequestFor(call);
        await auth.ApplyAsync(request, call.Body ?? [], cancellationToken).ConfigureAwait(false);
        var (status, body, headers) = await ExchangeAsync(request, !call.IsRead, cancellationToken).ConfigureAwait(false);
        if (status is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices or HttpStatusCode.NotModified)
            return new RestAnswer(status, body, TagOf(headers));
        var failure = RestErrors.Read(status, body, headers, call, this, time);
        throw status is HttpStatusCode.Unauthorized || (int)status == 419 ? new RefusedIdentityException(failure, request) : failure;
    }

    /// <summary>One request and its whole answer, within the deadline.</summary>
    private async Task<(HttpStatusCode Status, byte[] Body, HttpResponseHeaders Headers)> ExchangeAsync(
        HttpRequestMessage request, bool changes, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(settings.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            const HttpCompletionOption HeadersFirst = HttpCompletionOption.ResponseHeadersRead;
            using var response = await http.SendAsync(request, HeadersFirst, either.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            return (response.StatusCode, body, response.Headers);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RestFailure($"{Place(request)} gave no answer within {settings.RequestTimeout.TotalSeconds:0.#} s.", e)
            {
                MayHaveHappened = changes,
            };
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            var neverSent = (e as HttpRequestException)?.HttpRequestError is HttpRequestError.NameResolutionError
                or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
            throw new RestFailure(Shown($"{Place(request)} cannot be reached, or broke off: {Reason(e)}"), e)
            {
                MayHaveHappened = changes && !neverSent,
            };
        }
    }

    private HttpRequestMessage RequestFor(RestCall call)
    {
        // Left as it was escaped: "%2E" is no dot, and what is signed is what is sent.
        var uri = new Uri(Address + call.Path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(call.Method, uri);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "frazil");
        foreach (var (name, value) in settings.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (call.AsksForKeys && settings.AccessDelegation.Length > 0)
            request.Headers.TryAddWithoutValidation("X-Iceberg-Access-Delegation", settings.AccessDelegation);
        if (call.KnownTag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", call.KnownTag);
        if (call.OperationKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", call.OperationKey);
        if (call.Body is not null)
            request.Content = new ByteArrayContent(call.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    /// <summary>Client credentials for a token (RFC 6749, 4.4).</summary>
    private async Task<OAuthToken> BuyTokenAsync(IReadOnlyList<KeyValuePair<string, string>> form, CancellationToken cancellationToken)
    {
        for (var retries = 0; ; retries++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, tokenUri) { Content = new FormUrlEncodedContent(form) };
                request.Headers.TryAddWithoutValidation("Accept", "application/json");
                var (status, body, headers) = await ExchangeAsync(request, changes: false, cancellationToken).ConfigureAwait(false);
                return status == HttpStatusCode.OK ? ReadToken(body)
                    : throw RestErrors.ReadOAuth(status, body, headers, this, Place(request), time);
            }
            catch (RestFailure failure)
            {
                // A token that was given and not read is no harm: the next one holds as well.
                var read = new RestCall(HttpMethod.Get, "");
                if (retries >= settings.Retries || PauseBefore(read, failure, retries) is not { } pause)
                    throw new CatalogUnavailableException($"No token can be had for the catalog {Address}: {failure.Message}", failure);
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private OAuthToken ReadToken(byte[] body)
    {
        try
        {
            return JsonFields.Parse(body, "the authorization server's answer", static answer => new OAuthToken(
                answer.RequiredText("access_token"),
                answer.Optional("expires_in") is { ValueKind: JsonValueKind.Number } seconds
                    ? TimeSpan.FromSeconds(seconds.GetDouble()) : null));
        }
        catch (InvalidFormatException e)
        {
            throw new CatalogUnavailableException($"No token can be had for the catalog {Address}: {Shown(e.Message)}", e);
        }
    }

    private static string? TagOf(HttpResponseHeaders headers)
        => headers.TryGetValues("ETag", out var tags) ? tags.FirstOrDefault() : null;

    /// <summary>The innermost reason: "Connection refused" says more than that a request failed.</summary>
    private static string Reason(Exception error)
        => error.InnerException is AuthenticationException or SocketException or IOException ? error.InnerException.Message : error.Message;

    private static string Place(HttpRequestMessage request)
        => $"{request.RequestUri!.Scheme}://{request.RequestUri.Authority}{request.RequestUri.AbsolutePath}";

    private static string AddressOf(string uri)
        => Uri.TryCreate(uri, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            && address.UserInfo.Length == 0 && address.Query.Length == 0
            ? uri.TrimEnd('/')
            : throw new ValidationException(
                "The address of a REST catalog, and that of its authorization server, is to be an http or https URL without a password and "
                + "without a query.");

    /// <summary>The server does not take who we are; nothing was done.</summary>
    private sealed class RefusedIdentityException(RestFailure failure, HttpRequestMessage request) : Exception
    {
        public RestFailure Failure { get; } = failure;
        public HttpRequestMessage Request { get; } = request;
    }
}
