using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>A manifest that this commit wrote, and the files it lists as added.</summary>
internal sealed record AddedManifest(ManifestFile Manifest, IReadOnlyList<DataFile> Files)
{
    /// <summary>Writes added files: a manifest per partition spec and kind of content, more where it grows beyond the target
    /// size.</summary>
    /// <param name="files">The files.</param>
    /// <param name="sequenceNumber">Their data sequence number, where it is older than the commit; else null.</param>
    /// <param name="table">The table.</param>
    /// <param name="staging">Where they go.</param>
    /// <param name="snapshotId">The snapshot that adds them.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<List<AddedManifest>> WriteAsync(
        IEnumerable<DataFile> files, long? sequenceNumber, TableMetadata table, ManifestStaging staging, long snapshotId,
        CancellationToken cancellationToken)
    {
        var manifests = new List<AddedManifest>();
        var targetBytes = table.TableProperties.ManifestTargetBytes;
        foreach (var group in files.GroupBy(file => (file.SpecId, IsData: file.Content == FileContent.Data)))
        {
            var spec = table.SpecById(group.Key.SpecId)
                ?? throw new ValidationException(
                    $"'{group.First().Path}' is of partition spec {group.Key.SpecId}, which the table does not have.");
            var content = group.Key.IsData ? ManifestContent.Data : ManifestContent.Deletes;
            var writer = new ManifestWriter(table, spec, content);
            var inManifest = new List<DataFile>();
            foreach (var file in group)
            {
                if (file.Partition.Count != spec.Fields.Count)
                    throw new ValidationException(
                        $"'{file.Path}' has {file.Partition.Count} partition values, its spec {spec.Fields.Count} fields.");
                if (writer.Entries > 0 && writer.ApproximateBytes > targetBytes)
                {
                    manifests.Add(
                        new AddedManifest(
                            await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), inManifest));
                    (writer, inManifest) = (new ManifestWriter(table, spec, content), []);
                }
                writer.Add(snapshotId, file, sequenceNumber);
                inManifest.Add(file);
            }
            manifests.Add(
                new AddedManifest(await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), inManifest));
        }
        return manifests;
    }
}
