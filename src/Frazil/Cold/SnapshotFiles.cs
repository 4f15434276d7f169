using System.Collections.Concurrent;
using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Cold;

/// <summary>The live data files of a table's snapshots. Snapshots never change, so the list of one is made once. Thread-safe.</summary>
internal sealed class SnapshotFiles(FileCache cache)
{
    private const long ManifestBytes = 64 << 20;

    /// <summary>Old snapshots' lists are dropped beyond this many.</summary>
    private const int MostSnapshots = 64;

    private readonly ManifestMemory memory = new(ManifestBytes);
    private readonly ConcurrentDictionary<(Guid Table, long SnapshotId), ImmutableArray<DataFileInput>> bySnapshot = [];

    /// <summary>The files of the version's current snapshot; empty where there is none.</summary>
    /// <exception cref="UnreadableTableException">The snapshot has files that cannot be read here.</exception>
    public async Task<ImmutableArray<DataFileInput>> ListAsync(TableVersion version, CancellationToken cancellationToken)
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
        var files = ImmutableArray.CreateBuilder<DataFileInput>();
        var store = version.Table.FileIO;
        foreach (var entry in await new ManifestCache(store, memory).ReadLiveAsync(snapshot, version.Metadata, cancellationToken))
        {
            files.Add(ToInput(Readable(entry.File, version), version.Metadata, store));
        }
        if (bySnapshot.Count >= MostSnapshots)
        {
            bySnapshot.Clear();
        }
        return bySnapshot[key] = files.ToImmutable();
    }

    private DataFileInput ToInput(DataFile file, TableMetadata metadata, IFileIO store)
    {
        if (store.LocalPathFor(file.Path) is { } path)
        {
            return ToInput(file, metadata, path);
        }
        var remote = new RemoteFile(store, file.Path, file.FileSizeBytes);
        return ToInput(file, metadata, cache.PathOf(remote)) with { Remote = remote };
    }

    /// <summary>A data file of the table as SQL reads it.</summary>
    public static DataFileInput ToInput(DataFile file, TableMetadata metadata, string path) => new(path, file.RecordCount)
    {
        PartitionValues = metadata.SpecById(file.SpecId) is { } spec ? ColumnDefaults.Of(spec, file.Partition, metadata) : ColumnDefaults.None,
    };

    private static DataFile Readable(DataFile file, TableVersion version)
    {
        if (file.Content != FileContent.Data || file.Format != FileFormat.Parquet)
        {
            throw new UnreadableTableException(
                $"table {version.Table.Identifier} has a file of {file.Content} in {file.Format} ({file.Path}), which cannot be read here yet; see "
                + "docs/known-issues.md");
        }
        return file;
    }
}
