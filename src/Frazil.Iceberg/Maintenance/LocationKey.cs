namespace Frazil.Iceberg;

/// <summary>Locations compared as objects, not as spellings: engines write <c>/w/f</c>, <c>file:/w/f</c> and <c>file:///w/f</c>, <c>s3://</c> and
/// <c>s3a://</c> for the same object.</summary>
internal static class LocationKey
{
    private static readonly string[] S3Schemes = ["s3a://", "s3n://"];

    /// <summary>The same text for the same object.</summary>
    public static string Of(string location)
    {
        if (location.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            var path = location["file:".Length..].TrimStart('/');
            return path.StartsWith("localhost/", StringComparison.OrdinalIgnoreCase) ? path["localhost".Length..] : "/" + path;
        }
        var scheme = Array.Find(S3Schemes, one => location.StartsWith(one, StringComparison.OrdinalIgnoreCase));
        return scheme is null ? location : "s3://" + location[scheme.Length..];
    }

    /// <summary>Whether an object lies in a folder, at any depth. <c>w/t2</c> is not in <c>w/t</c>.</summary>
    public static bool IsBelow(string location, string folder)
        => Of(location).StartsWith(Of(folder).TrimEnd('/') + "/", StringComparison.Ordinal);
}
