using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;

namespace Frazil;

/// <summary>What is wrong with a warehouse.</summary>
/// <param name="Text">Follows its name.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Cause">What was thrown; null where nothing was.</param>
internal sealed record WarehouseProblem(string Text, string Fix, Exception? Cause = null);

/// <summary>Does with a small object what the engine does with its files.</summary>
internal static class WarehouseProbe
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(5);

    /// <summary>Creates it, creates it again, reads, lists and deletes it; null where all went as it should.</summary>
    public static async Task<WarehouseProblem?> TryAsync(CatalogOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var store = WarehouseStores.Open(options);
            var folder = $"{store.LocationFor(options.Warehouse)}/.frazil-check-{Guid.NewGuid():N}";
            return await TryAsync(store, $"{folder}/probe", folder, time, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ValidationException)
        {
            return new($"cannot be used: {error.Message}", FixOf(options), error);
        }
    }

    private static async Task<WarehouseProblem?> TryAsync(
        IFileIO store, string probe, string folder, TimeProvider time, CancellationToken cancellationToken)
    {
        await store.CreateAsync(probe, "1"u8.ToArray(), cancellationToken);
        try
        {
            if (!await IsKeptAsync(store, probe, cancellationToken))
            {
                return new("overwrites what is there, although it was told not to", "Use a store that heeds If-None-Match, or a newer version of this one");
            }
            _ = await store.ReadAsync(probe, cancellationToken);
            var listed = await store.ListAsync(folder, cancellationToken).ToListAsync(cancellationToken);
            if (listed.Count != 1 || listed[0].Location != probe)
            {
                return new($"does not list what was just created ('{probe}')", "Use a store whose lists are consistent");
            }
            var skew = listed[0].LastModified - time.GetUtcNow();
            return skew.Duration() <= MostSkew ? null
                : new($"has a clock that differs from this machine's by {skew.Duration().TotalMinutes:0} minutes", "Set this machine's clock by NTP");
        }
        finally
        {
            await store.DeleteAsync(probe, CancellationToken.None);
            if (store.LocalPathFor(folder) is { } path)
            {
                Directory.Delete(path);
            }
        }
    }

    private static async Task<bool> IsKeptAsync(IFileIO store, string probe, CancellationToken cancellationToken)
    {
        try
        {
            await store.CreateAsync(probe, "2"u8.ToArray(), cancellationToken);
            return false;
        }
        catch (ObjectExistsException)
        {
            return true;
        }
    }

    private static string FixOf(CatalogOptions options) => WarehouseStores.IsRemote(options.Warehouse)
        ? "Look at catalog.properties (docs/stores.md), and what its credentials may do there"
        : "Choose a folder that this user may write";
}
