using System.Net.Http.Headers;

namespace Frazil.Iceberg.Catalogs;

/// <summary>Asks an authorization server for a token.</summary>
/// <exception cref="CatalogUnavailableException">There is none to be had.</exception>
internal delegate Task<OAuthToken> TokenSource(IReadOnlyList<KeyValuePair<string, string>> form, CancellationToken cancellationToken);

/// <summary>A token as an authorization server gives it.</summary>
/// <param name="Value">What requests carry.</param>
/// <param name="Lifetime">How long it holds; null where nobody said.</param>
internal sealed record OAuthToken(string Value, TimeSpan? Lifetime)
{
    public override string ToString() => "***";
}

/// <summary>
/// Bearer tokens: one that was given, and, where there is a credential, those that it buys. A token is bought anew before it ends, and
/// after
/// the server refused it. Where that fails while the old one still holds, the old one is used on and the next request tries again, so that
/// one failure never ends the renewing. Requests at the same time buy one token.
/// </summary>
internal sealed class OAuthTokens(RestSettings settings, TokenSource buy, TimeProvider time) : RestAuth
{
    /// <summary>At most so long before its end a token is renewed; of a short life, the last tenth.</summary>
    private static readonly TimeSpan EarliestRenewal = TimeSpan.FromMinutes(5);

    /// <summary>Between two attempts to renew a token that still holds.</summary>
    private static readonly TimeSpan RenewalPause = TimeSpan.FromSeconds(5);

    private const long Never = long.MinValue;

    private readonly SemaphoreSlim gate = new(1, 1);
    private Held? held = settings.Token is { } given ? new(new(given, null), 0) : null;
    private long failedAt = Never;

    public override IEnumerable<string> Secrets => Volatile.Read(ref held) is { } token ? [token.Token.Value] : [];

    public override string Advice => settings.Credential is null
        ? "the token has ended or is a wrong one: set another, or a credential, with which tokens are renewed"
        : "look at credential, scope and oauth2-server-uri, and at what the principal may do";

    public override async ValueTask ApplyAsync(HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var token = await CurrentAsync(cancellationToken).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public override async ValueTask<bool> RenewAsync(HttpRequestMessage refused, CancellationToken cancellationToken)
    {
        if (settings.Credential is null)
            return false;
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Perhaps another request has bought a new one meanwhile.
            if (Volatile.Read(ref held) is not { } now || now.Token.Value == refused.Headers.Authorization?.Parameter)
                await BuyAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        finally
        {
            gate.Release();
        }
    }

    private async ValueTask<string> CurrentAsync(CancellationToken cancellationToken)
    {
        var token = Volatile.Read(ref held);
        if (token is null || IsOver(token))
            return await BuyOnceAsync(cancellationToken).ConfigureAwait(false);
        if (IsDue(token) && await gate.WaitAsync(0, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                token = await BuyAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (CatalogUnavailableException)
            {
                Volatile.Write(ref failedAt, time.GetTimestamp());      // the old one still holds; one of the next requests tries again
            }
            finally
            {
                gate.Release();
            }
        }
        return token.Token.Value;
    }

    private async Task<string> BuyOnceAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var token = Volatile.Read(ref held);
            if (token is null || IsOver(token))
                token = await BuyAsync(cancellationToken).ConfigureAwait(false);
            return token.Token.Value;
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<Held> BuyAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();        // before the request: the token is older than its answer
        var bought = new Held(await buy(Form(), cancellationToken).ConfigureAwait(false), asked);
        Volatile.Write(ref held, bought);
        Volatile.Write(ref failedAt, Never);
        return bought;
    }

    private List<KeyValuePair<string, string>> Form()
    {
        var form = new List<KeyValuePair<string, string>> { new("grant_type", "client_credentials") };
        var credential = settings.Credential
            ?? throw new CatalogUnavailableException("The catalog needs a token, and there is no credential to get one with.");
        var colon = credential.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
            form.Add(new("client_id", credential[..colon].Trim()));
        form.Add(new("client_secret", credential[(colon + 1)..].Trim()));
        (string, string?)[] more = [("scope", settings.Scope), ("audience", settings.Audience), ("resource", settings.Resource)];
        foreach (var (name, value) in more)
            if (!string.IsNullOrEmpty(value))
                form.Add(new(name, value));
        return form;
    }

    private bool IsOver(Held token)
        => settings.Credential is not null && token.Token.Lifetime is { } lifetime && time.GetElapsedTime(token.At) >= lifetime;

    private bool IsDue(Held token)
    {
        if (settings.Credential is null || !settings.RefreshesTokens || token.Token.Lifetime is not { } lifetime)
            return false;
        var early = lifetime / 10 < EarliestRenewal ? lifetime / 10 : EarliestRenewal;
        var failed = Volatile.Read(ref failedAt);
        return time.GetElapsedTime(token.At) >= lifetime - early && (failed == Never || time.GetElapsedTime(failed) >= RenewalPause);
    }

    private sealed record Held(OAuthToken Token, long At);
}
