namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// The database file of a catalog uri: <c>sqlite:path</c>; or as SQLAlchemy (and so PyIceberg) spells it, <c>sqlite:///relative</c> and
/// <c>sqlite:////absolute</c>; <c>jdbc:sqlite:path</c> is understood too.
/// </summary>
internal static class SqliteLocation
{
    /// <exception cref="ValidationException">Not a uri of a SQLite file.</exception>
    public static string PathOf(string uri)
    {
        var rest = uri.StartsWith("jdbc:", StringComparison.OrdinalIgnoreCase) ? uri["jdbc:".Length..] : uri;
        if (!rest.StartsWith("sqlite:", StringComparison.OrdinalIgnoreCase))
            throw new ValidationException($"The catalog uri '{uri}' is not understood: sqlite:path, sqlite:///relative/path or sqlite:////absolute/path is expected.");
        var path = rest["sqlite:".Length..];
        var isUrl = path.StartsWith("///", StringComparison.Ordinal);
        if (isUrl)
            path = path[3..];
        if (path.Length == 0 || path.StartsWith(':'))
            throw new ValidationException($"The catalog uri '{uri}' names no file: a catalog in memory would forget every table.");
        if (isUrl && !Path.IsPathRooted(path) && Path.GetDirectoryName(path) is { Length: > 0 } folder && !Directory.Exists(folder)
            && Directory.Exists("/" + folder))
            throw new ValidationException($"The catalog uri '{uri}' means the relative path '{path}', whose folder does not exist. For /{path} write sqlite:////{path}.");
        return Path.GetFullPath(path);
    }
}
