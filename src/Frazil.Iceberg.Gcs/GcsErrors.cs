using System.Net;
using Google;

namespace Frazil.Iceberg.IO;

/// <summary>What Google's client throws, as the errors that <see cref="IFileIO"/> names.</summary>
internal static class GcsErrors
{
    public static async Task<T> Translated<T>(string location, Func<Task<T>> operation, CancellationToken cancellationToken)
    {
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (Exception error) when (Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>Null for what is the caller's own: its cancellation, and what is translated already.</summary>
    public static Exception? Translate(string location, Exception error, CancellationToken cancellationToken) => error switch
    {
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        FileNotFoundException or UnauthorizedAccessException or IOException or IcebergException => null,
        GoogleApiException api => Of(location, api.HttpStatusCode, api.Error?.Message ?? api.Message, api),
        Google.Apis.Auth.OAuth2.Responses.TokenResponseException => new UnauthorizedAccessException(
            $"'{location}': no credentials for Google Cloud: {error.Message}", error),
        InvalidOperationException when error.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) => new UnauthorizedAccessException(
            $"'{location}': no credentials for Google Cloud: {error.Message}", error),
        OperationCanceledException or TimeoutException or HttpRequestException => new IOException(
            $"'{location}': the store did not answer in time: {error.Message}", error),
        _ => null,
    };

    public static Exception Of(string location, HttpStatusCode status, string said, Exception? inner = null) => status switch
    {
        HttpStatusCode.NotFound when said.Contains("bucket", StringComparison.OrdinalIgnoreCase) => new IOException(
            $"'{location}': its bucket does not exist. Create it, or correct the location.", inner),
        HttpStatusCode.NotFound => new FileNotFoundException($"'{location}' does not exist.", inner),
        HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => new UnauthorizedAccessException(
            $"'{location}': the store refuses access ({said}). Check the credentials and what they may do there.", inner),
        HttpStatusCode.PreconditionFailed => new ObjectExistsException(location, inner),
        _ => new IOException($"'{location}': {(int)status} {said}", inner),
    };
}
