using Frazil.Iceberg.IO;

namespace Frazil.Iceberg.Catalogs;

/// <summary>Where tables lie, and what is deleted there.</summary>
internal static class TableLocations
{
    /// <summary><c>warehouse/level/…/table</c>.</summary>
    /// <exception cref="ValidationException">A name would leave its folder.</exception>
    public static string Default(string warehouse, TableIdentifier identifier)
    {
        foreach (var part in identifier.Namespace.Levels.Append(identifier.Name))
            if (part.Contains('/', StringComparison.Ordinal) || part.Contains('\\', StringComparison.Ordinal) || part is "." or "..")
                throw new ValidationException($"The name '{part}' of {identifier} cannot be a folder: create the table with a location of its own.");
        return $"{warehouse.TrimEnd('/')}/{string.Join('/', identifier.Namespace.Levels.Append(identifier.Name))}";
    }

    public static async Task DeleteAllAsync(IFileIO files, string location, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        await foreach (var stored in files.ListAsync(location, cancellationToken).ConfigureAwait(false))
            found.Add(stored.Location);
        foreach (var one in found)
            await files.DeleteAsync(one, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes files that nothing refers to. Where that fails they stay as orphans, which the sweep finds; the commit is as it is.</summary>
    public static async Task DeleteQuietlyAsync(IFileIO files, IEnumerable<string> locations)
    {
        foreach (var location in locations)
        {
            try
            {
                await files.DeleteAsync(location, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Left for the sweep.
            }
        }
    }
}
