using System.Collections.Concurrent;
using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Iceberg.Manifests;

namespace Frazil.Query;

/// <summary>The live data files of a table's snapshots. Snapshots never change, so the list of one is made once. Thread-safe.</summary>
internal sealed class SnapshotFiles(ManifestCache manifests)
{
    /// <summary>Old snapshots' lists are dropped beyond this many.</summary>
    private const int MostSnapshots = 64;

    private readonly ConcurrentDictionary<(Guid Table, long SnapshotId), ImmutableArray<DataFile>> bySnapshot = [];

    /// <summary>The files of the version's current snapshot; empty where there is none.</summary>
    /// <exception cref="SqlException">The snapshot has files that cannot be read here.</exception>
    public async Task<ImmutableArray<DataFile>> ListAsync(TableVersion version, CancellationToken cancellationToken)
    {
        if (version.Metadata.CurrentSnapshot is not { } snapshot)
        {
            return [];
        }
        var key = (version.Metadata.TableUuid, snapshot.SnapshotId);
        if (bySnapshot.TryGetValue(key, out var known))
        {
            return known;
        }
        var files = ImmutableArray.CreateBuilder<DataFile>();
        foreach (var manifest in await manifests.ReadManifestsAsync(snapshot, version.Metadata, cancellationToken))
        {
            foreach (var entry in await manifests.ReadEntriesAsync(manifest, version.Metadata, cancellationToken))
            {
                if (entry.IsLive)
                {
                    files.Add(Readable(entry.File, version));
                }
            }
        }
        if (bySnapshot.Count >= MostSnapshots)
        {
            bySnapshot.Clear();
        }
        return bySnapshot[key] = files.ToImmutable();
    }

    private static DataFile Readable(DataFile file, TableVersion version)
    {
        if (file.Content != FileContent.Data || file.Format != FileFormat.Parquet)
        {
            throw new SqlException(
                $"table {version.Table.Identifier} has a file of {file.Content} in {file.Format} ({file.Path}), which cannot be read here yet; see "
                + "docs/known-issues.md", null);
        }
        return file;
    }
}
