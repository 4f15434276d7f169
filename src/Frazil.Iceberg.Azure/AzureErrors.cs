using Azure;
using Azure.Identity;

namespace Frazil.Iceberg.IO;

/// <summary>What Azure's client throws, as the errors that <see cref="IFileIO"/> names.</summary>
internal static class AzureErrors
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
        RequestFailedException failed => Of(location, failed),
        AuthenticationFailedException => new UnauthorizedAccessException($"'{location}': no credentials for Azure: {error.Message}", error),
        AggregateException or OperationCanceledException or TimeoutException or HttpRequestException => new IOException(
            $"'{location}': the store did not answer in time: {(error.InnerException ?? error).Message}", error),
        _ => null,
    };

    public static bool IsTaken(RequestFailedException error) => error.Status == 412 || error.ErrorCode == "BlobAlreadyExists";

    public static bool IsBeyondTheEnd(RequestFailedException error) => error.Status == 416;

    private static Exception Of(string location, RequestFailedException error) => error switch
    {
        { ErrorCode: "ContainerNotFound" } => new IOException(
            $"'{location}': its container does not exist. Create it, or correct the location.", error),
        { Status: 404 } => new FileNotFoundException($"'{location}' does not exist.", error),
        { Status: 401 or 403 } => new UnauthorizedAccessException(
            $"'{location}': the store refuses access ({error.ErrorCode}). Check the credentials and what they may do there.", error),
        _ when IsTaken(error) => new ObjectExistsException(location, error),
        _ => new IOException($"'{location}': {error.ErrorCode ?? error.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)}: {FirstLine(error.Message)}", error),
    };

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd();
}
