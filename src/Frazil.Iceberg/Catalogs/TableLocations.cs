using Frazil.Iceberg.IO;

namespace Frazil.Iceberg.Catalogs;

/// <summary>Where tables lie, and what is deleted there.</summary>
internal static class TableLocations
{
    /// <summary><c>warehouse/level/…/table</c>.</summary>
    /// <exception cref="ValidationException">A name would leave its folder.</exception>
    public static string Default(string warehouse, TableIdentifier identifier)
    {
        RequireFolderNames(identifier.Namespace.Levels.Append(identifier.Name), identifier);
        return $"{warehouse.TrimEnd('/')}/{string.Join('/', identifier.Namespace.Levels.Append(identifier.Name))}";
    }

    /// <exception cref="ValidationException">A name would leave its folder.</exception>
    public static void RequireFolderNames(IEnumerable<string> names, object of)
    {
        foreach (var name in names)
            if (name.Contains('/', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal) || name is "." or "..")
                throw new ValidationException(
                    $"The name '{name}' of {of} cannot be a folder: choose another, or create the table with a location of its own.");
    }

    public static async Task DeleteAllAsync(IFileIO files, string location, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        await foreach (var stored in files.ListAsync(location, cancellationToken).ConfigureAwait(false))
            found.Add(stored.Location);
        foreach (var one in found)
            await files.DeleteAsync(one, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes files that nothing refers to. Where that fails they stay as orphans, which the sweep finds; the commit is as it
    /// is.</summary>
    public static async Task DeleteQuietlyAsync(IFileIO files, IEnumerable<string> locations)
    {
        foreach (var location in locations)
        {
            try
            {
                await files.DeleteAsync(location, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Left for the sweep. Whatever it is, also a location that this store cannot have: the commit before stands.
            }
        }
    }
}
