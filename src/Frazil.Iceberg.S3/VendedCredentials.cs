using Amazon.Runtime;

namespace Frazil.Iceberg.IO;

/// <summary>
/// Credentials that a catalog lends for a table and that end. Fetched anew some minutes before; where that fails while the old ones still
/// hold, those are used on.
/// </summary>
internal sealed class VendedCredentials : RefreshingAWSCredentials
{
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UsualLifetime = TimeSpan.FromHours(1);

    private readonly Func<CancellationToken, Task<S3Options>> fetch;
    private readonly TimeProvider time;
    private S3Options? first;

    /// <param name="first">What the catalog lent with the table.</param>
    /// <param name="fetch">Asks the catalog again.</param>
    /// <param name="time">The clock.</param>
    public VendedCredentials(S3Options first, Func<CancellationToken, Task<S3Options>> fetch, TimeProvider time)
    {
        (this.first, this.fetch, this.time) = (first, fetch, time);
        PreemptExpiryTime = Early;
    }

    protected override CredentialsRefreshState GenerateNewCredentials() => throw new NotSupportedException("Every request of this store is asynchronous.");

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        var lent = Interlocked.Exchange(ref first, null) ?? await fetch(CancellationToken.None).ConfigureAwait(false);
        if (lent is not { AccessKeyId: { } id, SecretAccessKey: { } secret })
            throw new UnauthorizedAccessException("The catalog lends no credentials for this table any more (no s3.access-key-id in its answer).");
        var ends = lent.SessionTokenExpires ?? time.GetUtcNow() + UsualLifetime;
        return new CredentialsRefreshState(new ImmutableCredentials(id, secret, lent.SessionToken), ends.UtcDateTime);
    }
}
