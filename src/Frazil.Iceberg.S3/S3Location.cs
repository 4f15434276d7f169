namespace Frazil.Iceberg.IO;

/// <summary>A place in a bucket. The key is the text behind the bucket as it stands: never decoded, never normalised.</summary>
internal readonly record struct S3Location(string Bucket, string Key)
{
    // One and the same store under three names: what Hadoop's file systems called it.
    private static readonly string[] Schemes = ["s3://", "s3a://", "s3n://"];

    public static bool IsOne(string location) => SchemeOf(location) is not null;

    /// <exception cref="ValidationException">It is not a place in a bucket.</exception>
    public static S3Location Parse(string location)
    {
        if (SchemeOf(location) is not { } scheme)
            throw new ValidationException($"'{location}' is not a location in S3: s3://bucket/key is expected.");
        var rest = location.AsSpan(scheme.Length);
        var slash = rest.IndexOf('/');
        var bucket = slash < 0 ? rest : rest[..slash];
        return bucket.IsEmpty
            ? throw new ValidationException($"'{location}' names no bucket: s3://bucket/key is expected.")
            : new S3Location(bucket.ToString(), slash < 0 ? "" : rest[(slash + 1)..].ToString());
    }

    /// <exception cref="ValidationException">It is not an object in a bucket.</exception>
    public static S3Location ParseObject(string location)
    {
        var parsed = Parse(location);
        return parsed.Key.Length > 0 ? parsed
            : throw new ValidationException($"'{location}' names a bucket, not an object in it: s3://bucket/key is expected.");
    }

    private static string? SchemeOf(string location)
        => Array.Find(Schemes, scheme => location.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));
}
