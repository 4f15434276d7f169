using System.Globalization;
using Frazil.Iceberg.IO;

namespace Frazil.Iceberg.Manifests;

/// <summary>
/// Reads manifest lists and manifests, and keeps the newest used ones parsed: they are immutable, so a path says it all. Thread-safe;
/// readers of the same file share one read.
/// </summary>
public sealed class ManifestCache
{
    // A parsed manifest takes several times the bytes of its deflated file.
    private const int ExpansionFactor = 8;

    private readonly ManifestMemory memory;

    /// <param name="files">Where the files are.</param>
    /// <param name="maxBytes">Memory to keep at most, estimated from file sizes.</param>
    public ManifestCache(IFileIO files, long maxBytes = 64 * 1024 * 1024) : this(files, new ManifestMemory(maxBytes)) { }

    /// <param name="files">Where the files are.</param>
    /// <param name="memory">What is kept; others, of tables in other stores, may keep theirs there too.</param>
    public ManifestCache(IFileIO files, ManifestMemory memory) => (Files, this.memory) = (files, memory);

    public IFileIO Files { get; }

    /// <summary>The manifests of a snapshot.</summary>
    /// <exception cref="FileNotFoundException">The list is gone: the snapshot was expired.</exception>
    /// <exception cref="InvalidFormatException">It is damaged.</exception>
    public async Task<IReadOnlyList<ManifestFile>> ReadManifestsAsync(
        Snapshot snapshot, TableMetadata metadata, CancellationToken cancellationToken = default)
    {
        if (snapshot.ManifestList is not { } location)
            return await ReadEmbeddedAsync(snapshot, metadata, cancellationToken).ConfigureAwait(false);
        return await memory.GetAsync(
            location, 4096, async () => ManifestListReader.Read(await Files.ReadAsync(location).ConfigureAwait(false), location),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The entries of a manifest, deleted ones included, with everything inherited filled in.</summary>
    /// <exception cref="FileNotFoundException">It is gone.</exception>
    /// <exception cref="InvalidFormatException">It is damaged.</exception>
    public Task<IReadOnlyList<ManifestEntry>> ReadEntriesAsync(
        ManifestFile manifest, TableMetadata metadata, CancellationToken cancellationToken = default)
    {
        // Beside the path, what entries inherit: a promotion changes the type of partition values, the upgrade to v3 gives row ids.
        var key = string.Create(CultureInfo.InvariantCulture,
            $"{manifest.Path}|{metadata.CurrentSchemaId}|{manifest.SpecId}|{manifest.SequenceNumber}|{manifest.FirstRowId}");
        return memory.GetAsync(
            key, manifest.LengthBytes * ExpansionFactor,
            async () => ManifestReader.Read(await Files.ReadAsync(manifest.Path).ConfigureAwait(false), manifest, metadata), cancellationToken);
    }

    /// <summary>The one list of what a snapshot holds: its live data and delete files, in the order of its manifests; none where there is no
    /// snapshot.</summary>
    /// <exception cref="FileNotFoundException">A manifest is gone: the snapshot was expired.</exception>
    /// <exception cref="InvalidFormatException">One is damaged.</exception>
    public async Task<IReadOnlyList<ManifestEntry>> ReadLiveAsync(
        Snapshot? snapshot, TableMetadata metadata, CancellationToken cancellationToken = default)
    {
        var live = new List<ManifestEntry>();
        foreach (var manifest in snapshot is null ? [] : await ReadManifestsAsync(snapshot, metadata, cancellationToken).ConfigureAwait(false))
            if (manifest.MayHaveLiveFiles)
                live.AddRange((await ReadEntriesAsync(manifest, metadata, cancellationToken).ConfigureAwait(false)).Where(entry => entry.IsLive));
        return live;
    }

    /// <summary>Old v1 snapshots list their manifests in the metadata file, without counts.</summary>
    private async Task<IReadOnlyList<ManifestFile>> ReadEmbeddedAsync(
        Snapshot snapshot, TableMetadata metadata, CancellationToken cancellationToken)
    {
        var manifests = new List<ManifestFile>();
        foreach (var path in snapshot.Manifests)
        {
            var content = await Files.ReadAsync(path, cancellationToken).ConfigureAwait(false);
            var specId = new Avro.AvroFileReader(content, path).Text("partition-spec-id");
            manifests.Add(new ManifestFile
            {
                Path = path,
                LengthBytes = content.Length,
                SpecId = specId is null
                    ? metadata.PartitionSpecs[0].SpecId
                    : int.Parse(specId, CultureInfo.InvariantCulture),
                AddedSnapshotId = snapshot.SnapshotId,
            });
        }
        return manifests;
    }
}
