namespace Frazil.Iceberg.IO;

/// <summary>A place in a bucket: <c>gs://bucket/name</c>. The name is the text behind the bucket as it stands: never decoded, never
/// normalised.</summary>
internal readonly record struct GcsLocation(string Bucket, string Name)
{
    private const string Scheme = "gs://";

    public static bool IsOne(string location) => location.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ValidationException">It is not a place in a bucket.</exception>
    public static GcsLocation Parse(string location)
    {
        if (!IsOne(location))
            throw new ValidationException($"'{location}' is not a location in Google Cloud Storage: gs://bucket/name is expected.");
        var rest = location[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? rest : rest[..slash];
        return bucket.Length == 0 ? throw new ValidationException($"'{location}' names no bucket: gs://bucket/name is expected.")
            : new GcsLocation(bucket, slash < 0 ? "" : rest[(slash + 1)..]);
    }

    /// <exception cref="ValidationException">It is not an object in a bucket.</exception>
    public static GcsLocation ParseObject(string location)
    {
        var parsed = Parse(location);
        return parsed.Name.Length > 0 ? parsed
            : throw new ValidationException($"'{location}' names a bucket, not an object in it: gs://bucket/name is expected.");
    }
}
