using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace Frazil.Iceberg.IO;

/// <summary>What Amazon's client throws, as the errors that <see cref="IFileIO"/> names.</summary>
internal static class S3Errors
{
    /// <summary>Runs one operation on one object under the caller's token.</summary>
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
        FileNotFoundException or UnauthorizedAccessException or IcebergException => null,
        AmazonS3Exception s3 => Of(location, s3),
        IOException => null,
        AmazonServiceException service => new IOException($"'{location}': {service.ErrorCode ?? service.Message} ({service.Message})", service),
        OperationCanceledException or TimeoutException => new IOException($"'{location}': the store did not answer in time.", error),
        AmazonClientException or HttpRequestException => new IOException($"'{location}': {error.Message}", error),
        _ => null,
    };

    public static bool IsTaken(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.PreconditionFailed;

    /// <summary>Another request for the same name is under way, and the store does not say yet which one wins.</summary>
    public static bool IsRace(AmazonS3Exception error)
        => error.StatusCode == HttpStatusCode.Conflict && error.ErrorCode is "ConditionalRequestConflict" or "OperationAborted";

    public static bool IsBeyondTheEnd(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable;

    public static bool IsGone(AmazonS3Exception error)
        => error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket";

    private static Exception Of(string location, AmazonS3Exception error) => error switch
    {
        { ErrorCode: "NoSuchBucket" } => new IOException($"'{location}': its bucket does not exist. Create it, or correct the location.", error),
        { StatusCode: HttpStatusCode.NotFound } => new FileNotFoundException($"'{location}' does not exist.", error),
        { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => new UnauthorizedAccessException(
            $"'{location}': the store refuses access ({error.ErrorCode}: {error.Message}). Check the credentials and what they may do there.", error),
        { StatusCode: HttpStatusCode.PreconditionFailed } => new ObjectExistsException(location, error),
        { StatusCode: HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect } => new IOException(
            $"'{location}': its bucket lies in another region ({error.Message}). Set s3.region to that region.", error),
        _ => new IOException($"'{location}': {error.ErrorCode ?? error.StatusCode.ToString()}: {error.Message}", error),
    };
}
