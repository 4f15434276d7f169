using System.Globalization;

namespace Frazil.Iceberg.IO;

/// <summary>How Google Cloud Storage is reached, as Iceberg's properties say it (<c>gcs.…</c>). What is not set comes from where Google's own
/// tools look: <c>GOOGLE_APPLICATION_CREDENTIALS</c>, its command line, the machine, workload identity.</summary>
public sealed record GcsOptions
{
    private const int ChunkUnit = 256 * 1024; // the protocol's

    /// <summary>Where the service is, <c>https://host</c>; null for Google's.</summary>
    public string? Host { get; init; }

    /// <summary>Requests carry no credentials.</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>A bearer token that somebody else keeps fresh.</summary>
    public string? Token { get; init; }

    /// <summary>A service account's key file.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>The project that requests are charged to.</summary>
    public string? UserProject { get; init; }

    /// <summary>Of one request, and of each read of a body.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a body that broke off is asked for again.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Objects are uploaded in chunks of this many bytes while they are written.</summary>
    public int ChunkBytes { get; init; } = 8 << 20;

    /// <summary>Reads Iceberg's properties; others are left alone.</summary>
    /// <exception cref="ValidationException">A value is not what its property takes.</exception>
    public static GcsOptions From(IReadOnlyDictionary<string, string> properties)
    {
        var usual = new GcsOptions();
        var options = new GcsOptions
        {
            Host = Text("gcs.service.host"),
            IsAnonymous = Text("gcs.no-auth") is { } flag && (bool.TryParse(flag, out var anonymous) ? anonymous
                : throw new ValidationException($"gcs.no-auth is '{flag}': true or false is expected.")),
            Token = Text("gcs.oauth2.token"),
            CredentialsFile = Text("gcs.auth.credentials-file") ?? Text("gcs.credentials-file"),
            UserProject = Text("gcs.user-project"),
            RequestTimeout = TimeSpan.FromSeconds(Whole("gcs.request-timeout", 1, 86_400) ?? (int)usual.RequestTimeout.TotalSeconds),
            Retries = Whole("gcs.retry.num-retries", 0, 100) ?? usual.Retries,
            ChunkBytes = (Whole("gcs.channel.write.chunk-size-bytes", ChunkUnit, 1 << 30) ?? usual.ChunkBytes) / ChunkUnit * ChunkUnit,
        };
        return options.Host is null || (Uri.TryCreate(options.Host, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") ? options
            : throw new ValidationException($"gcs.service.host '{options.Host}' is not an address: https://host is expected.");

        string? Text(string name) => properties.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

        int? Whole(string name, int least, int most) => Text(name) is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value
            : throw new ValidationException($"{name} is '{text}': a whole number from {least} to {most} is expected.");
    }

    /// <summary>No secret in it.</summary>
    public override string ToString() => $"Google Cloud Storage {Host ?? "of Google"}";
}
