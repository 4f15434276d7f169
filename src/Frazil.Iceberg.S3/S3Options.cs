using System.Globalization;

namespace Frazil.Iceberg.IO;

/// <summary>How objects are encrypted by the store that keeps them.</summary>
public enum S3Encryption
{
    /// <summary>As the bucket is set up.</summary>
    None,
    /// <summary>With keys that the store itself manages.</summary>
    S3,
    /// <summary>With a key of the key management service.</summary>
    Kms,
    /// <summary>In two layers, with a key of the key management service.</summary>
    DsseKms,
    /// <summary>With a key that each request brings.</summary>
    Custom,
}

/// <summary>
/// How a store that speaks S3's protocol is reached, as Iceberg's properties say it (<c>s3.endpoint</c>, <c>s3.access-key-id</c>, …).
/// Where Java's and PyIceberg's names differ, both are taken. What is not set comes from where Amazon's own tools look: environment,
/// profiles, web identity, the machine.
/// </summary>
public sealed record S3Options
{
    public string? Endpoint { get; init; }
    public string? Region { get; init; }

    /// <summary>The bucket in the path instead of the host; null for the usual: with an endpoint of one's own.</summary>
    public bool? PathStyle { get; init; }

    public string? AccessKeyId { get; init; }
    public string? SecretAccessKey { get; init; }
    public string? SessionToken { get; init; }

    /// <summary>When <see cref="SessionToken"/> ends; null where nobody said.</summary>
    public DateTimeOffset? SessionTokenExpires { get; init; }

    /// <summary>Of <c>~/.aws/credentials</c> and <c>~/.aws/config</c>.</summary>
    public string? Profile { get; init; }

    /// <summary>Requests are not signed.</summary>
    public bool IsAnonymous { get; init; }

    public string? RoleArn { get; init; }
    public string? RoleSessionName { get; init; }
    public string? RoleExternalId { get; init; }
    public string? RoleRegion { get; init; }
    public TimeSpan? RoleLifetime { get; init; }

    public S3Encryption Encryption { get; init; }

    /// <summary>The id of a key of the key management service, or, with <see cref="S3Encryption.Custom"/>, the key itself in base 64.</summary>
    public string? EncryptionKey { get; init; }

    public string? EncryptionKeyMd5 { get; init; }

    /// <summary>Whether every request brings a checksum that the store compares; null for the usual: with Amazon's own endpoints.</summary>
    public bool? Checksums { get; init; }

