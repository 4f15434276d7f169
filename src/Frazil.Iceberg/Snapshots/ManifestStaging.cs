using System.Globalization;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// The files that one commit writes, over all its attempts: unique names, every path remembered until it is known whether the commit
/// happened. Not thread-safe; one per commit.
/// </summary>
internal sealed class ManifestStaging(IFileIO files, long snapshotId)
{
    private readonly Guid commitId = Guid.NewGuid();
    private readonly List<string> written = [];
    private int manifestCount;
    private int listCount;

    public async Task<ManifestFile> WriteManifestAsync(ManifestWriter writer, TableMetadata metadata, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{commitId}-m{manifestCount++}.avro");
        var (content, manifest) = writer.Finish(metadata.MetadataLocationFor(name), snapshotId);
        await WriteAsync(manifest.Path, content, cancellationToken).ConfigureAwait(false);
        return manifest;
    }

    public async Task<string> WriteListAsync(byte[] content, TableMetadata metadata, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"snap-{snapshotId}-{++listCount}-{commitId}.avro");
        var path = metadata.MetadataLocationFor(name);
        await WriteAsync(path, content, cancellationToken).ConfigureAwait(false);
        return path;
    }

    /// <summary>Every file that was written, or begun, and not deleted since.</summary>
    public IReadOnlyCollection<string> Written => written;

    /// <summary>Deletes every file but these.</summary>
    public async Task CleanAsync(IEnumerable<string> named, CancellationToken cancellationToken)
    {
        var kept = named.ToHashSet(StringComparer.Ordinal);
        for (var i = written.Count - 1; i >= 0; i--)
        {
            if (kept.Contains(written[i]))
                continue;
            await files.DeleteAsync(written[i], cancellationToken).ConfigureAwait(false);
            written.RemoveAt(i);
        }
    }

    private async Task WriteAsync(string path, byte[] content, CancellationToken cancellationToken)
    {
        written.Add(path);      // before the write: a write that failed halfway may have left something
        await files.CreateAsync(path, content, cancellationToken).ConfigureAwait(false);
    }
}
