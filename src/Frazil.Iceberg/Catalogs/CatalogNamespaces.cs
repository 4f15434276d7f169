namespace Frazil.Iceberg.Catalogs;

/// <summary>What is the same for namespaces of every catalog.</summary>
public static class CatalogNamespaces
{
    /// <summary>Makes a namespace where there is none; the levels above it too, where the catalog wants them to exist. Another writer that
    /// was quicker is as good.</summary>
    public static async Task EnsureNamespaceAsync(this ICatalog catalog, NamespaceName name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            if (!await catalog.NamespaceExistsAsync(name, cancellationToken).ConfigureAwait(false))
                await catalog.CreateNamespaceAsync(name, null, cancellationToken).ConfigureAwait(false);
        }
        catch (NamespaceAlreadyExistsException)
        {
            // It is there.
        }
        catch (NoSuchNamespaceException) when (name.Levels.Count > 1)
        {
            var parent = new NamespaceName([.. name.Levels.SkipLast(1)]);
            if (await catalog.NamespaceExistsAsync(parent, cancellationToken).ConfigureAwait(false))
                throw;
            await EnsureNamespaceAsync(catalog, parent, cancellationToken).ConfigureAwait(false);
            await EnsureNamespaceAsync(catalog, name, cancellationToken).ConfigureAwait(false);
        }
    }
}
