using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Telemetry;

namespace Frazil.Maintain;

/// <summary>Deletes files that nothing needs any more, one after the other. A file that cannot be deleted ends nothing: it is counted, and a
/// sweep finds it.</summary>
internal sealed class FileRemoval(MaintainedTable table, IFileIO store)
{
    public long Deleted { get; private set; }

    public long Failed { get; private set; }

    public async Task DeleteAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken)
    {
        var done = 0;
        foreach (var location in locations)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await store.DeleteAsync(location, cancellationToken);
                Deleted++;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ValidationException)
            {
                Failed++;
                table.Logger.UnusedFilesLeft(table.Name, 1, $"{location}: {error.Message}");
            }
            table.Progress?.Report(new("deleting", ++done, locations.Count));
        }
    }
}
