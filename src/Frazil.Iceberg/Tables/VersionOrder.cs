using Frazil.Iceberg.Catalogs;

namespace Frazil.Iceberg;

/// <summary>Which of two versions of one table came later. A reader that loads while others commit may get them in any order.</summary>
public static class VersionOrder
{
    /// <summary>True where <paramref name="other"/> is certainly a former version of the same table.</summary>
    public static bool IsFormer(LoadedTable other, LoadedTable version)
    {
        if (other.MetadataLocation == version.MetadataLocation || other.Metadata.TableUuid != version.Metadata.TableUuid)
            return false;
        var (theirs, ours) = (other.Metadata, version.Metadata);
        // The log says it, as far back as it goes.
        if (Logs(ours, other.MetadataLocation))
            return true;
        if (Logs(theirs, version.MetadataLocation))
            return false;
        if (theirs.LastSequenceNumber != ours.LastSequenceNumber)
            return theirs.LastSequenceNumber < ours.LastSequenceNumber;
        // Versions without a snapshot of their own: by their number, which every catalog counts up, then by their time.
        var (theirNumber, ourNumber) = (NumberOf(other.MetadataLocation), NumberOf(version.MetadataLocation));
        if (theirNumber >= 0 && ourNumber >= 0 && theirNumber != ourNumber)
            return theirNumber < ourNumber;
        return theirs.LastUpdatedMs < ours.LastUpdatedMs;
    }

    private static bool Logs(TableMetadata metadata, string location)
    {
        for (var i = metadata.MetadataLog.Count - 1; i >= 0; i--)
            if (metadata.MetadataLog[i].MetadataFile == location)
                return true;
        return false;
    }

    private static int NumberOf(string location)
    {
        var number = MetadataFiles.VersionOf(location);
        return number >= 0 ? number : FilesystemCatalog.VersionIn(location) is > 0 and var version ? version : -1;
    }
}