    public string? CannedAcl { get; init; }
    public string? StorageClass { get; init; }
    public IReadOnlyDictionary<string, string> WriteTags { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Of one request, from the first byte sent to the answer's head, and of each read of its body.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a request is sent again after a failure that may pass, with growing pauses.</summary>
    public int Retries { get; init; } = 5;

    public string? Proxy { get; init; }
    public bool DualStack { get; init; }
    public bool Accelerate { get; init; }

    /// <summary>Larger objects are uploaded in parts of this many bytes while they are written; an object holds 10,000.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>Parts of one object that are on their way at one time; each holds <see cref="PartBytes"/> in memory.</summary>
    public int PartsInFlight { get; init; } = 2;

    /// <summary>Reads Iceberg's properties; others are left alone.</summary>
    /// <exception cref="ValidationException">A value is not what its property takes.</exception>
    public static S3Options From(IReadOnlyDictionary<string, string> properties)
    {
        var read = new PropertyReader(properties);
        var usual = new S3Options();
        return new S3Options
        {
            Endpoint = read.Text("s3.endpoint"),
            Region = read.Text("s3.region", "client.region"),
            PathStyle = read.Flag("s3.path-style-access") ?? !read.Flag("s3.force-virtual-addressing"),
            AccessKeyId = read.Text("s3.access-key-id", "client.access-key-id"),
            SecretAccessKey = read.Text("s3.secret-access-key", "client.secret-access-key"),
            SessionToken = read.Text("s3.session-token", "client.session-token"),
            SessionTokenExpires = read.Whole("s3.session-token-expires-at-ms") is { } ends ? DateTimeOffset.FromUnixTimeMilliseconds(ends) : null,
            Profile = read.Text("s3.profile-name", "client.profile-name"),
            IsAnonymous = read.Flag("s3.anonymous") ?? false,
            RoleArn = read.Text("client.assume-role.arn", "s3.role-arn", "client.role-arn"),
            RoleSessionName = read.Text("client.assume-role.session-name", "s3.role-session-name", "client.role-session-name"),
            RoleExternalId = read.Text("client.assume-role.external-id"),
            RoleRegion = read.Text("client.assume-role.region"),
            RoleLifetime = read.Whole("client.assume-role.timeout-sec") is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Encryption = read.Encryption("s3.sse.type"),
            EncryptionKey = read.Text("s3.sse.key"),
            EncryptionKeyMd5 = read.Text("s3.sse.md5"),
            Checksums = read.Flag("s3.checksum-enabled"),
            CannedAcl = read.Text("s3.acl"),
            StorageClass = read.Text("s3.write.storage-class"),
            WriteTags = read.Below("s3.write.tags."),
            RequestTimeout = read.Seconds("s3.request-timeout") ?? usual.RequestTimeout,
            ConnectTimeout = read.Seconds("s3.connect-timeout") ?? usual.ConnectTimeout,
            Retries = (int?)read.Whole("s3.retry.num-retries", 0, 100) ?? usual.Retries,
            Proxy = read.Text("s3.proxy-uri"),
            DualStack = read.Flag("s3.dualstack-enabled") ?? false,
            Accelerate = read.Flag("s3.acceleration-enabled") ?? false,
            PartBytes = (int?)read.Whole("s3.multipart.part-size-bytes", 5 << 20, 1 << 30) ?? usual.PartBytes,
            PartsInFlight = (int?)read.Whole("s3.multipart.num-threads", 1, 64) ?? usual.PartsInFlight,
        }.Validated();
    }

    /// <summary>No secret in it.</summary>
    public override string ToString() => $"S3 {Endpoint ?? "of Amazon"}, region {Region ?? "by default"}";

    private S3Options Validated()
    {
        if (AccessKeyId is null != SecretAccessKey is null)
            throw new ValidationException("Of s3.access-key-id and s3.secret-access-key only one is set: set both, or none for Amazon's usual places.");
        if (Encryption == S3Encryption.Custom && (EncryptionKey is null || EncryptionKeyMd5 is null))
            throw new ValidationException("s3.sse.type = \"custom\" needs s3.sse.key (the key in base 64) and s3.sse.md5 (of the key, in base 64).");
        if (Endpoint is { } endpoint && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            throw new ValidationException($"s3.endpoint '{endpoint}' is not an address: http://host:port or https://host is expected.");
        return this;
    }

    private sealed class PropertyReader(IReadOnlyDictionary<string, string> properties)
    {
        public string? Text(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
                if (properties.TryGetValue(name, out var value) && value.Length > 0)
                    return value;
            return null;
        }

        public bool? Flag(string name) => Text(name) is not { } text ? null
            : bool.TryParse(text, out var value) ? value
            : throw new ValidationException($"{name} is '{text}': true or false is expected.");

        public long? Whole(string name, long least = 0, long most = long.MaxValue) => Text(name) is not { } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value
            : throw new ValidationException($"{name} is '{text}': a whole number from {least} to {most} is expected.");

        public TimeSpan? Seconds(string name) => Text(name) is not { } text ? null
            : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value is > 0 and < 86400
                ? TimeSpan.FromSeconds(value)
            : throw new ValidationException($"{name} is '{text}': seconds, more than 0 and less than 86400, are expected.");

        public S3Encryption Encryption(string name) => Text(name) switch
        {
            null or "none" => S3Encryption.None,
            "s3" => S3Encryption.S3,
            "kms" => S3Encryption.Kms,
            "dsse-kms" => S3Encryption.DsseKms,
            "custom" => S3Encryption.Custom,
            var text => throw new ValidationException($"{name} is '{text}': none, s3, kms, dsse-kms or custom is expected."),
        };

        public Dictionary<string, string> Below(string prefix) => properties
            .Where(property => property.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(property => property.Key[prefix.Length..], property => property.Value, StringComparer.Ordinal);
    }
}
