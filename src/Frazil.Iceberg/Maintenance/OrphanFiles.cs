using System.Runtime.CompilerServices;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;

namespace Frazil.Iceberg;

/// <summary>How a sweep tells orphans.</summary>
/// <param name="Before">Only what was written before: a younger file may be of a commit that is under way.</param>
/// <param name="IsHeld">Whether a file of this name is needed, though no snapshot names it yet.</param>
/// <param name="BatchFiles">Objects looked up at once; memory grows with it.</param>
public sealed record OrphanSearch(DateTimeOffset Before, Func<string, bool> IsHeld, int BatchFiles = 50_000);

/// <summary>What a search has passed.</summary>
public sealed class OrphanTally
{
    public long Listed { get; internal set; }

    /// <summary>Too young to tell.</summary>
    public long Fresh { get; internal set; }

    /// <summary>Of a kind that nobody here knows: never touched.</summary>
    public long Unknown { get; internal set; }

    /// <summary>Of a flush that is not finished.</summary>
    public long Held { get; internal set; }
}

/// <summary>
/// Files below a table's own location that nothing of the table names: what killed writers left. Lists its <c>data</c> and <c>metadata</c>
/// folders only, as far as they lie in the table's location. In doubt it throws: another table's metadata in there, say.
/// </summary>
public sealed class OrphanFiles(ReferencedFiles references)
{
    private static readonly string[] ContentKinds = [".parquet", ".avro", ".orc", ".puffin", ".stats"];
    private const string MetadataKind = ".metadata.json";

    /// <summary>The oldest age that a sweep may use, in hours: younger files may be of a commit that is under way.</summary>
    public const int LeastAgeHours = 24;

    /// <summary>Finds orphans, batch by batch.</summary>
    /// <param name="table">The table, loaded just now.</param>
    /// <param name="search">How to tell them.</param>
    /// <param name="tally">Counts what is passed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="ValidationException">Another table lies in the same folders, or <c>gc.enabled</c> is false.</exception>
    public async IAsyncEnumerable<IReadOnlyList<StoredObject>> FindAsync(
        LoadedTable table, OrphanSearch search, OrphanTally tally, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!table.Metadata.TableProperties.GarbageCollection)
            throw new ValidationException($"gc.enabled is false: files of {table.Identifier} belong to others too, and none is deleted.");
        var folders = FoldersOf(table.Metadata);
        foreach (var folder in folders)
            await RefuseOtherTablesAsync(table, folder, cancellationToken).ConfigureAwait(false);
        var own = NamesOf(table);
        var batch = new List<StoredObject>();
        foreach (var folder in folders)
        {
            await foreach (var stored in table.FileIO.ListAsync(folder, cancellationToken).ConfigureAwait(false))
            {
                if (!MayBeOrphan(stored, own, search, tally))
                    continue;
                batch.Add(stored);
                if (batch.Count < search.BatchFiles)
                    continue;
                yield return await UnnamedAsync(batch, cancellationToken).ConfigureAwait(false);
                batch = [];
            }
        }
        if (batch.Count > 0)
            yield return await UnnamedAsync(batch, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Data and metadata folders of a table that lie in its location.</summary>
    internal static IReadOnlyList<string> FoldersOf(TableMetadata table)
        => [.. new[] { table.DataLocation, table.MetadataLocationFor("").TrimEnd('/') }.Where(folder => LocationKey.IsBelow(folder, table.Location)).Distinct()];

    /// <summary>Whether another table's files could be taken for this one's: it lies in the folders that are swept, or in the same place.</summary>
    public static bool IsInTheWay(TableMetadata table, TableMetadata other)
        => LocationKey.Of(table.Location).TrimEnd('/') == LocationKey.Of(other.Location).TrimEnd('/')
            || FoldersOf(table).Any(folder => LocationKey.IsBelow(other.Location + "/", folder) || LocationKey.IsBelow(other.DataLocation + "/", folder));

    private async Task<IReadOnlyList<StoredObject>> UnnamedAsync(List<StoredObject> batch, CancellationToken cancellationToken)
    {
        var named = await references.FindAsync([.. batch.Select(stored => stored.Location)], ReferencedFiles.Always, cancellationToken).ConfigureAwait(false);
        return [.. batch.Where(stored => !named.Contains(stored.Location))];
    }

    /// <summary>A table that lies in this one's folder shows by its metadata; its files would all look like orphans.</summary>
    private static async Task RefuseOtherTablesAsync(LoadedTable table, string folder, CancellationToken cancellationToken)
    {
        var own = LocationKey.Of(table.Metadata.MetadataLocationFor("")).TrimEnd('/');
        await foreach (var stored in table.FileIO.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            var key = LocationKey.Of(stored.Location);
            if (key.EndsWith(MetadataKind, StringComparison.Ordinal) && key[..key.LastIndexOf('/')] != own)
                throw new ValidationException(
                    $"'{stored.Location}' is metadata of another table inside of {table.Identifier}: nothing is swept where tables lie in each other.");
        }
    }

    private static bool MayBeOrphan(StoredObject stored, HashSet<string> own, OrphanSearch search, OrphanTally tally)
    {
        var name = NameOf(stored.Location);
        tally.Listed++;
        if (own.Contains(name))
            return false;
        if (!IsKnownKind(name))
        {
            tally.Unknown++;
            return false;
        }
        if (stored.LastModified >= search.Before)
        {
            tally.Fresh++;
            return false;
        }
        if (!search.IsHeld(name))
            return true;
        tally.Held++;
        return false;
    }

    /// <summary>What a table names that is in no manifest: its metadata files and statistics.</summary>
    private static HashSet<string> NamesOf(LoadedTable table)
        => [
            NameOf(table.MetadataLocation), .. table.Metadata.MetadataLog.Select(entry => NameOf(entry.MetadataFile)),
            .. table.Metadata.Statistics.Concat(table.Metadata.PartitionStatistics).Select(file => NameOf(file.Path)),
        ];

    /// <summary>Content, metadata, and what <see cref="LocalFileIO"/> had not yet given its name.</summary>
    private static bool IsKnownKind(string name)
    {
        if (name.StartsWith('.'))
            return name.EndsWith(".tmp", StringComparison.Ordinal) && IsKnownKind(UnfinishedName(name));
        return name.EndsWith(MetadataKind, StringComparison.Ordinal) || Array.Exists(ContentKinds, kind => name.EndsWith(kind, StringComparison.Ordinal));
    }

    /// <summary><c>.NAME.GUID.tmp</c>.</summary>
    private static string UnfinishedName(string name)
    {
        var parts = name[1..^".tmp".Length];
        var dot = parts.LastIndexOf('.');
        return dot > 0 && Guid.TryParseExact(parts[(dot + 1)..], "N", out _) ? parts[..dot] : "";
    }

    private static string NameOf(string location) => location[(location.LastIndexOf('/') + 1)..];
}
